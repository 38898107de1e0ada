package io.tidemark.simulation.world;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/** What happened, one line each: hashed whole, the last lines kept, all of them handed on when somebody listens. */
public final class EventLog {
    /** How many of the last lines a failure shows. */
    public static final int KEPT_LINES = 60;

    private final EventQueue queue;
    private final Consumer<String> listener;
    private final Deque<String> last = new ArrayDeque<>();
    private long hash = 0xCBF2_9CE4_8422_2325L;
    private long lines;

    public EventLog(EventQueue queue, Consumer<String> listener) {
        this.queue = queue;
        this.listener = listener;
    }

    /** Notes that {@code who} did or saw {@code what}. */
    public void note(String who, String what) {
        long micros = queue.nowMicros();
        String line = seconds(micros) + " " + who + " " + what;
        for (int i = 0; i < line.length(); i++) {
            hash = (hash ^ line.charAt(i)) * 0x100_0000_01B3L;
        }
        lines++;
        if (last.size() == KEPT_LINES) {
            last.removeFirst();
        }
        last.addLast(line);
        listener.accept(line);
    }

    private static String seconds(long micros) {
        String fraction = Long.toString(1_000_000 + micros % 1_000_000).substring(1);
        return String.format(Locale.ROOT, "%4d", micros / 1_000_000) + "." + fraction;
    }

    /** A hash of every line so far (FNV-1a, 64 bits). Equal hashes mean equal runs. */
    public long hash() {
        return hash;
    }

    public long lines() {
        return lines;
    }

    /** The last lines, oldest first. */
    public List<String> tail() {
        return new ArrayList<>(last);
    }
}
