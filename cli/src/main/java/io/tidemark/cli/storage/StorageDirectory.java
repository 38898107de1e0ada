package io.tidemark.cli.storage;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.cluster.ClusterLayout;
import io.tidemark.cli.cluster.ClusterOptions;
import io.tidemark.cli.cluster.Ports;
import io.tidemark.cli.cluster.RandomId;
import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.shim.postgres.PostgresBinaries;
import io.tidemark.shim.stock.StockComputeConfig;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** The directory of a storage cluster: made once, opened after that. */
public final class StorageDirectory {
    /** The branch that a new cluster has. */
    public static final String MAIN = "main";

    private static final String SUPERUSER = "postgres";

    private static final int PREFERRED_PAGESERVER_PG_PORT = 6400;
    private static final int PREFERRED_PAGESERVER_HTTP_PORT = 9898;

    private final ClusterLayout layout;
    private final StorageConfig config;
    private final BranchCatalogue branches;

    private StorageDirectory(ClusterLayout layout, StorageConfig config) {
        this.layout = layout;
        this.config = config;
        this.branches = new BranchCatalogue(layout.branchesFile());
    }

    /** Whether there is a storage cluster in this directory. */
    public static boolean exists(Path directory) {
        return Files.exists(new ClusterLayout(directory).storageFile());
    }

    /** Opens the cluster in a directory; throws a {@link ClusterException} when there is none. */
    public static StorageDirectory open(Path directory) throws IOException {
        ClusterLayout layout = new ClusterLayout(directory);
        if (!exists(directory)) {
            throw new ClusterException(
                    "there is no tidemark cluster in " + layout.root() + "; tidemark start --dir makes one");
        }
        layout.createDirectories();
        return new StorageDirectory(layout, StorageConfig.read(layout.storageFile()));
    }

    /**
     * Opens the cluster in a directory, or makes one there, without data yet.
     *
     * @throws ClusterException when the one that is there is not what the options ask for
     */
    public static StorageDirectory openOrCreate(Path directory, ClusterOptions options)
            throws IOException, InterruptedException {
        if (!exists(directory)) {
            return create(new ClusterLayout(directory), options);
        }
        StorageDirectory existing = open(directory);
        options.requireMajor(existing.config.pgMajor(), existing.layout.root());
        return existing;
    }

    private static StorageDirectory create(ClusterLayout layout, ClusterOptions options)
            throws IOException, InterruptedException {
        if (Files.exists(layout.configFile())) {
            throw new ClusterException(layout.root() + " holds a cluster of an older kind, without a pageserver; choose"
                    + " another directory");
        }
        Files.createDirectories(layout.root());
        layout.createDirectories();
        PostgresBinaries binaries = options.binaries();
        Ports ports = new Ports(options.usualPorts());
        List<SafekeeperPlace> places = ports.safekeepers(options.safekeeperCount());
        StorageConfig config = new StorageConfig(
                TenantId.parse(RandomId.hex()).toString(),
                binaries.major(),
                options.pgBinText(),
                places,
                ports.choose(PREFERRED_PAGESERVER_PG_PORT),
                ports.choose(PREFERRED_PAGESERVER_HTTP_PORT));
        Path unfinished = layout.root().resolve("storage.json.new");
        Files.writeString(
                unfinished,
                JsonMapper.builder()
                                .enable(SerializationFeature.INDENT_OUTPUT)
                                .build()
                                .writeValueAsString(config) + "\n");
        Files.move(unfinished, layout.storageFile(), StandardCopyOption.ATOMIC_MOVE);
        return new StorageDirectory(layout, config);
    }

    /** The programs for a branch's major version. */
    public PostgresBinaries binaries(int major) throws IOException, InterruptedException {
        return ClusterOptions.binaries(major == config.pgMajor() ? config.pgBin() : "", major);
    }

    public static TimelineId newTimelineId() {
        return TimelineId.parse(RandomId.hex());
    }

    public ClusterLayout layout() {
        return layout;
    }

    public StorageConfig config() {
        return config;
    }

    public BranchCatalogue branches() {
        return branches;
    }

    /** A compute of a timeline of this cluster, with the data directory in a place of its own. */
    public StockComputeConfig computeConfig(TimelineId timeline, Path dataDir, int port, Map<String, String> settings) {
        return new StockComputeConfig(
                new TenantTimelineId(config.tenantId(), timeline),
                SafekeeperAddress.parseList(config.safekeeperList()),
                config.pageserverPg(),
                dataDir,
                port,
                SUPERUSER,
                settings,
                StockComputeConfig.DEFAULT_PATIENCE);
    }

    /** Asks the pageserver of this cluster. */
    public PageserverClient pageserver() {
        return new PageserverClient(config.pageserverHttp(), config.tenantId());
    }
}
