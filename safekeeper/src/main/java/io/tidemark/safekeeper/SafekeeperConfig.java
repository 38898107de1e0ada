package io.tidemark.safekeeper;

import io.tidemark.runtime.net.HostPort;
import io.tidemark.runtime.net.SilenceHandler;
import io.tidemark.wire.id.NodeId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Everything one can choose about a safekeeper process.
 *
 * @param nodeId empty: take it from the data directory, where the first start with an id wrote it
 * @param dataDir where timelines live; made when it does not exist
 * @param listenPg where the PostgreSQL protocol is spoken
 * @param listenHttp where the HTTP API is
 * @param advertisePg where others find the first one; empty: {@code listenPg}
 * @param availabilityZone a label; empty when unknown
 * @param sync false: no fsync, for tests of speed only; a crash of the machine then loses acknowledged WAL
 * @param controlFileSaveInterval how long changed LSNs that are persisted lazily may wait for it
 * @param idleTimeout how long a connection of the PostgreSQL port may bring nothing: its peer is gone then
 * @param authPublicKey the public key of those who make tokens, or a directory of them; empty: nobody is asked for a token
 */
public record SafekeeperConfig(
        Optional<NodeId> nodeId,
        Path dataDir,
        HostPort listenPg,
        HostPort listenHttp,
        Optional<HostPort> advertisePg,
        Optional<String> availabilityZone,
        boolean sync,
        Duration controlFileSaveInterval,
        Duration idleTimeout,
        Optional<Path> authPublicKey) {
    public static final HostPort DEFAULT_LISTEN_PG = new HostPort("127.0.0.1", 5454);
    public static final HostPort DEFAULT_LISTEN_HTTP = new HostPort("127.0.0.1", 7676);
    public static final Duration DEFAULT_CONTROL_FILE_SAVE_INTERVAL = Duration.ofMinutes(5);

    /** Throws {@link IllegalArgumentException} with a sentence for the user when a value can't be. */
    public SafekeeperConfig {
        if (nodeId.isPresent() && nodeId.get().value() == 0) {
            throw new IllegalArgumentException("--id 0 is not a node id: ids start at 1");
        }
        if (advertisePg.isPresent() && advertisePg.get().port() == 0) {
            throw new IllegalArgumentException("--advertise-pg needs a port that others can connect to");
        }
        if (controlFileSaveInterval.isNegative() || controlFileSaveInterval.isZero()) {
            throw new IllegalArgumentException("--control-file-save-interval must be longer than 0");
        }
        if (!idleTimeout.isPositive()) {
            throw new IllegalArgumentException("--idle-timeout must be longer than 0");
        }
        if (listenPg.port() != 0 && listenPg.equals(listenHttp)) {
            throw new IllegalArgumentException("--listen-pg and --listen-http are both " + listenPg);
        }
    }

    /** The defaults, for a data directory. */
    public static SafekeeperConfig of(NodeId nodeId, Path dataDir) {
        return new SafekeeperConfig(
                Optional.of(nodeId),
                dataDir,
                DEFAULT_LISTEN_PG,
                DEFAULT_LISTEN_HTTP,
                Optional.empty(),
                Optional.empty(),
                true,
                DEFAULT_CONTROL_FILE_SAVE_INTERVAL,
                SilenceHandler.DEFAULT_TIMEOUT,
                Optional.empty());
    }

    /** The same, listening elsewhere. */
    public SafekeeperConfig listeningOn(HostPort pg, HostPort http) {
        return new SafekeeperConfig(
                nodeId,
                dataDir,
                pg,
                http,
                advertisePg,
                availabilityZone,
                sync,
                controlFileSaveInterval,
                idleTimeout,
                authPublicKey);
    }

    /** The same, asking for tokens that a key of this file or directory verifies. */
    public SafekeeperConfig withAuthPublicKey(Path fileOrDirectory) {
        return new SafekeeperConfig(
                nodeId,
                dataDir,
                listenPg,
                listenHttp,
                advertisePg,
                availabilityZone,
                sync,
                controlFileSaveInterval,
                idleTimeout,
                Optional.of(fileOrDirectory));
    }

    /** The same, with less or more patience for silent peers. */
    public SafekeeperConfig withIdleTimeout(Duration timeout) {
        return new SafekeeperConfig(
                nodeId,
                dataDir,
                listenPg,
                listenHttp,
                advertisePg,
                availabilityZone,
                sync,
                controlFileSaveInterval,
                timeout,
                authPublicKey);
    }

    /** The settings by the names of their flags, in a fixed order, for people. */
    public Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("id", nodeId.map(NodeId::toString).orElse(""));
        settings.put("data-dir", dataDir.toString());
        settings.put("listen-pg", listenPg.toString());
        settings.put("listen-http", listenHttp.toString());
        settings.put("advertise-pg", advertisePg.orElse(listenPg).toString());
        settings.put("availability-zone", availabilityZone.orElse(""));
        settings.put("no-sync", Boolean.toString(!sync));
        settings.put("control-file-save-interval", controlFileSaveInterval.toSeconds() + "s");
        settings.put("idle-timeout", idleTimeout.toSeconds() + "s");
        settings.put("auth-public-key", authPublicKey.map(Path::toString).orElse(""));
        return settings;
    }
}
