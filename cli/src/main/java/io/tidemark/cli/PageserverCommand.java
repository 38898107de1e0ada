package io.tidemark.cli;

import io.tidemark.pageserver.PageserverAuth;
import io.tidemark.pageserver.PageserverConfig;
import io.tidemark.pageserver.PageserverServer;
import io.tidemark.pageserver.timeline.RetentionConfig;
import io.tidemark.pageserver.timeline.StorageTuning;
import io.tidemark.runtime.net.HostPort;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tidemark pageserver}: runs one pageserver in this process until it is told to stop. */
@Command(
        name = "pageserver",
        mixinStandardHelpOptions = true,
        description = "Run a pageserver: takes committed WAL from safekeepers and answers \"this page at this LSN\".",
        footer = {
            "",
            "SIGTERM and SIGINT stop it in order (exit code 0). Exit code 1: it could not start; 2: wrong options.",
            "psql -h HOST -p 6400 -c 'SHOW lsns' asks it how far it is; http://HOST:9898/metrics, /health, /v1/status too."
        })
@SuppressWarnings("NullAway.Init") // picocli sets the fields
final class PageserverCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--id", paramLabel = "N", defaultValue = "1", description = "Node id (default: ${DEFAULT-VALUE}).")
    private long id;

    @Option(
            names = {"-D", "--data-dir"},
            paramLabel = "DIR",
            required = true,
            description = "Where timelines live; made when it does not exist.")
    private Path dataDir;

    @Option(
            names = {"-l", "--listen-pg"},
            paramLabel = "HOST:PORT",
            defaultValue = "127.0.0.1:6400",
            description = "Where the page service is; port 0 takes a free one (default: ${DEFAULT-VALUE}).")
    private String listenPg;

    @Option(
            names = "--listen-http",
            paramLabel = "HOST:PORT",
            defaultValue = "127.0.0.1:9898",
            description = "Where the HTTP API is (default: ${DEFAULT-VALUE}).")
    private String listenHttp;

    @Option(
            names = "--safekeepers",
            paramLabel = "HOST:PORT,...",
            defaultValue = "",
            description = "Where the WAL of all timelines comes from (default: nowhere, nothing is ingested).")
    private String safekeepers;

    @Option(
            names = "--page-cache-mb",
            paramLabel = "MB",
            defaultValue = "256",
            description = "Memory for pages that have been built (default: ${DEFAULT-VALUE}).")
    private long pageCacheMb;

    @Option(
            names = "--gc-horizon-mb",
            paramLabel = "MB",
            defaultValue = "64",
            description = "How much WAL behind the head stays readable at the least (default: ${DEFAULT-VALUE}).")
    private long gcHorizonMb;

    @Option(
            names = "--pitr-interval",
            paramLabel = "TIME",
            defaultValue = "7d",
            converter = TimeConverter.class,
            description = "How far back in time everything stays readable: 7d, 12h, 30m, 90s; 0s: time does not count"
                    + " (default: ${DEFAULT-VALUE}).")
    private Duration pitrInterval;

    @Option(
            names = "--lsn-lease-length",
            paramLabel = "TIME",
            defaultValue = "10m",
            converter = TimeConverter.class,
            description = "How long a leased LSN stays readable; after a start nothing is collected for so long"
                    + " (default: ${DEFAULT-VALUE}).")
    private Duration leaseLength;

    @Option(
            names = "--gc-period",
            paramLabel = "SECONDS",
            defaultValue = "3600",
            description = "How often garbage is looked for; 0: only when asked (default: ${DEFAULT-VALUE} s).")
    private long gcPeriodSeconds;

    @Option(
            names = "--wait-lsn-timeout",
            paramLabel = "SECONDS",
            defaultValue = "300",
            description = "How long a request waits for WAL to arrive (default: ${DEFAULT-VALUE} s).")
    private long waitLsnSeconds;

    @Option(
            names = "--layer-kb",
            paramLabel = "KB",
            hidden = true,
            description = "Make layers this small, for tests: little WAL then makes many files to flush and merge.")
    private @Nullable Long layerKb;

    @Option(
            names = "--safekeeper-token-file",
            paramLabel = "FILE",
            description =
                    "The first line is the token to show to safekeepers, scope safekeeperdata; read once, at the start.")
    private @Nullable Path safekeeperTokenFile;

    @Mixin
    private ServerFlags flags;

    @Override
    public Integer call() throws InterruptedException {
        PageserverConfig config = config();
        StorageTuning tuning = layerKb == null ? StorageTuning.DEFAULT : StorageTuning.ofLayerBytes(layerKb << 10);
        return ServerRun.until(
                spec,
                flags.logFormat(),
                () -> PageserverServer.start(
                        config.withAuth(new PageserverAuth(flags.authPublicKey(), TokenFile.read(safekeeperTokenFile))),
                        tuning));
    }

    private PageserverConfig config() {
        try {
            List<HostPort> addresses = Arrays.stream(safekeepers.split(",", -1))
                    .map(String::strip)
                    .filter(text -> !text.isEmpty())
                    .map(HostPort::parse)
                    .toList();
            return new PageserverConfig(
                    id,
                    dataDir,
                    HostPort.parse(listenPg),
                    HostPort.parse(listenHttp),
                    addresses,
                    Math.multiplyExact(pageCacheMb, 1L << 20),
                    new RetentionConfig(
                            Math.multiplyExact(gcHorizonMb, 1L << 20),
                            pitrInterval,
                            leaseLength,
                            RetentionConfig.DEFAULT.timestampLeaseLength()),
                    Duration.ofSeconds(gcPeriodSeconds),
                    Duration.ofSeconds(waitLsnSeconds),
                    PageserverAuth.OFF);
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }
}
