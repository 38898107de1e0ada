package io.tidemark.cli.cluster;

import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a local cluster is made of; written once, as {@code cluster.json}, when it is created.
 *
 * @param pgMajor PostgreSQL's major version
 * @param pgBin directory of an installed PostgreSQL's programs; empty: the one that came with the build
 * @param tenantId 32 hex digits
 * @param timelineId 32 hex digits
 * @param postgresPort on 127.0.0.1
 */
public record ClusterConfig(
        int pgMajor,
        String pgBin,
        String tenantId,
        String timelineId,
        int postgresPort,
        List<SafekeeperPlace> safekeepers) {
    /** A safekeeper's node id and its two ports on 127.0.0.1. */
    public record SafekeeperPlace(long id, int pgPort, int httpPort) {
        public String pgAddress() {
            return "127.0.0.1:" + pgPort;
        }

        public String httpAddress() {
            return "127.0.0.1:" + httpPort;
        }

        /** The arguments of its process. */
        public List<String> arguments(ClusterLayout layout) {
            return List.of(
                    "--id=" + id,
                    "--data-dir=" + layout.safekeeperDir(id),
                    "--listen-pg=" + pgAddress(),
                    "--listen-http=" + httpAddress());
        }
    }

    private static final JsonMapper MAPPER =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    public ClusterConfig {
        safekeepers = List.copyOf(safekeepers);
    }

    public TenantTimelineId timeline() {
        return new TenantTimelineId(TenantId.parse(tenantId), TimelineId.parse(timelineId));
    }

    /** What {@code --safekeepers} wants: {@code host:port,...}. */
    public String safekeeperList() {
        return safekeepers.stream().map(SafekeeperPlace::pgAddress).collect(Collectors.joining(","));
    }

    static ClusterConfig read(Path file) throws IOException {
        try {
            return MAPPER.readValue(Files.readString(file), ClusterConfig.class);
        } catch (JacksonException e) {
            throw new ClusterException(file + " is damaged: " + e.getOriginalMessage(), e);
        }
    }

    void write(Path file) throws IOException {
        Path unfinished = file.resolveSibling(file.getFileName() + ".new");
        Files.writeString(unfinished, MAPPER.writeValueAsString(this) + "\n");
        Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
    }
}
