package io.tidemark.bench.pages;

import io.tidemark.bench.cluster.Clients;
import io.tidemark.bench.cluster.PageLoad;
import io.tidemark.bench.cluster.PageserverProcess;
import io.tidemark.bench.cluster.StorageSource;
import io.tidemark.bench.harness.BenchOptions;
import io.tidemark.bench.harness.ComparisonResult;
import io.tidemark.bench.harness.Contender;
import io.tidemark.bench.harness.CpuClock;
import io.tidemark.bench.harness.Metric;
import io.tidemark.bench.harness.Program;
import io.tidemark.bench.harness.Sample;
import io.tidemark.bench.harness.ScratchDirectory;
import io.tidemark.bench.harness.Target;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.rel.RelTag;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tidemark bench getpage}: GetPage beside {@code get_raw_page} of a stock PostgreSQL. */
@Command(
        name = "getpage",
        mixinStandardHelpOptions = true,
        description = "Ask a pageserver for pages: cached, behind chains of records, and cold; beside get_raw_page.",
        footer = {
            "",
            "The peer is pgbench with a prepared SELECT get_raw_page(...), from shared buffers, over a loopback socket: it has to",
            "parse, plan and run a query, so it is a floor of what a stock server does for a page and not a page service.",
            "Pages are random ones of a table. 'cached': from the cache of built pages. 'chain of N': built from an image and N",
            "heap records, with hardly any cache. 'cold': the same after everything was flushed and the process restarted; the",
            "operating system's page cache has the layer files. All clients are one thread of this process."
        })
public final class GetPageCommand implements Callable<Integer> {
    private static final Metric PAGES = new Metric("pages", "pages/s", 0);
    private static final Metric P50 = new Metric("median latency", "us", 0);
    private static final Metric P99 = new Metric("99th percentile of latency", "us", 0);
    private static final Metric CPU = new Metric("CPU of the server", "us/page", 1);
    private static final String PEER = "get_raw_page, shared buffers";
    private static final String CACHED = "GetPage, cached";
    private static final String PIPELINED = "GetPage, cached, 16 in flight";
    private static final String TABLE = "cached";
    private static final int DEPTH = 16;
    private static final List<Integer> CHAINS = List.of(1, 10, 100);
    private static final Duration SETTLE = Duration.ofMillis(200);

    @Mixin
    BenchOptions options = new BenchOptions();

    @Option(names = "--pages", paramLabel = "N", description = "Pages of each table (default ${DEFAULT-VALUE}).")
    int pages = 4_000;

    @Option(names = "--seconds", paramLabel = "N", description = "Length of a turn (default ${DEFAULT-VALUE}).")
    int seconds = 5;

    @Option(
            names = "--clients",
            paramLabel = "N,...",
            split = ",",
            description = "Numbers of clients (default ${DEFAULT-VALUE}).")
    List<Integer> clientCounts = List.of(1, 8, 64);

    /** A table as the pageserver has it. */
    private record Table(RelTag relation, int blocks) {}

    private @Nullable StorageSource source;
    private final Map<String, Table> tables = new LinkedHashMap<>();
    private Lsn at = Lsn.INVALID;

    @Override
    public Integer call() throws Exception {
        try (ScratchDirectory scratch = options.scratch();
                Clients clients = new Clients();
                StorageSource started = StorageSource.start(scratch.resolve("cluster"), Map.of())) {
            source = started;
            Path base = scratch.resolve("base");
            makeTables(started, base);
            List<String> safekeepers = List.of("--safekeepers=" + started.safekeepers());
            try (PageserverProcess warm = server(scratch.resolve("warm"), base, safekeepers)) {
                for (int count : clientCounts) {
                    cached(scratch, clients, warm, count);
                }
            }
            List<String> uncached = new ArrayList<>(safekeepers);
            uncached.add("--page-cache-mb=1");
            Path data = scratch.resolve("uncached");
            try (PageserverProcess server = server(data, base, uncached)) {
                chains("chains, from memory", clients, server);
                server.checkpoint(started.timelineId());
            }
            try (PageserverProcess server = PageserverProcess.start(data, uncached)) {
                server.awaitIngested(started.timelineId(), at);
                chains("chains, cold, from layer files", clients, server);
            }
            return 0;
        }
    }

    private TenantTimelineId timeline() {
        StorageSource started = source;
        if (started == null) {
            throw new IllegalStateException("not started");
        }
        return started.timelineId();
    }

