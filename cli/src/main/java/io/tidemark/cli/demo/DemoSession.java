package io.tidemark.cli.demo;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tidemark.cli.Terminal;
import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.storage.BranchTime;
import io.tidemark.cli.storage.Branches;
import io.tidemark.cli.storage.EmbeddedStorage;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.shim.stock.StartListener;
import io.tidemark.shim.stock.StockCompute;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The conversation of a running demo: shows the status line and obeys commands. When standard input ends, as it does in the background,
 * the demo goes on until it is interrupted.
 */
public final class DemoSession {
    private static final Duration REFRESH = Duration.ofMillis(500);
    private static final int MAX_PENDING_COMMANDS = 16;
    private static final String HELP = """
            Commands:
              branch NAME [TIME]   a branch of main at head, an LSN, a time, or so long ago (-30s, -5m), with a PostgreSQL of its own
              restart [NAME]       end a branch's PostgreSQL (default: main) and build it anew from storage
              stop 2, start 2      stop a safekeeper, bring it back; with two of three stopped a COMMIT waits
              status, help, quit   (or Ctrl-C)
            The last line shows main's term, commit_lsn, and the flush_lsn of each safekeeper.""";

    private final EmbeddedStorage storage;
    private final Terminal terminal;
    private final PrintWriter out;
    private final BlockingQueue<String> commands = new ArrayBlockingQueue<>(MAX_PENDING_COMMANDS);

    public DemoSession(EmbeddedStorage storage, Terminal terminal) {
        this.storage = storage;
        this.terminal = terminal;
        this.out = terminal.out();
    }

    /** Returns when the user wants to quit, or this thread is interrupted. */
    public void run() throws InterruptedException {
        out.println(HELP);
        out.flush();
        Thread.ofPlatform().name("demo-input").daemon().start(this::readCommands);
        try (StatusLine line = StatusLine.open(out)) {
            while (true) {
                line.show(statusText());
                String command = commands.poll(REFRESH.toMillis(), TimeUnit.MILLISECONDS);
                if (command != null && !obey(command.strip())) {
                    return;
                }
            }
        }
    }

    private String statusText() {
        try {
            return StatusText.of(storage);
        } catch (IOException down) {
            return String.valueOf(down.getMessage());
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

    private boolean obey(String command) throws InterruptedException {
        String[] words = command.split(" +", -1);
        try {
            switch (words[0]) {
                case "" -> {}
                case "stop" -> storage.safekeepers().stop(number(words));
                case "start" -> storage.safekeepers().start(number(words));
                case "branch" -> branch(words);
                case "restart" -> restart(words.length > 1 ? words[1] : StorageDirectory.MAIN);
                case "status" -> out.println(statusText());
                case "help" -> out.println(HELP);
                case "quit", "exit" -> {
                    return false;
                }
                default -> out.println("Not understood: " + command + " (help shows the commands)");
            }
        } catch (IOException | IllegalArgumentException e) {
            out.println(String.valueOf(e.getMessage()));
        }
        out.flush();
        return true;
    }

    private static long number(String[] words) throws IOException {
        if (words.length != 2 || !words[1].matches("[0-9]{1,3}")) {
            throw new ClusterException(words[0] + " takes the number of a safekeeper: " + words[0] + " 2");
        }
        return Long.parseLong(words[1]);
    }

    private void branch(String[] words) throws IOException, InterruptedException {
        if (words.length < 2) {
            throw new ClusterException("branch takes a name, and a time: branch yesterday -1d");
        }
        String time = words.length == 2 ? "head" : String.join(" ", Arrays.copyOfRange(words, 2, words.length));
        long begun = System.nanoTime();
        Branches.Created made = new Branches(storage.directory())
                .create(words[1], StorageDirectory.MAIN, BranchTime.parse(time, Instant.now()));
        long branched = System.nanoTime();
        out.printf("Branch %s leaves main at %s (%d ms).%n", words[1], made.lsn(), (branched - begun) / 1_000_000);
        restart(words[1]);
    }

    private void restart(String name) throws IOException, InterruptedException {
        long begun = System.nanoTime();
        int port = storage.directory().branches().require(name).computePort();
        StockCompute compute = storage.startCompute(name, port, StartListener.NONE);
        out.printf(
                "PostgreSQL of branch %s takes commits, built at %s (%.1f s).%n",
                name, compute.startLsn(), (System.nanoTime() - begun) / 1e9);
        terminal.printConnection(compute.postgres().port());
    }
}
