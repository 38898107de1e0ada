package io.tidemark.it.compute;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tidemark.shim.postgres.PostgresServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** PostgreSQL's own programs of 15, where the machine has them; they work with servers of 14 and 15. */
final class PgPrograms {
    private static final Path BIN = Path.of("/usr/lib/postgresql/15/bin");
    private static final long SECONDS = 120;
    private static final Pattern SETVAL =
            Pattern.compile("SELECT pg_catalog\\.setval\\('(.+)', (\\d+), (true|false)\\);");

    private PgPrograms() {}

    static boolean areInstalled() {
        return Files.isExecutable(BIN.resolve("pg_dump")) && Files.isExecutable(BIN.resolve("pg_amcheck"));
    }

    /**
     * What pg_dump says of a database.
     *
     * @param text definitions and rows, without what differs between any two dumps
     * @param sequences the last value of each
     */
    record Dump(String text, TreeMap<String, Long> sequences) {}

    /** The whole database, without the rows of unlogged tables. */
    static Dump dump(PostgresServer server, String database) throws Exception {
        String all = run(server, "pg_dump", "--no-unlogged-table-data", "--dbname=" + database);
        StringBuilder text = new StringBuilder();
        TreeMap<String, Long> sequences = new TreeMap<>();
        all.lines().forEach(line -> {
            Matcher setval = SETVAL.matcher(line);
            if (setval.matches()) {
                sequences.put(setval.group(1), Long.parseLong(setval.group(2)));
            } else if (!line.startsWith("\\restrict ")
                    && !line.startsWith("\\unrestrict ")) { // a random word each time
                text.append(line).append('\n');
            }
        });
        return new Dump(text.toString(), sequences);
    }

    /** Checks every heap and every B-tree of a database, the latter against their tables; throws what is wrong. */
    static void amcheck(PostgresServer server, String database) throws Exception {
        run(server, "pg_amcheck", "--install-missing", "--heapallindexed", "--parent-check", "--database=" + database);
    }

    private static String run(PostgresServer server, String program, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                BIN.resolve(program).toString(),
                "--host=127.0.0.1",
                "--port=" + server.port(),
                "--username=postgres",
                "--no-password"));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("HOME", "/nonexistent");
        Process process = builder.start();
        process.getOutputStream().close();
        CompletableFuture<String> said = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> {
            try {
                said.complete(new String(process.getErrorStream().readAllBytes(), UTF_8));
            } catch (java.io.IOException e) {
                said.completeExceptionally(e);
            }
        });
        String out = new String(process.getInputStream().readAllBytes(), UTF_8);
        if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError(program + " does not end");
        }
        if (process.exitValue() != 0) {
            throw new AssertionError(program + " ended with " + process.exitValue() + ": " + out + said.join());
        }
        return out;
    }
}
