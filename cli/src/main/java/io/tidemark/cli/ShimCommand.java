package io.tidemark.cli;

import io.tidemark.shim.compute.FenceReport;
import io.tidemark.shim.compute.PostgresKeeper;
import io.tidemark.shim.compute.Shim;
import io.tidemark.shim.compute.ShimConfig;
import io.tidemark.shim.compute.ShimStatus;
import io.tidemark.shim.compute.SyncSafekeepers;
import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.shim.source.PostgresAddress;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.walpush.WalPushVersion;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tidemark shim}: stands beside a running PostgreSQL until it is fenced, refused or told to stop. */
@Command(
        name = "shim",
        mixinStandardHelpOptions = true,
        description = "Makes a running PostgreSQL commit through safekeepers.",
        footer = {
            "",
            "PostgreSQL needs wal_level = replica or logical, a role with REPLICATION, and the shim's application name in",
            "synchronous_standby_names. Exit codes: 0 stopped or synced, 1 refused or failed, 2 wrong command line,",
            "3 fenced: another compute owns the timeline."
        })
public final class ShimCommand implements Callable<Integer> {
    public static final int EXIT_FENCED = 3;

    private static final Logger log = LoggerFactory.getLogger(ShimCommand.class);

    @Spec
    @Nullable
    CommandSpec spec;

    @Option(
            names = "--postgres",
            paramLabel = "URL",
            description =
                    "postgres://user[:password]@host:port/[?sslmode=disable|prefer|require]; not with --sync-only")
    @Nullable
    String postgres;

    @Option(names = "--password-file", paramLabel = "FILE", description = "File whose first line is the password.")
    @Nullable
    Path passwordFile;

    @Option(
            names = "--slot",
            defaultValue = ShimConfig.DEFAULT_SLOT,
            description = "Replication slot, made when absent (default ${DEFAULT-VALUE}).")
    String slot = ShimConfig.DEFAULT_SLOT;

    @Option(
            names = "--application-name",
            defaultValue = ShimConfig.DEFAULT_APPLICATION_NAME,
            description = "Name that synchronous_standby_names lists (default ${DEFAULT-VALUE}).")
    String applicationName = ShimConfig.DEFAULT_APPLICATION_NAME;

    @Option(
            names = "--safekeepers",
            required = true,
            paramLabel = "HOST:PORT,...",
            description = "All safekeepers of the timeline.")
    String safekeepers = "";

    @Option(
            names = "--auth-token-file",
            paramLabel = "FILE",
            description =
                    "The first line is the token to show to safekeepers that ask for one, scope tenant with this tenant's"
                            + " id; read once, at the start.")
    @Nullable
    Path authTokenFile;

    @Option(names = "--tenant-id", required = true, paramLabel = "HEX", description = "32 hex digits.")
    String tenantId = "";

    @Option(names = "--timeline-id", required = true, paramLabel = "HEX", description = "32 hex digits.")
    String timelineId = "";

    @Option(names = "--sync-only", description = "Elect, level the safekeepers, print the last committed LSN, and end.")
    boolean syncOnly;

    @Option(
            names = "--sync-timeout",
            defaultValue = "60",
            paramLabel = "SECONDS",
            description = "How long --sync-only may take (default ${DEFAULT-VALUE}).")
    int syncTimeoutSeconds;

    @Option(
            names = "--proto-version",
            defaultValue = "3",
            description = "WAL push protocol, 2 or 3 (default ${DEFAULT-VALUE}).")
    int protoVersion;

    @Option(
            names = "--buffer-mb",
            defaultValue = "32",
            description = "Memory for recent WAL, in MiB (default ${DEFAULT-VALUE}).")
    int bufferMegabytes;

    @Option(
            names = "--on-fenced",
            paramLabel = "COMMAND",
            description = "Run by sh when another compute has won; should stop PostgreSQL.")
    @Nullable
    String onFenced;

