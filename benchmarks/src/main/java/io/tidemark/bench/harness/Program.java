package io.tidemark.bench.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * One run of another program to its end.
 *
 * @param output what it printed, both streams
 * @param wall from start to end
 * @param cpu its CPU time, user and system, with its children; ticks of 10 ms
 */
public record Program(String output, Duration wall, Duration cpu) {
    /** Where Debian keeps the client programs of PostgreSQL 15, which drive every server version. */
    public static final String DEBIAN_POSTGRES_BIN = "/usr/lib/postgresql/15/bin";

    private static final int QUOTED_CHARS = 4_000;

    /**
     * Runs it. No other program may end meanwhile that this process has started, or its CPU time is counted too.
     *
     * @throws IOException when it cannot be started, exits with anything but 0, or takes longer than the deadline
     */
    public static Program run(List<String> command, Duration deadline) throws IOException, InterruptedException {
        Path output = Files.createTempFile("tidemark-bench-", ".out");
        try {
            Duration cpuBefore = CpuClock.ofEndedChildren();
            long begun = System.nanoTime();
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            process.getOutputStream().close();
            if (!process.waitFor(deadline.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly().waitFor();
                throw new IOException("not done within " + deadline + ": " + command + ": " + quote(output));
            }
            Duration wall = Duration.ofNanos(System.nanoTime() - begun);
            Duration cpu = CpuClock.ofEndedChildren().minus(cpuBefore);
            if (process.exitValue() != 0) {
                throw new IOException("exit code " + process.exitValue() + " from " + command + ": " + quote(output));
            }
            return new Program(Files.readString(output), wall, cpu);
        } finally {
            Files.deleteIfExists(output);
        }
    }

    private static String quote(Path output) throws IOException {
        String all = Files.readString(output);
        return all.substring(Math.max(0, all.length() - QUOTED_CHARS)).strip();
    }

    /** Seconds with a fraction. */
    public static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }
}
