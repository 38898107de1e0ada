package io.tidemark.cli.storage;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import tools.jackson.databind.json.JsonMapper;

/**
 * The directory of a storage cluster whose pageserver and three safekeepers are HTTP servers that answer what a test wants, and write down
 * what they were asked. They accept every timeline; nobody listens to WAL.
 */
final class FakeStorage implements AutoCloseable {
    private static final String TENANT = "00000000000000010000000000000002";

    final StorageDirectory directory;
    final List<Safekeeper> safekeepers = new ArrayList<>();
    private final HttpServer pageserver;
    /** {@code METHOD}, in the order in which they came. */
    final List<String> pageserverAsked = new CopyOnWriteArrayList<>();

    private final Set<String> timelines = ConcurrentHashMap.newKeySet();
    volatile Lsn lastRecordLsn = Lsn.of(0x1000);
    /** Of a request for a branch; 0: the connection ends without an answer, and nothing is made. */
    volatile int creationStatus = 201;

    FakeStorage(Path root) throws IOException {
        this.pageserver = serve(this::pageserver);
        List<SafekeeperPlace> places = new ArrayList<>();
        for (int id = 1; id <= 3; id++) {
            Safekeeper safekeeper = new Safekeeper();
            safekeepers.add(safekeeper);
            places.add(new SafekeeperPlace(
                    id,
                    safekeeper.wal.getLocalPort(),
                    safekeeper.http.getAddress().getPort()));
        }
        StorageConfig config = new StorageConfig(
                TENANT, 17, "", places, 1, pageserver.getAddress().getPort());
        Files.writeString(root.resolve("storage.json"), JsonMapper.shared().writeValueAsString(config));
        directory = StorageDirectory.open(root);
    }

    private interface Answering {
        void answer(HttpExchange exchange) throws IOException;
    }

    private static HttpServer serve(Answering answering) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", answering::answer);
        server.start();
        return server;
    }

    private static void reply(HttpExchange exchange, int status, String json) throws IOException {
        byte[] bytes = json.getBytes(UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    /** A branch that the catalogue and the pageserver have. */
    Branch branch(String name) throws IOException {
        Branch branch = new Branch(name, StorageDirectory.newTimelineId().toString(), 17, 0);
        directory.branches().add(branch);
        timelines.add(branch.timeline());
        return branch;
    }

    /** The timelines that are written down. */
    List<Path> unnamed() throws IOException {
        Path dir = directory.layout().unnamedDir();
        if (!Files.exists(dir)) {
            return List.of();
        }
        try (var files = Files.list(dir)) {
            return files.toList();
        }
    }

    private void pageserver(HttpExchange exchange) throws IOException {
        String method = exchange.getRequestMethod();
        pageserverAsked.add(method);
        String id = exchange.getRequestURI().getPath().replaceFirst(".*/", "");
        switch (method) {
            case "GET" -> reply(exchange, timelines.contains(id) ? 200 : 404, info(id));
            case "DELETE" -> reply(exchange, timelines.remove(id) ? 202 : 404, "{}");
            default -> create(exchange);
        }
    }

    private void create(HttpExchange exchange) throws IOException {
        var body = JsonMapper.shared().readTree(exchange.getRequestBody().readAllBytes());
        String id = body.path("new_timeline_id").asString("");
        if (creationStatus == 0) {
            exchange.close();
        } else if (creationStatus == 201) {
            timelines.add(id);
            reply(exchange, 201, info(id));
        } else {
            reply(exchange, creationStatus, "{\"msg\":\"as the test wants\"}");
        }
    }

    private String info(String id) {
        return "{\"timeline_id\":\"%s\",\"last_record_lsn\":\"%s\",\"prev_record_lsn\":\"0/0\",\"min_readable_lsn\":\"0/8\"}"
                .formatted(id, lastRecordLsn);
    }

    @Override
    public void close() throws IOException {
        pageserver.stop(0);
        for (Safekeeper safekeeper : safekeepers) {
            safekeeper.http.stop(0);
            safekeeper.wal.close();
        }
    }

    /** One that has, or has not, WAL of every timeline. */
    static final class Safekeeper {
        private final HttpServer http;
        /** The port to which WAL is pushed. Who connects is not answered. */
        final ServerSocket wal = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());

        /** {@code METHOD}, in the order in which they came. */
        final List<String> asked = new CopyOnWriteArrayList<>();

        volatile boolean silent;
        volatile Lsn flushLsn = Lsn.INVALID;
        volatile Lsn commitLsn = Lsn.INVALID;
        volatile int writers;

        private Safekeeper() throws IOException {
            http = serve(this::answer);
        }

        private void answer(HttpExchange exchange) throws IOException {
            asked.add(exchange.getRequestMethod());
            if (silent) {
                exchange.close();
            } else if (exchange.getRequestMethod().equals("DELETE")) {
                reply(exchange, 200, "{}");
            } else if (flushLsn.isValid()) {
                reply(exchange, 200, status());
            } else {
                reply(exchange, 404, "{}");
            }
        }

        private String status() {
            String receivers = "{},".repeat(writers).replaceFirst(",$", "");
            return ("{\"acceptor_state\":{\"term\":1,\"epoch\":1},\"flush_lsn\":\"%s\",\"commit_lsn\":\"%s\","
                            + "\"timeline_start_lsn\":\"0/8\",\"local_start_lsn\":\"0/8\",\"walreceivers\":[%s]}")
                    .formatted(flushLsn, commitLsn, receivers);
        }
    }
}
