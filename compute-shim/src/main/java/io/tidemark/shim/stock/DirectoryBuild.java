package io.tidemark.shim.stock;

import io.netty.channel.EventLoop;
import io.tidemark.shim.datadir.DataDirectoryDownload;
import io.tidemark.shim.datadir.DirectoryRequest;
import io.tidemark.shim.postgres.PostgresBinaries;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Makes the data directory of a run, in place of the one of the run before, and starts PostgreSQL on it. */
final class DirectoryBuild {
    private final StockComputeConfig config;
    private final PostgresBinaries binaries;
    private final ServerUser user;
    private final StartListener listener;

    DirectoryBuild(StockComputeConfig config, PostgresBinaries binaries, ServerUser user, StartListener listener) {
        this.config = config;
        this.binaries = binaries;
        this.user = user;
        this.listener = listener;
    }

    /** Does something to a data directory before a server sees it. */
    @FunctionalInterface
    interface Finish {
        void apply(Path dataDir) throws IOException;
    }

    /** The data directory of the run before; its PostgreSQL may have outlived its process, and can commit nothing. */
    void removeLast() throws IOException, InterruptedException {
        deleteTree(unfinished());
        if (Files.exists(config.dataDir())) {
            // Throws when it is not one of ours: that is not to be deleted.
            PostgresServer.open(binaries, user, config.dataDir()).kill();
            deleteTree(config.dataDir());
        }
    }

    /**
     * Fetches it; there is none at all as long as it is not complete.
     *
     * @return how many bytes came
     */
    long fetch(EventLoop loop, DirectoryRequest request, Finish finish) throws IOException, InterruptedException {
        long[] bytes = {0};
        Files.createDirectories(unfinished().toAbsolutePath().getParent());
        DataDirectoryDownload.run(
                loop, StoragePosition.pageserver(config.pageserver()), request, unfinished(), user, done -> {
                    bytes[0] = done;
                    listener.built(done);
                });
        finish.apply(unfinished());
        PostgresServer.adopt(binaries, user, unfinished());
        Files.move(unfinished(), config.dataDir());
        return bytes[0];
    }

    /** Starts PostgreSQL with these settings over those that every compute has. */
    PostgresServer boot(Map<String, String> settings) throws IOException, InterruptedException {
        PostgresServer postgres = PostgresServer.adopt(binaries, user, config.dataDir());
        Map<String, String> all = common();
        all.putAll(settings);
        postgres.configure(all);
        if (config.port() != 0) {
            postgres.listenOn(config.port());
        }
        postgres.start(config.patience());
        return postgres;
    }

    private static Map<String, String> common() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("wal_level", "replica");
        settings.put("max_wal_senders", "10");
        settings.put("max_replication_slots", "10");
        settings.put("default_text_search_config", "pg_catalog.english");
        // The data directory is disposable: storage is what survives.
        settings.put("fsync", "off");
        settings.put("full_page_writes", "off");
        settings.put("restart_after_crash", "off");
        return settings;
    }

    private Path unfinished() {
        return config.dataDir().resolveSibling(config.dataDir().getFileName() + ".unfinished");
    }

    private static void deleteTree(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        List<Path> deepestFirst;
        try (Stream<Path> paths = Files.walk(directory)) {
            deepestFirst = paths.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : deepestFirst) {
            Files.deleteIfExists(path);
        }
    }
}
