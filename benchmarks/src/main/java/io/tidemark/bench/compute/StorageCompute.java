package io.tidemark.bench.compute;

import io.tidemark.bench.cluster.StorageCluster;
import io.tidemark.bench.harness.Sample;
import io.tidemark.shim.postgres.PostgresServer;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/** A compute on a branch of its own; runs all the time, since to start it anew is not what is measured. */
final class StorageCompute {
    private final StorageCluster storage;
    private final String branch;
    private final PostgresServer server;

    private StorageCompute(StorageCluster storage, String branch, PostgresServer server) {
        this.storage = storage;
        this.branch = branch;
        this.server = server;
    }

    /** Starts it. */
    static StorageCompute start(StorageCluster storage, String branch, Map<String, String> settings, boolean fullPages)
            throws IOException, InterruptedException {
        Map<String, String> all = new LinkedHashMap<>(settings);
        all.put("full_page_writes", fullPages ? "on" : "off");
        storage.startCompute(branch, all);
        return new StorageCompute(storage, branch, storage.postgres(branch));
    }

    Sample take(Turn turn) throws Exception {
        storage.awaitQuiet();
        try {
            return turn.on(server, () -> storage.cpu(branch));
        } finally {
            // The next turn is somebody else's, who must not pay for ingest and compaction of this one.
            storage.awaitQuiet();
        }
    }
}
