package io.tidemark.it.pageserver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.runtime.net.EventLoops;
import io.tidemark.shim.pager.PageClient;
import io.tidemark.shim.postgres.InitDbOptions;
import io.tidemark.shim.postgres.PostgresArchives;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.page.PageRequest;
import io.tidemark.wire.page.PageResponse;
import io.tidemark.wire.page.PagestreamVersion;
import io.tidemark.wire.page.RequestHeader;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.rel.SlruKind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Clients of a pageserver that send nonsense, or do not read: it costs them their connection, and nobody else anything. */
class PageserverHostileClientsTest {
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final TenantTimelineId ID = new TenantTimelineId(new TenantId(1, 2), new TimelineId(3, 4));
    /** pg_class of template1. */
    private static final RelTag RELATION = new RelTag(RelTag.DEFAULT_TABLESPACE, 1, 1259, Fork.MAIN);

    private static final RequestHeader LATEST = new RequestHeader(7, RequestHeader.LATEST, Lsn.INVALID);

    private final long seed = Long.getLong("hostile.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final EventLoops loops = new EventLoops("test-client");
    private Path scratch = Path.of("unset");
    private PageserverProcess pageserver;

    @BeforeEach
    void start() throws Exception {
        scratch = ServerUser.current().scratchDirectory("tidemark-hostile-");
        Path data = scratch.resolve("initdb");
        PostgresServer.create(
                PostgresArchives.configured().require(17), ServerUser.current(), data, InitDbOptions.defaults());
        pageserver = new PageserverProcess(scratch, List.of());
        pageserver.start();
        pageserver.importDataDirectory(ID, data);
    }

    @AfterEach
    void stop() throws Exception {
        pageserver.close();
        loops.close();
        try (Stream<Path> paths = Files.walk(scratch)) {
            paths.sorted(Comparator.reverseOrder())
                    .forEach(path -> path.toFile().delete());
        }
    }

    private void assertStillServes() throws Exception {
        try (PageClient client = RememberedPages.connect(pageserver, loops, ID)) {
            assertThat(client.ask(new PageRequest.GetPage(LATEST, RELATION, 0), PATIENCE))
                    .isInstanceOf(PageResponse.GetPage.class);
        }
        assertThat(pageserver.request("GET", "/health", "").statusCode()).isEqualTo(200);
    }

    /** What the server says until it closes. */
    private String exchange(byte[]... parts) throws IOException {
        try (RawPageClient client = new RawPageClient(pageserver.pgPort())) {
            try {
                client.send(RawPageClient.concat(parts));
                client.end();
            } catch (IOException closedAlready) {
                // It needs no more of it.
            }
            return new String(client.rest(), StandardCharsets.ISO_8859_1);
        }
    }

    private static List<PageRequest> everyRequest() {
        return List.of(
                new PageRequest.Exists(LATEST, RELATION),
                new PageRequest.Nblocks(LATEST, RELATION),
                new PageRequest.GetPage(LATEST, RELATION, 0),
                new PageRequest.DbSize(LATEST, 1),
                new PageRequest.GetSlruSegment(LATEST, SlruKind.CLOG, 0));
    }

    @Test
    void nonsenseEndsInAnErrorOrAClosedConnection() throws Exception {
        System.out.println("hostile: -Dhostile.seed=" + seed);
        randomBytes();
        lengthsThatCannotBe();
        commandsThatCannotBe();
        requestsCutAndTwisted();
        streamsThatEndInAnotherWay();
        await("every connection is over")
                .atMost(PATIENCE)
                .until(() -> pageserver.metric("pageserver_live_connections") == 0);
        assertThat(pageserver.log()).doesNotContain("a bug", "Exception");
        assertThat(pageserver.isAlive()).isTrue();
    }

    private void randomBytes() throws Exception {
        for (int i = 0; i < 40; i++) {
            byte[] bytes = new byte[1 + random.nextInt(4000)];
            random.nextBytes(bytes);
            exchange(bytes);
            exchange(RawPageClient.startup(), bytes);
            exchange(RawPageClient.head(PagestreamVersion.V3, ID), bytes);
        }
        assertStillServes();
    }

    private void lengthsThatCannotBe() throws Exception {
        byte[] huge = {0x7f, (byte) 0xff, (byte) 0xff, (byte) 0xff, 0, 3, 0, 0};
        assertThat(exchange(huge)).isEmpty();
        byte[] negative = {-1, -1, -1, -1, 0, 3, 0, 0};
        assertThat(exchange(negative)).isEmpty();
        for (PagestreamVersion version : PagestreamVersion.values()) {
            byte[] head = RawPageClient.head(version, ID);
            assertThat(exchange(head, new byte[] {'d', 0x7f, -1, -1, -1})).contains("XX000");
            assertThat(exchange(head, new byte[] {'d', 0, 0, 0, 1})).contains("XX000");
            assertThat(exchange(head, RawPageClient.message('d', new byte[1 << 20])))
                    .contains("XX000");
            assertThat(exchange(head, RawPageClient.message('d', new byte[0]))).contains("XX000");
        }
        assertStillServes();
    }

    private void commandsThatCannotBe() throws Exception {
        String ids = " " + ID.tenantId() + " " + ID.timelineId();
        for (String command : List.of(
                "pagestream_v1" + ids,
                "pagestream_v9" + ids,
                "pagestream_v3",
                "pagestream_v3 zz zz",
                "pagestream_v3" + ids + " more",
                "pagestream_v3 " + "f".repeat(32) + " " + "f".repeat(32),
                "x".repeat(100_000),
                "\u0001\u0002")) {
            assertThat(exchange(RawPageClient.startup(), RawPageClient.query(command)))
                    .as(command)
                    .contains("ERROR");
        }
        assertStillServes();
    }

    private void requestsCutAndTwisted() throws Exception {
        for (PagestreamVersion version : PagestreamVersion.values()) {
            byte[] head = RawPageClient.head(version, ID);
            for (PageRequest request : everyRequest()) {
                byte[] whole = RawPageClient.encode(request, version);
                assertThat(exchange(head, RawPageClient.message('d', whole)).length())
                        .isGreaterThan(10);
                for (int cut = 0; cut < whole.length; cut += 3) {
                    assertThat(exchange(head, RawPageClient.message('d', Arrays.copyOf(whole, cut))))
                            .as("%s cut to %d bytes", request, cut)
                            .contains("XX000");
                }
                for (int i = 0; i < 15; i++) {
                    byte[] twisted = whole.clone();
                    // Not the LSNs: to wait for one of the far future is what a server shall do.
                    int at = random.nextBoolean() ? 0 : whole.length - 1 - random.nextInt(5);
                    twisted[at] ^= (byte) (1 + random.nextInt(255));
                    exchange(head, RawPageClient.message('d', twisted), RawPageClient.message('d', whole));
                }
            }
        }
        assertStillServes();
    }

    private void streamsThatEndInAnotherWay() throws Exception {
        byte[] head = RawPageClient.head(PagestreamVersion.V3, ID);
        byte[] request = RawPageClient.message(
                'd', RawPageClient.encode(new PageRequest.GetPage(LATEST, RELATION, 0), PagestreamVersion.V3));
        for (int type : new int[] {'c', 'f', 'Q', 'X', 'P', 'S', 'p', 'z', 0, 255}) {
            exchange(head, request, RawPageClient.message(type, new byte[] {0}), request);
            exchange(head, request, RawPageClient.message(type, new byte[0]), request);
        }
        for (int cut = 1; cut < request.length; cut += 5) {
            exchange(head, request, Arrays.copyOf(request, cut));
        }
        assertStillServes();
    }

    /**
     * 200 clients each ask for 8 MB and read nothing: 1.6 GB, had the server worked for all of them, where it is given 1 GB for all
     * buffers. Another client gets its pages meanwhile, and in the end they get theirs, too.
     */
    @Test
    @EnabledOnOs(OS.LINUX)
    void clientsThatDoNotReadCostLittle() throws Exception {
        int clients = 200;
        int requests = 1_000;
        long limitBytes = 350L << 20;
        byte[] request = RawPageClient.message(
                'd', RawPageClient.encode(new PageRequest.GetPage(LATEST, RELATION, 0), PagestreamVersion.V3));
        byte[][] stream = new byte[requests + 1][];
        Arrays.fill(stream, request);
        stream[0] = RawPageClient.head(PagestreamVersion.V3, ID);
        byte[] everything = RawPageClient.concat(stream);
        pagesOfAGoodClient(2_000);
        long before = residentBytes();
        List<RawPageClient> slow = new ArrayList<>();
        try {
            for (int i = 0; i < clients; i++) {
                RawPageClient client = new RawPageClient(pageserver.pgPort());
                slow.add(client);
                client.send(everything);
            }
            await("all are connected")
                    .atMost(PATIENCE)
                    .until(() -> pageserver.metric("pageserver_live_connections") == clients);
            pagesOfAGoodClient(5_000);
            long grown = residentBytes() - before;
            System.out.println("slow readers: " + clients + " clients, memory grew by " + (grown >> 20) + " MB");
            assertThat(grown).isLessThan(limitBytes);
            for (int i = 0; i < clients; i += 20) {
                int pages = 0;
                while (pages < requests) {
                    pages += slow.get(i).skipMessage() == 'd' ? 1 : 0;
                }
            }
        } finally {
            for (RawPageClient client : slow) {
                client.close();
            }
        }
        assertStillServes();
    }

    private void pagesOfAGoodClient(int count) throws Exception {
        try (PageClient client = RememberedPages.connect(pageserver, loops, ID)) {
            for (int i = 0; i < count; i++) {
                client.ask(new PageRequest.GetPage(LATEST, RELATION, i % 10), PATIENCE);
            }
        }
    }

    private long residentBytes() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/" + pageserver.pid() + "/status"))) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                    .findFirst()
                    .orElseThrow();
        }
    }
}