    @Override
    public Integer call() throws InterruptedException {
        try {
            return syncOnly ? sync() : serve(config());
        } catch (IOException e) {
            err().println("tidemark shim: " + e.getMessage());
            return 1;
        }
    }

    private int sync() throws InterruptedException, IOException {
        try {
            Lsn lsn = SyncSafekeepers.run(addresses(), timeline(), version(), Duration.ofSeconds(syncTimeoutSeconds));
            out().println(lsn);
            return CommandLine.ExitCode.OK;
        } catch (IllegalArgumentException e) {
            throw wrong(e.getMessage());
        }
    }

    private int serve(ShimConfig config) throws InterruptedException {
        Shim shim = Shim.start(config, keeper());
        Thread hook = new Thread(shim::close, "shim-stop");
        Runtime.getRuntime().addShutdownHook(hook);
        ShimStatus last = shim.finished().join();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            log.debug("the process is ending already", e);
        }
        return switch (last.state()) {
            case FENCED -> {
                err().println("tidemark shim: fenced: " + last.problem());
                yield EXIT_FENCED;
            }
            case REFUSED -> {
                err().println("tidemark shim: " + last.problem());
                yield 1;
            }
            case WAITING_FOR_POSTGRES, CHECKING, ELECTING, STARTING, STREAMING, POSTGRES_LOST, STOPPED ->
                CommandLine.ExitCode.OK;
        };
    }

    private ShimConfig config() throws IOException {
        if (postgres == null) {
            throw wrong("--postgres is needed");
        }
        if (bufferMegabytes < 1 || bufferMegabytes > 1024) {
            throw wrong("--buffer-mb must be 1 to 1024");
        }
        try {
            PostgresAddress address = PostgresAddress.parse(postgres);
            if (passwordFile != null) {
                address = address.withPassword(
                        Files.readString(passwordFile).lines().findFirst().orElse(""));
            }
            return new ShimConfig(
                    address,
                    slot,
                    applicationName,
                    addresses(),
                    timeline(),
                    version(),
                    bufferMegabytes << 20,
                    Lsn.INVALID);
        } catch (IllegalArgumentException e) {
            throw wrong(e.getMessage());
        }
    }

    private List<SafekeeperAddress> addresses() throws IOException {
        return SafekeeperAddress.withToken(
                SafekeeperAddress.parseList(safekeepers),
                TokenFile.read(authTokenFile).orElse(null));
    }

    private TenantTimelineId timeline() {
        return new TenantTimelineId(TenantId.parse(tenantId), TimelineId.parse(timelineId));
    }

    private WalPushVersion version() {
        return WalPushVersion.find(protoVersion)
                .orElseThrow(() -> new IllegalArgumentException("--proto-version must be 2 or 3"));
    }

    private PostgresKeeper keeper() {
        String command = onFenced;
        if (command == null) {
            return PostgresKeeper.NONE;
        }
        return report -> runHook(command, report);
    }

    private static void runHook(String command, FenceReport report) {
        try {
            ProcessBuilder builder = new ProcessBuilder("sh", "-c", command).inheritIO();
            builder.environment().put("TIDEMARK_TERM", report.higherTerm().toString());
            builder.environment().put("TIDEMARK_SEEN_ON", report.seenOn().toString());
            int code = builder.start().waitFor();
            log.warn("--on-fenced ended with code {}", code);
        } catch (IOException e) {
            log.error("--on-fenced could not be run: {}", e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private ParameterException wrong(@Nullable String message) {
        return new ParameterException(requireSpec().commandLine(), String.valueOf(message));
    }

    private PrintWriter out() {
        return requireSpec().commandLine().getOut();
    }

    private PrintWriter err() {
        return requireSpec().commandLine().getErr();
    }

    private CommandSpec requireSpec() {
        if (spec == null) {
            throw new IllegalStateException("not made by picocli");
        }
        return spec;
    }
}