    private void makeTables(StorageSource started, Path base) throws Exception {
        Tables all = new Tables(started.postgres(), pages);
        List<String> names = new ArrayList<>(List.of(TABLE));
        CHAINS.forEach(records -> names.add(Tables.chained(records)));
        for (String name : names) {
            all.create(name);
        }
        started.stopPostgres();
        StorageSource.copy(started.postgres().dataDir(), base);
        started.startPostgres();
        for (int records : CHAINS) {
            all.change(Tables.chained(records), records);
        }
        for (String name : names) {
            tables.put(name, new Table(all.relation(name), all.blocks(name)));
        }
        all.prepareRawPages(TABLE);
        at = started.awaitLevel();
    }

    private PageserverProcess server(Path data, Path base, List<String> arguments)
            throws IOException, InterruptedException {
        PageserverProcess server = PageserverProcess.start(data, arguments);
        server.importTimeline(timeline(), base);
        server.awaitIngested(timeline(), at);
        return server;
    }

    private void cached(ScratchDirectory scratch, Clients clients, PageserverProcess server, int count)
            throws Exception {
        StorageSource started = source;
        if (started == null) {
            throw new IllegalStateException("not started");
        }
        RawPages peer = new RawPages(options.pgTool("pgbench"), started.postgres(), scratch.resolve("pgbench"));
        Duration time = Duration.ofSeconds(seconds);
        ask(clients, server, TABLE, 4, DEPTH); // fills the cache
        ComparisonResult result = options.compare(
                "getpage, " + count + " clients",
                List.of(
                        Contender.of(PEER, () -> {
                            Duration cpu = CpuClock.ofTree(started.postgres().pid());
                            Histogram latencies = peer.run(TABLE, table(TABLE).blocks(), count, time);
                            Thread.sleep(SETTLE);
                            return sample(
                                    latencies,
                                    seconds,
                                    CpuClock.ofTree(started.postgres().pid()).minus(cpu));
                        }),
                        Contender.of(CACHED, () -> ask(clients, server, TABLE, count, 1)),
                        Contender.of(PIPELINED, () -> ask(clients, server, TABLE, count, DEPTH))),
                List.of(new Target(CACHED, PEER, PAGES, 1)));
        double p99 = result.spread(CACHED, P99).orElseThrow().median();
        double most = result.spread(PIPELINED, PAGES).orElseThrow().median();
        options.say("  targets: p99 of cached pages %.0f us (under 1000 at 8 clients), %.0f pages/s (100000)"
                .formatted(p99, most));
    }

    private void chains(String title, Clients clients, PageserverProcess server) throws Exception {
        List<Contender> contenders = new ArrayList<>();
        contenders.add(Contender.of("no record", () -> ask(clients, server, TABLE, 1, 1)));
        for (int records : CHAINS) {
            String name = Tables.chained(records);
            contenders.add(Contender.of("chain of " + records, () -> ask(clients, server, name, 1, 1)));
        }
        ComparisonResult result = options.compare("getpage, 1 client, " + title, contenders, List.of());
        options.say("  target: a page behind 100 records in %.0f us (100), with the way through the socket"
                .formatted(result.spread("chain of 100", P50).orElseThrow().median()));
    }

    private Table table(String name) {
        Table table = tables.get(name);
        if (table == null) {
            throw new IllegalArgumentException("no table " + name);
        }
        return table;
    }

    private Sample ask(Clients clients, PageserverProcess server, String name, int count, int inFlight)
            throws IOException, InterruptedException {
        Table table = table(name);
        Duration cpu = CpuClock.ofProcess(server.pid());
        PageLoad.Result result = PageLoad.run(
                clients,
                server.pgPort(),
                timeline(),
                table.relation(),
                table.blocks(),
                at,
                count,
                inFlight,
                Duration.ofSeconds(seconds));
        return sample(
                result.latencies(),
                result.seconds(),
                CpuClock.ofProcess(server.pid()).minus(cpu));
    }

    private static Sample sample(Histogram latencies, double seconds, Duration cpu) {
        long count = latencies.getTotalCount();
        return Sample.of(PAGES, count / seconds)
                .and(P50, latencies.getValueAtPercentile(50) / 1e3)
                .and(P99, latencies.getValueAtPercentile(99) / 1e3)
                .and(CPU, Program.seconds(cpu) * 1e6 / Math.max(1, count));
    }
}
