package io.tidemark.cli.cluster;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.shim.postgres.InitDbOptions;
import io.tidemark.shim.postgres.PostgresBinaries;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The directory of a local cluster on disk: made once, opened after that; and the PostgreSQL in it. */
public final class ClusterDirectory {
    /** What a shim calls itself, and what PostgreSQL's {@code synchronous_standby_names} lists. */
    public static final String STANDBY_NAME = "tidemark";

    private static final int PREFERRED_POSTGRES_PORT = 54321;

    private final ClusterLayout layout;
    private final ClusterConfig config;
    private final PostgresServer postgres;

    private ClusterDirectory(ClusterLayout layout, ClusterConfig config, PostgresServer postgres) {
        this.layout = layout;
        this.config = config;
        this.postgres = postgres;
    }

    /** Whether there is a cluster in this directory. */
    public static boolean exists(Path directory) {
        return Files.exists(new ClusterLayout(directory).configFile());
    }

    /**
     * Opens the cluster in a directory.
     *
     * @throws ClusterException when there is none
     */
    public static ClusterDirectory open(Path directory) throws IOException, InterruptedException {
        ClusterLayout layout = new ClusterLayout(directory);
        if (!exists(directory)) {
            throw new ClusterException("there is no tidemark cluster in " + layout.root());
        }
        ClusterConfig config = ClusterConfig.read(layout.configFile());
        layout.createDirectories();
        PostgresServer postgres = PostgresServer.open(
                ClusterOptions.binaries(config.pgBin(), config.pgMajor()), ServerUser.current(), layout.postgresDir());
        return new ClusterDirectory(layout, config, postgres);
    }

    /**
     * Opens the cluster in a directory, or makes one there.
     *
     * @throws ClusterException when the one that is there is not what the options ask for
     */
    public static ClusterDirectory openOrCreate(Path directory, ClusterOptions options)
            throws IOException, InterruptedException {
        if (!exists(directory)) {
            return create(new ClusterLayout(directory), options);
        }
        ClusterDirectory existing = open(directory);
        options.requireMajor(existing.config.pgMajor(), existing.layout.root());
        return existing;
    }

    private static ClusterDirectory create(ClusterLayout layout, ClusterOptions options)
            throws IOException, InterruptedException {
        Files.createDirectories(layout.root());
        layout.createDirectories();
        PostgresBinaries binaries = options.binaries();
        Ports ports = new Ports(options.usualPorts());
        List<SafekeeperPlace> places = ports.safekeepers(options.safekeeperCount());
        int port = options.postgresPort() != 0 ? options.postgresPort() : ports.choose(PREFERRED_POSTGRES_PORT);
        ClusterConfig config =
                new ClusterConfig(binaries.major(), options.pgBinText(), RandomId.hex(), RandomId.hex(), port, places);
        PostgresServer postgres =
                PostgresServer.create(binaries, ServerUser.current(), layout.postgresDir(), InitDbOptions.defaults());
        postgres.listenOn(port);
        postgres.configure(postgresSettings(options.postgresSettings()));
        // Last, so that a directory with a configuration is a whole one.
        config.write(layout.configFile());
        return new ClusterDirectory(layout, config, postgres);
    }

    private static Map<String, String> postgresSettings(Map<String, String> further) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("wal_level", "replica");
        settings.put("synchronous_standby_names", STANDBY_NAME);
        settings.put("max_wal_senders", "10");
        settings.put("max_replication_slots", "10");
        // So that pg_wal and the safekeepers can be compared for a while.
        settings.put("wal_keep_size", "1GB");
        settings.putAll(further);
        return settings;
    }

    public ClusterLayout layout() {
        return layout;
    }

    public ClusterConfig config() {
        return config;
    }

    public PostgresServer postgres() {
        return postgres;
    }

    /** Where a safekeeper keeps the WAL of this cluster's timeline. */
    public Path safekeeperWal(long id) {
        return layout.safekeeperDir(id).resolve(config.tenantId()).resolve(config.timelineId());
    }

    /** PostgreSQL's own WAL. */
    public Path postgresWal() {
        return layout.postgresDir().resolve("pg_wal");
    }

    /** Refuses to go on when a process of this cluster runs, whoever started it. */
    public void requireNothingRuns() throws IOException {
        if (postgres.isRunning()) {
            throw new ClusterException("PostgreSQL already runs in " + layout.root() + " (pid " + postgres.pid()
                    + "); tidemark stop --dir " + layout.root() + " stops what is left");
        }
        for (ServerProcess process : processes()) {
            if (process.isRunning()) {
                throw new ClusterException(process.name() + " already runs in " + layout.root() + " (pid "
                        + process.handle().map(ProcessHandle::pid).orElse(0L) + ")");
            }
        }
    }

    private List<ServerProcess> processes() {
        List<ServerProcess> processes = new ArrayList<>();
        for (SafekeeperPlace place : config.safekeepers()) {
            processes.add(new ServerProcess(ClusterLayout.safekeeperName(place.id()), layout));
        }
        processes.add(new ServerProcess(ProcessCluster.SHIM, layout));
        return processes;
    }
}
