package io.tidemark.safekeeper;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The programs of an installed PostgreSQL 15, run as a user that it accepts. */
final class DebianPostgres {
    static final Path BIN = Path.of("/usr/lib/postgresql/15/bin");

    private final Path home;
    private final boolean root;

    /** {@code home}: a directory for clusters, sockets and logs, made here. */
    DebianPostgres(Path home) throws IOException, InterruptedException {
        this.home = home;
        this.root = Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
        Files.createDirectories(home);
        give(home);
    }

    static boolean isInstalled() {
        return Files.isExecutable(BIN.resolve("postgres")) && Files.isExecutable(BIN.resolve("pg_receivewal"));
    }

    Path home() {
        return home;
    }

    private void give(Path path) throws IOException, InterruptedException {
        if (root) {
            execute(List.of("chown", "-R", "postgres:postgres", path.toString()));
        }
    }

    /** Runs a program to its end and returns what it said; fails when it failed. */
    String run(String program, String... arguments) throws IOException, InterruptedException {
        return execute(command(program, arguments));
    }

    private List<String> command(String program, String... arguments) {
        List<String> command = new ArrayList<>();
        if (root) {
            command.addAll(List.of("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"));
        }
        command.add(BIN.resolve(program).toString());
        command.addAll(List.of(arguments));
        return command;
    }

    private String execute(List<String> command) throws IOException, InterruptedException {
        Path output = Files.createTempFile("output", ".txt");
        Process process = new ProcessBuilder(command)
                .directory(Path.of("/").toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        boolean ended = process.waitFor(60, TimeUnit.SECONDS);
        if (!ended) {
            process.destroyForcibly();
        }
        String said = Files.readString(output, StandardCharsets.UTF_8);
        Files.delete(output);
        if (!ended || process.exitValue() != 0) {
            throw new AssertionError(command + (ended ? " failed: " : " did not end: ") + said);
        }
        return said;
    }

    Path initdb(String name) throws IOException, InterruptedException {
        Path data = home.resolve(name);
        run("initdb", "-D", data.toString(), "-U", "postgres", "-A", "trust", "-N", "--locale=C");
        return data;
    }

    /** Starts a server that listens only on a socket in {@link #home}; ports only tell clusters apart there. */
    void start(Path data, int port, String... settings) throws IOException, InterruptedException {
        StringBuilder options =
                new StringBuilder("-c listen_addresses='' -c unix_socket_directories=" + home + " -c port=" + port);
        options.append(" -c fsync=off -c wal_level=replica -c wal_keep_size=4GB");
        for (String setting : settings) {
            options.append(" -c ").append(setting);
        }
        run("pg_ctl", "-D", data.toString(), "-w", "-l", data + ".log", "-o", options.toString(), "start");
    }

    void stop(Path data) throws IOException, InterruptedException {
        run("pg_ctl", "-D", data.toString(), "-w", "-m", "fast", "stop");
    }

    String sql(int port, String sql) throws IOException, InterruptedException {
        return run("psql", "-X", "-h", home.toString(), "-p", Integer.toString(port), "-U", "postgres", "-Atc", sql)
                .strip();
    }

    /** A cold copy of a stopped cluster. */
    Path copy(Path data, String name) throws IOException, InterruptedException {
        Path copy = home.resolve(name);
        execute(List.of("cp", "-a", data.toString(), copy.toString()));
        return copy;
    }

    void write(Path file, String text) throws IOException, InterruptedException {
        Files.writeString(file, text);
        give(file);
    }

    static List<Path> walSegments(Path data) throws IOException {
        try (Stream<Path> files = Files.list(data.resolve("pg_wal"))) {
            return files.filter(file -> String.valueOf(file.getFileName()).matches("[0-9A-F]{24}"))
                    .sorted()
                    .toList();
        }
    }
}
