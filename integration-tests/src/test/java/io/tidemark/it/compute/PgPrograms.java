package io.tidemark.it.compute;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tidemark.shim.postgres.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** PostgreSQL's own programs: those of 15, where the machine has them, and others by their path. */
final class PgPrograms {
    /** Where Debian puts the programs of its own release. */
    static final Path BIN = Path.of("/usr/lib/postgresql/15/bin");

    private static final long SECONDS = 120;
    private static final int LAST_AMCHECKED = 15;

    private PgPrograms() {}

    static boolean have(String program) {
        return Files.isExecutable(BIN.resolve(program));
    }

    /** Whether {@link #amcheck} works with a server; the extension alone ({@link SqlDigest#amcheck}) does with all. */
    static boolean amchecks(int major) {
        return major <= LAST_AMCHECKED && have("pg_amcheck");
    }

    /** Checks every heap and every B-tree of a database, the latter against their tables; throws what is wrong. */
    static void amcheck(PostgresServer server, String database) throws Exception {
        runOn(
                server,
                BIN.resolve("pg_amcheck"),
                "--install-missing",
                "--heapallindexed",
                "--parent-check",
                "--database=" + database);
    }

    /** Makes the tables of pgbench in a database, and runs its transactions. */
    static void pgbench(PostgresServer server, String database, int transactions) throws Exception {
        Path program = BIN.resolve("pgbench");
        runOn(server, program, "--initialize", "--quiet", database);
        runOn(server, program, "--no-vacuum", "--client=2", "--transactions=" + transactions / 2, database);
    }

    /** Runs a statement by psql, and answers its result without frames and heads. */
    static String psql(PostgresServer server, String database, String statement) throws Exception {
        return runOn(
                        server,
                        BIN.resolve("psql"),
                        "--no-psqlrc",
                        "--no-align",
                        "--tuples-only",
                        "--dbname=" + database,
                        "--command=" + statement)
                .strip();
    }

    /** Runs a client program as the superuser, and answers what it prints; throws when it fails. */
    static String runOn(PostgresServer server, Path program, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(program.toString(), "--host=127.0.0.1", "--port=" + server.port(), "--username=postgres"));
        command.addAll(List.of(arguments));
        return run(command);
    }

    static String run(List<String> command) throws Exception {
        String program = command.getFirst();
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("HOME", "/nonexistent");
        Process process = builder.start();
        process.getOutputStream().close();
        CompletableFuture<String> said = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> {
            try {
                said.complete(new String(process.getErrorStream().readAllBytes(), UTF_8));
            } catch (IOException e) {
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
