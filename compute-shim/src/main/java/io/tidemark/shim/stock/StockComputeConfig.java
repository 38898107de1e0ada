package io.tidemark.shim.stock;

import io.tidemark.runtime.net.HostPort;
import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.wire.id.TenantTimelineId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a compute is to be; validated when it is made.
 *
 * @param pageserver its page service
 * @param dataDir where the data directory is built; deleted and made anew at each start
 * @param port PostgreSQL's, on 127.0.0.1; 0 takes a free one
 * @param user the cluster's superuser
 * @param settings PostgreSQL's configuration parameters on top of ours
 * @param patience how long each phase of a start may take
 */
public record StockComputeConfig(
        TenantTimelineId timeline,
        List<SafekeeperAddress> safekeepers,
        HostPort pageserver,
        Path dataDir,
        int port,
        String user,
        Map<String, String> settings,
        Duration patience) {
    /** The name that PostgreSQL waits for. */
    static final String STANDBY_NAME = "tidemark";

    public static final Duration DEFAULT_PATIENCE = Duration.ofMinutes(5);

    // Changing one of these would take a promise back.
    private static final Set<String> OURS = Set.of(
            "synchronous_standby_names",
            "primary_conninfo",
            "primary_slot_name",
            "restore_command",
            "promote_trigger_file",
            "hot_standby",
            "archive_mode",
            "restart_after_crash",
            "data_directory",
            "hba_file",
            "listen_addresses",
            "unix_socket_directories",
            "port");

    public StockComputeConfig {
        safekeepers = List.copyOf(safekeepers);
        settings = Map.copyOf(settings);
        if (safekeepers.isEmpty()) {
            throw new IllegalArgumentException("a compute needs safekeepers");
        }
        for (String name : settings.keySet()) {
            if (OURS.contains(name) || name.startsWith("recovery_target")) {
                throw new IllegalArgumentException(
                        name + " is set by tidemark, and cannot be chosen for a compute on storage");
            }
            if (!name.matches("[A-Za-z_][A-Za-z0-9_.]*")) {
                throw new IllegalArgumentException("not the name of a configuration parameter: '" + name + "'");
            }
        }
        if ("minimal".equals(settings.get("wal_level"))) {
            throw new IllegalArgumentException("wal_level = minimal writes too little WAL; take replica or logical");
        }
    }
}
