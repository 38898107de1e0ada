package io.tidemark.cli.storage;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.wire.id.TenantId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a storage cluster is made of; written once, as {@code storage.json}, when it is created.
 *
 * @param tenant 32 hex digits
 * @param pgMajor the major version of new databases
 * @param pgBin directory of an installed PostgreSQL's programs; empty: those that came with the build
 * @param pageserverPgPort page service, on 127.0.0.1
 * @param pageserverHttpPort HTTP API, on 127.0.0.1
 */
public record StorageConfig(
        String tenant,
        int pgMajor,
        String pgBin,
        List<SafekeeperPlace> safekeepers,
        int pageserverPgPort,
        int pageserverHttpPort) {
    public StorageConfig {
        safekeepers = List.copyOf(safekeepers);
    }

    public TenantId tenantId() {
        return TenantId.parse(tenant);
    }

    /** What {@code --safekeepers} wants: {@code host:port,...}. */
    public String safekeeperList() {
        return safekeepers.stream().map(SafekeeperPlace::pgAddress).collect(Collectors.joining(","));
    }

    public HostPort pageserverPg() {
        return new HostPort("127.0.0.1", pageserverPgPort);
    }

    public HostPort pageserverHttp() {
        return new HostPort("127.0.0.1", pageserverHttpPort);
    }

    static StorageConfig read(Path file) throws IOException {
        try {
            return JsonMapper.shared().readValue(Files.readString(file), StorageConfig.class);
        } catch (JacksonException e) {
            throw new ClusterException(file + " is damaged: " + e.getOriginalMessage(), e);
        }
    }
}
