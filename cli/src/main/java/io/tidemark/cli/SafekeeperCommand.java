package io.tidemark.cli;

import io.tidemark.runtime.net.HostPort;
import io.tidemark.safekeeper.SafekeeperConfig;
import io.tidemark.safekeeper.SafekeeperServer;
import io.tidemark.wire.id.NodeId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tidemark safekeeper}: runs one safekeeper in this process until it is told to stop. */
@Command(
        name = "safekeeper",
        mixinStandardHelpOptions = true,
        description = "Run a safekeeper: keeps WAL on a quorum, for many tenants and timelines.",
        footer = {
            "",
            "SIGTERM and SIGINT stop it in order (exit code 0). Exit code 1: it could not start; 2: wrong options.",
            "psql -h HOST -p 5454 -c 'SHOW timelines' asks it what it has; http://HOST:7676/metrics, /health, /v1/status too."
        })
@SuppressWarnings("NullAway.Init") // picocli sets the fields
final class SafekeeperCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--id",
            paramLabel = "N",
            description = "Node id, unique for ever among safekeepers; only a new data"
                    + " directory needs it, and it can't change afterwards.")
    private @Nullable String id;

    @Option(
            names = {"-D", "--data-dir", "--datadir"},
            paramLabel = "DIR",
            defaultValue = "./",
            description = "Where timelines live; made when it does not exist (default: ${DEFAULT-VALUE}).")
    private Path dataDir;

    @Option(
            names = {"-l", "--listen-pg"},
            paramLabel = "HOST:PORT",
            defaultValue = "127.0.0.1:5454",
            description =
                    "Where the PostgreSQL protocol is spoken; port 0 takes a free one (default: ${DEFAULT-VALUE}).")
    private String listenPg;

    @Option(
            names = "--listen-http",
            paramLabel = "HOST:PORT",
            defaultValue = "127.0.0.1:7676",
            description = "Where the HTTP API is (default: ${DEFAULT-VALUE}).")
    private String listenHttp;

    @Option(
            names = "--advertise-pg",
            paramLabel = "HOST:PORT",
            description = "Where others find the PostgreSQL protocol (default: --listen-pg).")
    private @Nullable String advertisePg;

    @Option(names = "--availability-zone", paramLabel = "ZONE", description = "A label.")
    private @Nullable String availabilityZone;

    @Option(
            names = {"-n", "--no-sync"},
            description = "No fsync: for tests of speed. A crash of the machine then loses acknowledged WAL.")
    private boolean noSync;

    @Option(
            names = "--control-file-save-interval",
            paramLabel = "SECONDS",
            defaultValue = "300",
            description = "How long changed LSNs that are saved lazily may wait (default: ${DEFAULT-VALUE} s).")
    private long saveIntervalSeconds;

    @Option(
            names = "--idle-timeout",
            paramLabel = "SECONDS",
            defaultValue = "600",
            description =
                    "Close connections of the PostgreSQL port that bring nothing for so long (default: ${DEFAULT-VALUE}).")
    private long idleTimeoutSeconds;

    @Mixin
    private ServerFlags flags;

    @Override
    public Integer call() throws InterruptedException {
        SafekeeperConfig config = config();
        return ServerRun.until(spec, flags.logFormat(), () -> SafekeeperServer.start(config));
    }

    private SafekeeperConfig config() {
        try {
            return new SafekeeperConfig(
                    Optional.ofNullable(id).map(SafekeeperCommand::nodeId),
                    dataDir,
                    HostPort.parse(listenPg),
                    HostPort.parse(listenHttp),
                    Optional.ofNullable(advertisePg).map(HostPort::parse),
                    Optional.ofNullable(availabilityZone),
                    !noSync,
                    Duration.ofSeconds(saveIntervalSeconds),
                    Duration.ofSeconds(idleTimeoutSeconds),
                    flags.authPublicKey());
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private static NodeId nodeId(String text) {
        try {
            return new NodeId(Long.parseUnsignedLong(text));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("--id is a number, not '" + text + "'", e);
        }
    }
}
