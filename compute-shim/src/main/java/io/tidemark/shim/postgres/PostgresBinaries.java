package io.tidemark.shim.postgres;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An installed PostgreSQL server: the directory of {@code postgres}, {@code initdb} and {@code pg_ctl}, and its major version.
 *
 * @param major 14 to 18
 * @param version as the server prints it, e.g. {@code 17.11}
 * @param binDir absolute
 */
public record PostgresBinaries(int major, String version, Path binDir) {
    private static final Pattern VERSION = Pattern.compile("\\(PostgreSQL\\) ((\\d+)[^ ]*)");
    private static final Duration VERSION_DEADLINE = Duration.ofSeconds(30);

    /**
     * The installation in a directory, e.g. {@code /usr/lib/postgresql/15/bin}.
     *
     * @throws PostgresException when there is no server in it, or it does not say which version it is
     */
    public static PostgresBinaries at(Path binDir) throws IOException, InterruptedException {
        Path directory = binDir.toAbsolutePath().normalize();
        for (String program : List.of("postgres", "initdb", "pg_ctl")) {
            if (!Files.isExecutable(directory.resolve(program))) {
                throw new PostgresException("no PostgreSQL server in " + directory + ": " + program + " is missing");
            }
        }
        String answer = Programs.run(List.of(directory.resolve("postgres").toString(), "--version"), VERSION_DEADLINE);
        Matcher matcher = VERSION.matcher(answer);
        if (!matcher.find()) {
            throw new PostgresException(directory.resolve("postgres") + " --version said: " + answer);
        }
        return new PostgresBinaries(Integer.parseInt(matcher.group(2)), matcher.group(1), directory);
    }

    Path program(String name) {
        return binDir.resolve(name);
    }
}
