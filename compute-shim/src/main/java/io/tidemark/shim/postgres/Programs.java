package io.tidemark.shim.postgres;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Runs short-lived programs: each has a deadline, its output is bounded, and its failure is an exception that quotes it. */
final class Programs {
    private static final int MAX_OUTPUT_CHARS = 64 * 1024;

    private Programs() {}

    /**
     * Runs a program to its end and returns what it printed (both streams, trimmed).
     *
     * @throws PostgresException when it is not there, exits with anything but 0, or takes longer than the deadline
     */
    static String run(List<String> command, Duration deadline) throws IOException, InterruptedException {
        Path output = Files.createTempFile("tidemark-program-", ".out");
        try {
            Process process = new ProcessBuilder(command)
                    .directory(Path.of("/").toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            process.getOutputStream().close();
            if (!process.waitFor(deadline.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
                throw new PostgresException("no answer within " + deadline + " from " + command + ": " + tail(output));
            }
            if (process.exitValue() != 0) {
                throw new PostgresException(
                        "exit code " + process.exitValue() + " from " + command + ": " + tail(output));
            }
            return tail(output);
        } finally {
            Files.deleteIfExists(output);
        }
    }

    /** The last part of a text file, trimmed; what cannot be decoded is replaced. */
    static String tail(Path file) throws IOException {
        if (!Files.exists(file)) {
            return "";
        }
        String all = new String(Files.readAllBytes(file), UTF_8);
        return all.substring(Math.max(0, all.length() - MAX_OUTPUT_CHARS)).strip();
    }

    /** The full path of a program on the PATH. */
    static Optional<Path> find(String name) {
        String path = Optional.ofNullable(System.getenv("PATH")).orElse("/usr/bin:/bin") + ":/usr/sbin:/sbin";
        for (String directory : path.split(":", -1)) {
            Path candidate = Path.of(directory.isEmpty() ? "." : directory, name);
            if (Files.isExecutable(candidate)) {
                return Optional.of(candidate.toAbsolutePath());
            }
        }
        return Optional.empty();
    }
}
