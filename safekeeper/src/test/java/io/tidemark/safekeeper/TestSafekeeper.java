package io.tidemark.safekeeper;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.wire.client.PgClient;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.client.PgConnection;
import io.tidemark.wire.client.QueryResult;
import io.tidemark.wire.frame.StartupOptions;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A safekeeper on free ports with a real disk, and clients for it. */
public final class TestSafekeeper implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Path directory;
    private final EventLoopGroup clients = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final HttpClient http = HttpClient.newHttpClient();
    private final UnaryOperator<SafekeeperConfig> settings;
    private SafekeeperServer server;

    public TestSafekeeper(Path directory) throws IOException {
        this(directory, UnaryOperator.identity());
    }

    /** With other settings than the defaults. */
    public TestSafekeeper(Path directory, UnaryOperator<SafekeeperConfig> settings) throws IOException {
        this.directory = directory;
        this.settings = settings;
        this.server = SafekeeperServer.start(config(1));
    }

    public SafekeeperConfig config(long id) {
        return settings.apply(SafekeeperConfig.of(new NodeId(id), directory)
                .listeningOn(new HostPort("127.0.0.1", 0), new HostPort("127.0.0.1", 0)));
    }

    public SafekeeperServer server() {
        return server;
    }

    public Path directory() {
        return directory;
    }

    public Path directoryOf(TenantTimelineId ttid) {
        return directory
                .resolve(ttid.tenantId().toString())
                .resolve(ttid.timelineId().toString());
    }

    public void stop() {
        server.close();
    }

    public void restart() throws IOException {
        server.close();
        server = SafekeeperServer.start(config(1));
    }

    /** A timeline id that only this number has. */
    public static TenantTimelineId ttid(int number) {
        return new TenantTimelineId(new TenantId(0x1111, number), new TimelineId(0x2222, number));
    }

    public PgConnection connect(TenantTimelineId ttid, String applicationName) throws Exception {
        return connect(ttid, applicationName, "");
    }

    /** The same with further startup options behind the ids. */
    public PgConnection connect(TenantTimelineId ttid, String applicationName, String furtherOptions) throws Exception {
        PgClientConfig config = PgClientConfig.of(
                        "127.0.0.1", server.pgAddress().getPort(), "test")
                .withParameter("options", StartupOptions.naming(ttid) + furtherOptions)
                .withParameter("application_name", applicationName);
        return await(PgClient.connect(new Bootstrap().group(clients).channel(NioSocketChannel.class), config));
    }

    /** A connection that names no timeline. */
    public PgConnection connect() throws Exception {
        PgClientConfig config =
                PgClientConfig.of("127.0.0.1", server.pgAddress().getPort(), "test");
        return await(PgClient.connect(new Bootstrap().group(clients).channel(NioSocketChannel.class), config));
    }

    public QueryResult query(TenantTimelineId ttid, String sql) throws Exception {
        PgConnection connection = connect(ttid, "");
        try {
            return await(connection.query(sql));
        } finally {
            connection.close();
        }
    }

    /** The JSON that a request is answered with, whatever its status. */
    public JsonNode http(int expectedStatus, String method, String path, String body) throws Exception {
        HttpResponse<String> response = request(method, path, body);
        if (response.statusCode() != expectedStatus) {
            throw new AssertionError(method + " " + path + " answered " + response.statusCode() + ", not "
                    + expectedStatus + ": " + response.body());
        }
        return JSON.readTree(response.body());
    }

    public HttpResponse<String> request(String method, String path, String body) throws Exception {
        URI uri = URI.create("http://127.0.0.1:" + server.httpAddress().getPort() + path);
        HttpRequest request = HttpRequest.newBuilder(uri)
                .method(method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
                .build();
        return http.send(request, BodyHandlers.ofString());
    }

    /** The value of a counter or gauge as /metrics shows it; 0 when it is not there. */
    public double metric(String nameAndLabels) throws Exception {
        for (String line : request("GET", "/metrics", "").body().lines().toList()) {
            if (line.startsWith(nameAndLabels + " ")) {
                return Double.parseDouble(line.substring(nameAndLabels.length() + 1));
            }
        }
        return 0;
    }

    public static String path(TenantTimelineId ttid) {
        return "/v1/tenant/" + ttid.tenantId() + "/timeline/" + ttid.timelineId();
    }

    /** Waits at most 20 seconds, and throws what the future failed with. */
    public static <T> T await(CompletableFuture<T> future) throws Exception {
        try {
            return future.get(20, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }

    @Override
    public void close() {
        http.close();
        server.close();
        clients.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
