package io.tidemark.shim.postgres;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * One data directory of a stock PostgreSQL and the postmaster on it, ours or one that an earlier process started.
 *
 * <p>Settings are kept in {@code tidemark.conf}, which {@code postgresql.conf} includes last; they survive restarts. The server
 * listens on 127.0.0.1 only, on one port for life (chosen at the first start when nobody names one), and has no Unix socket,
 * whose path would limit where a data directory may be. Its log is a file beside the data directory.
 *
 * <p>Not thread-safe. A server outlives this object and this process unless it is stopped.
 */
public final class PostgresServer implements AutoCloseable {
    /** How {@code pg_ctl} names the ways to stop. */
    public enum Shutdown {
        /** Disconnects clients, writes a checkpoint, waits until replication clients have all WAL. */
        FAST("fast"),
        /** Stops as if the machine had crashed, children too; the next start recovers. */
        IMMEDIATE("immediate");

        private final String mode;

        Shutdown(String mode) {
            this.mode = mode;
        }
    }

    private static final String SETTINGS_FILE = "tidemark.conf";
    private static final String LOOPBACK = "127.0.0.1";
    private static final Duration INITDB_DEADLINE = Duration.ofMinutes(2);
    private static final Duration START_DEADLINE = Duration.ofMinutes(2);
    private static final Duration CLOSE_DEADLINE = Duration.ofSeconds(20);
    private static final Duration KILL_DEADLINE = Duration.ofSeconds(20);
    private static final Duration POLL = Duration.ofMillis(10);
    private static final int MAX_PORT_TRIES = 5;

    private static final int QUOTED_LOG_CHARS = 2_000;

    private final PostgresBinaries binaries;
    private final ServerUser user;
    private final Path dataDir;
    private final Map<String, String> settings;

    private PostgresServer(PostgresBinaries binaries, ServerUser user, Path dataDir, Map<String, String> settings) {
        this.binaries = binaries;
        this.user = user;
        this.dataDir = dataDir;
        this.settings = settings;
    }

    /**
     * Makes a new data directory with {@code initdb}; nothing is started.
     *
     * @param dataDir must not exist or be empty; its parent is made
     * @throws PostgresException with what initdb said
     */
    public static PostgresServer create(PostgresBinaries binaries, ServerUser user, Path dataDir, InitDbOptions options)
            throws IOException, InterruptedException {
        Path directory = dataDir.toAbsolutePath().normalize();
        Files.createDirectories(directory);
        user.requireReachable(directory);
        user.own(directory);
        List<String> command =
                new ArrayList<>(List.of(binaries.program("initdb").toString(), "--pgdata=" + directory));
        command.addAll(options.flags(binaries.major()));
        Path passwordFile = Files.createTempFile("tidemark-initdb-", ".pw");
        try {
            if (options.password().isPresent()) {
                Files.writeString(passwordFile, options.password().get() + "\n");
                user.own(passwordFile);
                command.add("--pwfile=" + passwordFile);
            }
            Programs.run(user.command(command), INITDB_DEADLINE);
        } finally {
            Files.delete(passwordFile);
        }
        Files.writeString(
                directory.resolve("postgresql.conf"),
                "\ninclude '" + SETTINGS_FILE + "'\n",
                UTF_8,
                StandardOpenOption.APPEND);
        PostgresServer server = new PostgresServer(binaries, user, directory, new LinkedHashMap<>());
        server.configure(Map.of("listen_addresses", LOOPBACK, "unix_socket_directories", ""));
        return server;
    }

    /**
     * Takes over a data directory that {@link #create} made, whether or not its postmaster runs.
     *
     * @throws PostgresException when it is none, or of another major version
     */
    public static PostgresServer open(PostgresBinaries binaries, ServerUser user, Path dataDir) throws IOException {
        Path directory = dataDir.toAbsolutePath().normalize();
        int major = majorOf(directory)
                .orElseThrow(() -> new PostgresException(directory + " is not a PostgreSQL data directory"));
        if (major != binaries.major()) {
            throw new PostgresException(directory + " belongs to PostgreSQL " + major + ", not " + binaries.major());
        }
        if (!Files.exists(directory.resolve(SETTINGS_FILE))) {
            throw new PostgresException(directory + " was not made by tidemark: no " + SETTINGS_FILE);
        }
        return new PostgresServer(
                binaries, user, directory, ServerSettings.parse(Files.readString(directory.resolve(SETTINGS_FILE))));
    }

