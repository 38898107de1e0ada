package io.tidemark.it.compute;

import io.tidemark.shim.postgres.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * pg_dump as a judge: two databases with the same definitions, rows, large objects, sequences and statistics, and their rows in the same order,
 * are dumped to the same bytes; any others are not.
 *
 * <p>It reads servers of its own version and older ones. Which one it is, {@link #PROPERTY} says.
 */
final class PgDump {
    /** Names the program; without it, Debian's own is taken when it is installed. */
    static final String PROPERTY = "tidemark.test.pg-dump";

    static final String HOW_TO_GET_ONE =
            "integration-tests/src/test/pg-tools/fetch-pg-dump.sh DIR gets one that reads all versions, and -D"
                    + PROPERTY + "=DIR/bin/pg_dump names it";

    // A word that is a random one otherwise, and what is dumped on demand only; an older pg_dump knows neither.
    private static final List<String> IF_KNOWN = List.of("--restrict-key=tidemark", "--statistics");
    private static final Pattern VERSION = Pattern.compile("pg_dump \\(PostgreSQL\\) ((\\d+)\\S*).*");

    private final Path program;
    private final String version;
    private final int major;
    private final List<String> options;

    private PgDump(Path program, String version, int major, List<String> options) {
        this.program = program;
        this.version = version;
        this.major = major;
        this.options = options;
    }

    /** Empty when none is installed; throws when there is none where {@link #PROPERTY} says. */
    static Optional<PgDump> find() throws Exception {
        String path = System.getProperty(PROPERTY, "");
        if (path.isBlank() && !PgPrograms.have("pg_dump")) {
            return Optional.empty();
        }
        Path program = path.isBlank() ? PgPrograms.BIN.resolve("pg_dump") : Path.of(path);
        if (!Files.isExecutable(program)) {
            throw new AssertionError("-D" + PROPERTY + "=" + path + ": there is no such program");
        }
        String said = PgPrograms.run(List.of(program.toString(), "--version")).strip();
        Matcher version = VERSION.matcher(said);
        if (!version.matches()) {
            throw new AssertionError(program + " is no pg_dump: " + said);
        }
        List<String> help =
                List.of(PgPrograms.run(List.of(program.toString(), "--help")).split("[\\s=]+"));
        List<String> options = IF_KNOWN.stream()
                .filter(option -> help.contains(option.replaceFirst("=.*", "")))
                .toList();
        return Optional.of(new PgDump(program, version.group(1), Integer.parseInt(version.group(2)), options));
    }

    boolean reads(int serverMajor) {
        return serverMajor <= major;
    }

    /** Writes a whole database to a file, without the rows of unlogged tables, which are gone after a crash. */
    void dump(PostgresServer server, String database, Path file) throws Exception {
        List<String> arguments = new ArrayList<>(options);
        arguments.addAll(List.of("--no-unlogged-table-data", "--file=" + file, "--dbname=" + database));
        PgPrograms.runOn(server, program, arguments.toArray(String[]::new));
    }

    /** Throws when two dumps differ in a byte, and shows the first line that does. */
    static void requireSame(String what, Path expected, Path actual) throws IOException {
        if (Files.mismatch(expected, actual) < 0) {
            return;
        }
        List<String> before = Files.readAllLines(expected);
        List<String> after = Files.readAllLines(actual);
        int line = 0;
        while (line < Math.min(before.size(), after.size()) && before.get(line).equals(after.get(line))) {
            line++;
        }
        throw new AssertionError(what + " dumps differently in line " + (line + 1) + ": " + at(before, line)
                + " became " + at(after, line));
    }

    private static String at(List<String> lines, int number) {
        return number < lines.size() ? '"' + lines.get(number) + '"' : "the end";
    }

    @Override
    public String toString() {
        return "pg_dump " + version;
    }
}
