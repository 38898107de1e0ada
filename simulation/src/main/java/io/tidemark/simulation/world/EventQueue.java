package io.tidemark.simulation.world;

import java.util.Comparator;
import java.util.PriorityQueue;

/** Virtual time, and what is due when. Events of the same microsecond happen in the order they were scheduled. */
public final class EventQueue {
    /** More events than this waiting at once means that an actor schedules without end. */
    private static final int MAX_WAITING = 200_000;

    private record Entry(long atMicros, long sequence, Runnable action) {}

    private final PriorityQueue<Entry> waiting =
            new PriorityQueue<>(Comparator.comparingLong(Entry::atMicros).thenComparingLong(Entry::sequence));
    private long nowMicros;
    private long sequence;
    private long executed;

    /** Microseconds since the start of the simulation. */
    public long nowMicros() {
        return nowMicros;
    }

    public long nowMillis() {
        return nowMicros / 1000;
    }

    /** How many events have happened. */
    public long executed() {
        return executed;
    }

    public void after(long delayMicros, Runnable action) {
        at(nowMicros + Math.max(0, delayMicros), action);
    }

    public void at(long timeMicros, Runnable action) {
        if (waiting.size() >= MAX_WAITING) {
            throw new IllegalStateException("more than " + MAX_WAITING + " events waiting");
        }
        waiting.add(new Entry(Math.max(timeMicros, nowMicros), sequence++, action));
    }

    /** Lets the next event happen; false when there is none before {@code untilMicros}. */
    public boolean step(long untilMicros) {
        Entry next = waiting.peek();
        if (next == null || next.atMicros > untilMicros) {
            nowMicros = Math.max(nowMicros, untilMicros);
            return false;
        }
        waiting.remove();
        nowMicros = next.atMicros;
        executed++;
        next.action.run();
        return true;
    }
}