    /**
     * Takes over a data directory that another program made, e.g. {@code pg_basebackup}: makes it listen on loopback on a port of
     * its own and gives it to the user that runs PostgreSQL.
     */
    public static PostgresServer adopt(PostgresBinaries binaries, ServerUser user, Path dataDir) throws IOException {
        Path directory = dataDir.toAbsolutePath().normalize();
        user.requireReachable(directory);
        Path conf = directory.resolve("postgresql.conf");
        if (!Files.exists(conf) || !Files.readString(conf).contains("\ninclude '" + SETTINGS_FILE + "'\n")) {
            Files.writeString(
                    conf,
                    "\ninclude '" + SETTINGS_FILE + "'\n",
                    UTF_8,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        }
        PostgresServer server = new PostgresServer(binaries, user, directory, new LinkedHashMap<>());
        server.configure(Map.of("listen_addresses", LOOPBACK, "unix_socket_directories", ""));
        user.own(directory);
        return server;
    }

    /** The major version of a data directory; empty when it is none. */
    public static Optional<Integer> majorOf(Path dataDir) throws IOException {
        Path version = dataDir.resolve("PG_VERSION");
        return Files.exists(version)
                ? Optional.of(Integer.parseInt(Files.readString(version).strip()))
                : Optional.empty();
    }

    /**
     * Sets configuration parameters, on top of those set before; values are plain, quoting is done here. Read at the next start or
     * {@link #reload}.
     */
    public void configure(Map<String, String> changes) throws IOException {
        settings.putAll(changes);
        Path file = dataDir.resolve(SETTINGS_FILE);
        Files.writeString(file, ServerSettings.format(settings));
        user.own(file);
    }

    /** Listens on this port from the next start on. */
    public void listenOn(int port) throws IOException {
        configure(Map.of("port", Integer.toString(port)));
    }

    /**
     * Starts the postmaster and waits until it takes connections. Recovery counts, so after a crash this can take a while.
     *
     * @throws PostgresException with the end of its log when it exits or is not ready in time
     */
    public void start() throws IOException, InterruptedException {
        start(START_DEADLINE);
    }

    /** The same, for one whose recovery may take as long as this. */
    public void start(Duration patience) throws IOException, InterruptedException {
        if (isRunning()) {
            throw new PostgresException("PostgreSQL already runs on " + dataDir + " (pid " + pid() + ")");
        }
        if (settings.containsKey("port")) {
            startOnce(patience);
            return;
        }
        // Nobody named a port: a free one can be taken between our look and its bind, then another will do.
        for (int tries = 1; ; tries++) {
            listenOn(freePort());
            try {
                startOnce(patience);
                return;
            } catch (PostgresException e) {
                if (tries == MAX_PORT_TRIES || !String.valueOf(e.getMessage()).contains("could not bind")) {
                    throw e;
                }
            }
        }
    }

    private void startOnce(Duration patience) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        // A session of its own: Ctrl-C in a terminal must reach us, who stop it in the right order, and not it.
        Programs.find("setsid").ifPresent(setsid -> command.add(setsid.toString()));
        command.addAll(user.command(List.of(binaries.program("postgres").toString(), "-D", dataDir.toString())));
        File log = logFile().toFile();
        long logStart = log.length();
        Process process = new ProcessBuilder(command)
                .directory(Path.of("/").toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log))
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                .start();
        long deadline = System.nanoTime() + patience.toNanos();
        while (true) {
            Optional<PostmasterPid> pidFile = PostmasterPid.read(dataDir);
            if (pidFile.isPresent()
                    && pidFile.get().pid() == process.pid()
                    && pidFile.get().isReady()) {
                return;
            }
            if (!process.isAlive()) {
                throw new PostgresException("PostgreSQL did not start on " + dataDir + ": " + logSince(logStart));
            }
            if (System.nanoTime() > deadline) {
                stop(Shutdown.IMMEDIATE, CLOSE_DEADLINE);
                throw new PostgresException("PostgreSQL on " + dataDir + " was not ready within " + patience.toSeconds()
                        + " s: " + logSince(logStart));
            }
            Thread.sleep(POLL);
        }
    }

    private String logSince(long offset) throws IOException {
        byte[] all = Files.readAllBytes(logFile());
        int from = (int) Math.min(all.length, Math.max(offset, all.length - QUOTED_LOG_CHARS));
        return new String(all, from, all.length - from, UTF_8).strip();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.ofLiteral(LOOPBACK))) {
            return socket.getLocalPort();
        }
    }

    /** Makes a running postmaster read its settings again; some take effect only at a start. */
    public void reload() throws IOException, InterruptedException {
        Programs.run(pgCtl("reload"), KILL_DEADLINE);
    }

    /**
     * Stops the postmaster and waits until it is gone; does nothing when it does not run.
     *
     * @throws PostgresException when it still runs after the deadline: a fast shutdown waits for its replication clients
     */
    public void stop(Shutdown how, Duration deadline) throws IOException, InterruptedException {
        if (!isRunning()) {
            return;
        }
        long seconds = Math.max(1, deadline.toSeconds());
        try {
            Programs.run(
                    pgCtl("stop", "--mode=" + how.mode, "--wait", "--timeout=" + seconds),
                    deadline.plus(KILL_DEADLINE));
        } catch (PostgresException e) {
            if (isRunning()) {
                throw e;
            }
        }
    }

    /** {@code kill -9} of the postmaster and all its children; returns when they are gone. Does nothing when it does not run. */
    public void kill() throws IOException, InterruptedException {
        Optional<ProcessHandle> postmaster = postmaster();
        if (postmaster.isEmpty()) {
            return;
        }
        List<ProcessHandle> all;
        try (Stream<ProcessHandle> children = postmaster.get().descendants()) {
            all = Stream.concat(Stream.of(postmaster.get()), children).toList();
        }
        all.forEach(ProcessHandle::destroyForcibly);
        long deadline = System.nanoTime() + KILL_DEADLINE.toNanos();
        while (!all.stream().allMatch(ProcessState::hasEnded)) {
            if (System.nanoTime() > deadline) {
                throw new PostgresException("PostgreSQL on " + dataDir + " survives kill -9");
            }
            Thread.sleep(POLL);
        }
    }

    /** Stops it fast, and the hard way when that takes too long. */
    @Override
    public void close() throws IOException {
        try {
            try {
                stop(Shutdown.FAST, CLOSE_DEADLINE);
            } catch (PostgresException tooSlow) {
                stop(Shutdown.IMMEDIATE, CLOSE_DEADLINE);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            postmaster().ifPresent(ProcessHandle::destroyForcibly);
        }
    }

    private List<String> pgCtl(String... arguments) throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(List.of(binaries.program("pg_ctl").toString(), "--pgdata=" + dataDir));
        command.addAll(List.of(arguments));
        return user.command(command);
    }

    private Optional<ProcessHandle> postmaster() throws IOException {
        return PostmasterPid.read(dataDir).flatMap(file -> file.process(dataDir));
    }

    public boolean isRunning() throws IOException {
        return postmaster().isPresent();
    }

    /**
     * The postmaster's process id.
     *
     * @throws PostgresException when it does not run
     */
    public long pid() throws IOException {
        return postmaster()
                .orElseThrow(() -> new PostgresException("PostgreSQL does not run on " + dataDir))
                .pid();
    }

    /**
     * The port it listens on, from its first start on or as {@link #listenOn} named it.
     *
     * @throws IllegalStateException before either
     */
    public int port() {
        String port = settings.get("port");
        if (port == null) {
            throw new IllegalStateException("PostgreSQL on " + dataDir + " has no port yet");
        }
        return Integer.parseInt(port);
    }

    public String host() {
        return LOOPBACK;
    }

    public PostgresBinaries binaries() {
        return binaries;
    }

    public Path dataDir() {
        return dataDir;
    }

    /** What the postmaster and its children print: {@code <data directory>.log}. */
    public Path logFile() {
        return dataDir.resolveSibling(dataDir.getFileName() + ".log");
    }

    /** A JDBC URL without user and password. */
    public String jdbcUrl(String database) {
        return "jdbc:postgresql://" + LOOPBACK + ":" + port() + "/" + database;
    }
}
