package io.tidemark.bench.pages;

import io.tidemark.bench.harness.Program;
import io.tidemark.bench.harness.ScratchDirectory;
import io.tidemark.shim.postgres.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;

/** The peer: {@code SELECT get_raw_page(...)}, prepared, by pgbench over a loopback socket. */
final class RawPages {
    private static final long HIGHEST_NANOS = 100_000_000_000L;
    private static final int MICROS_COLUMN = 2;

    private final String pgbench;
    private final PostgresServer server;
    private final Path directory;

    RawPages(String pgbench, PostgresServer server, Path directory) {
        this.pgbench = pgbench;
        this.server = server;
        this.directory = directory;
    }

    /** Latencies in nanoseconds; as many as pages. */
    Histogram run(String table, int blocks, int clients, Duration time) throws IOException, InterruptedException {
        ScratchDirectory.deleteTree(directory);
        Files.createDirectories(directory);
        Path script = directory.resolve("script.sql");
        Files.writeString(
                script, "\\set n random(0, " + (blocks - 1) + ")\nSELECT get_raw_page('" + table + "', :n::int);\n");
        Program.run(
                List.of(
                        pgbench,
                        "--host=" + server.host(),
                        "--port=" + server.port(),
                        "--username=postgres",
                        "--no-vacuum",
                        "--protocol=prepared",
                        "--client=" + clients,
                        "--jobs=1",
                        "--time=" + time.toSeconds(),
                        "--log",
                        "--log-prefix=" + directory.resolve("log"),
                        "--file=" + script,
                        "postgres"),
                time.plus(Duration.ofMinutes(2)));
        Histogram latencies = new Histogram(HIGHEST_NANOS, 3);
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : (Iterable<Path>)
                    files.filter(path -> String.valueOf(path.getFileName()).startsWith("log"))::iterator) {
                try (Stream<String> lines = Files.lines(file)) {
                    lines.forEach(line -> latencies.recordValue(
                            TimeUnit.MICROSECONDS.toNanos(Long.parseLong(line.split(" ", -1)[MICROS_COLUMN]))));
                }
            }
        }
        return latencies;
    }
}
