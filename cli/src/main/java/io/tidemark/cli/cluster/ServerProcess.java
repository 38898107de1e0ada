package io.tidemark.cli.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A background process with a pid file. The file holds the process id and when that process started, so a process id that was given
 * to another program since is not taken for ours.
 */
public final class ServerProcess {
    private static final Duration KILL_DEADLINE = Duration.ofSeconds(20);
    private static final int QUOTED_LOG_LINES = 15;

    private final String name;
    private final Path pidFile;
    private final Path logFile;

    /** A process by its name, whether or not it runs. */
    public ServerProcess(String name, ClusterLayout layout) {
        this.name = name;
        this.pidFile = layout.pidFile(name);
        this.logFile = layout.logFile(name);
    }

    public String name() {
        return name;
    }

    public Path logFile() {
        return logFile;
    }

    /** Starts it in a session of its own; it outlives us. Its output goes to the end of the log file. */
    public void start(List<String> command) throws IOException {
        if (isRunning()) {
            throw new ClusterException(
                    name + " already runs (pid " + handle().orElseThrow().pid() + ")");
        }
        List<String> whole = new ArrayList<>();
        Path setsid = Path.of("/usr/bin/setsid");
        if (Files.isExecutable(setsid)) {
            // Ctrl-C in the terminal goes to every process of the foreground session, and is not meant for servers.
            whole.add(setsid.toString());
        }
        whole.addAll(command);
        Process process = new ProcessBuilder(whole)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(logFile.toFile()))
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                .start();
        Files.writeString(pidFile, ProcessMark.of(process.toHandle()) + "\n");
    }

    /** The process, when it is alive. A pid file that a crash left behind is no process. */
    public Optional<ProcessHandle> handle() throws IOException {
        try {
            return ProcessMark.parse(Files.readString(pidFile, UTF_8)).flatMap(ProcessMark::process);
        } catch (NoSuchFileException absent) {
            return Optional.empty();
        }
    }

    public boolean isRunning() throws IOException {
        return handle().isPresent();
    }

    /** {@code kill -9}; returns when the process is gone. Does nothing when it does not run. */
    public void kill() throws IOException, InterruptedException {
        Optional<ProcessHandle> process = handle();
        if (process.isPresent()) {
            process.get().destroyForcibly();
            awaitEnd(process.get(), KILL_DEADLINE);
        }
        Files.deleteIfExists(pidFile);
    }

    /** SIGTERM, and {@code kill -9} when it still runs after the deadline. Returns whether it ended by itself. */
    public boolean stop(Duration deadline) throws IOException, InterruptedException {
        Optional<ProcessHandle> process = handle();
        boolean orderly = true;
        if (process.isPresent()) {
            process.get().destroy();
            try {
                awaitEnd(process.get(), deadline);
            } catch (ClusterException stillRunning) {
                orderly = false;
                kill();
            }
        }
        Files.deleteIfExists(pidFile);
        return orderly;
    }

    private void awaitEnd(ProcessHandle process, Duration deadline) throws IOException, InterruptedException {
        try {
            process.onExit().get(deadline.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new ClusterException(
                    name + " (pid " + process.pid() + ") still runs after " + deadline.toSeconds() + " s", e);
        } catch (ExecutionException | CompletionException e) {
            throw new ClusterException("waiting for the end of " + name + " failed", e);
        }
    }

    /** The last lines of its log, for an error message. */
    public String logTail() throws IOException {
        if (!Files.exists(logFile)) {
            return "(no log)";
        }
        List<String> lines =
                new String(Files.readAllBytes(logFile), UTF_8).lines().toList();
        return String.join("\n", lines.subList(Math.max(0, lines.size() - QUOTED_LOG_LINES), lines.size()));
    }
}
