package io.tidemark.cli.demo;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tidemark.cli.cluster.EmbeddedCluster;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The conversation of a running demo: shows the status line, and obeys {@code stop N}, {@code start N}, {@code status} and {@code
 * quit}. When standard input ends, as it does in the background, the demo goes on until it is interrupted.
 */
public final class DemoSession {
    private static final Duration REFRESH = Duration.ofMillis(500);
    private static final int MAX_PENDING_COMMANDS = 16;
    private static final String QUIT = "quit";

    private final EmbeddedCluster cluster;
    private final PrintWriter out;
    private final BlockingQueue<String> commands = new ArrayBlockingQueue<>(MAX_PENDING_COMMANDS);

    public DemoSession(EmbeddedCluster cluster, PrintWriter out) {
        this.cluster = cluster;
        this.out = out;
    }

    /** Returns when the user wants to quit, or this thread is interrupted. */
    public void run() throws InterruptedException {
        out.println(
                "Type \"stop 2\" to stop safekeeper 2, \"start 2\" to bring it back, \"status\", or \"quit\" (or Ctrl-C).");
        out.println("With two of three stopped a COMMIT waits, and returns when one of them is back.");
        out.println("The last line shows the term, commit_lsn, and the flush_lsn of each safekeeper.");
        out.flush();
        Thread.ofPlatform().name("demo-input").daemon().start(this::readCommands);
        try (StatusLine line = StatusLine.open(out)) {
            while (true) {
                line.show(StatusText.of(cluster));
                String command = commands.poll(REFRESH.toMillis(), TimeUnit.MILLISECONDS);
                if (command != null && !obey(command.strip())) {
                    return;
                }
            }
        }
    }

    private void readCommands() {
        try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, UTF_8))) {
            for (@Nullable String line = in.readLine(); line != null; line = in.readLine()) {
                commands.put(line);
            }
        } catch (IOException | InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean obey(String command) {
        String[] words = command.split(" +", -1);
        try {
            if (words.length == 2 && words[1].matches("[0-9]{1,3}")) {
                long id = Long.parseLong(words[1]);
                switch (words[0]) {
                    case "stop" -> cluster.stopSafekeeper(id);
                    case "start" -> cluster.startSafekeeper(id);
                    default -> out.println("Not understood: " + command);
                }
            } else if (command.equals("status")) {
                out.println(StatusText.of(cluster));
            } else if (command.equals(QUIT)) {
                return false;
            } else if (!command.isEmpty()) {
                out.println("Not understood: " + command + " (stop N, start N, status, quit)");
            }
        } catch (IOException e) {
            out.println(String.valueOf(e.getMessage()));
        }
        out.flush();
        return true;
    }
}
