package io.tidemark.bench.cluster;

import io.tidemark.cli.cluster.JvmCommand;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** One pageserver, started with the flags that {@code tidemark pageserver} has; stopped when closed. */
public final class PageserverProcess implements AutoCloseable {
    private static final String LOOPBACK = "127.0.0.1";
    private static final Duration START_DEADLINE = Duration.ofMinutes(2);
    private static final Duration INGEST_DEADLINE = Duration.ofHours(1);
    private static final Duration POLL = Duration.ofMillis(20);
    private static final int STOP_SECONDS = 60;

    private final Process process;
    private final int pgPort;
    private final int httpPort;
    private final HttpClient http = HttpClient.newHttpClient();

    private PageserverProcess(Process process, int pgPort, int httpPort) {
        this.process = process;
        this.pgPort = pgPort;
        this.httpPort = httpPort;
    }

    /**
     * Starts one and waits until it answers.
     *
     * @param dataDir its log is a file beside it
     * @param arguments further ones
     */
    public static PageserverProcess start(Path dataDir, List<String> arguments)
            throws IOException, InterruptedException {
        int pgPort = freePort();
        int httpPort = freePort();
        List<String> options = new ArrayList<>(List.of(
                "--data-dir=" + dataDir,
                "--listen-pg=" + LOOPBACK + ":" + pgPort,
                "--listen-http=" + LOOPBACK + ":" + httpPort,
                "--gc-period=0"));
        options.addAll(arguments);
        Path log = dataDir.resolveSibling(dataDir.getFileName() + ".log");
        Process process = new ProcessBuilder(JvmCommand.of("pageserver", options))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        PageserverProcess started = new PageserverProcess(process, pgPort, httpPort);
        long deadline = System.nanoTime() + START_DEADLINE.toNanos();
        while (!started.isUp()) {
            if (!process.isAlive() || System.nanoTime() > deadline) {
                started.close();
                throw new IOException("the pageserver does not answer; its log: " + log);
            }
            Thread.sleep(POLL);
        }
        return started;
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.ofLiteral(LOOPBACK))) {
            return socket.getLocalPort();
        }
    }

    private boolean isUp() throws InterruptedException {
        try {
            send(request("/health").GET());
            return true;
        } catch (IOException notYet) {
            return false;
        }
    }

    public long pid() {
        return process.pid();
    }

    public int pgPort() {
        return pgPort;
    }

    /** Makes a timeline from the data directory of a server that was shut down. */
    public void importTimeline(TenantTimelineId id, Path dataDir) throws IOException, InterruptedException {
        String body = """
                {"new_timeline_id":"%s","import_pgdata":{"location":{"LocalFs":{"path":"%s"}}}}""".formatted(id.timelineId(), dataDir);
        send(request("/v1/tenant/" + id.tenantId() + "/timeline").POST(BodyPublishers.ofString(body)));
    }

    /** Forgets a timeline, and deletes its files. */
    public void delete(TenantTimelineId id) throws IOException, InterruptedException {
        send(request(path(id)).DELETE());
    }

    /** What is known of a timeline. */
    public JsonNode timeline(TenantTimelineId id) throws IOException, InterruptedException {
        return JsonMapper.shared().readTree(send(request(path(id)).GET()));
    }

    /** Waits until everything before {@code lsn} can be read. */
    public void awaitIngested(TenantTimelineId id, Lsn lsn) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + INGEST_DEADLINE.toNanos();
        JsonNode now = timeline(id);
        while (Lsn.parse(now.path("last_record_lsn").asString()).isBefore(lsn)) {
            if (System.nanoTime() > deadline || !process.isAlive()) {
                throw new IOException("the pageserver does not reach " + lsn + ": " + now);
            }
            Thread.sleep(POLL);
            now = timeline(id);
        }
    }

    /** Makes durable what has been ingested. */
    public void checkpoint(TenantTimelineId id) throws IOException, InterruptedException {
        send(request(path(id) + "/checkpoint").PUT(BodyPublishers.noBody()));
    }

    /** Compacts all of it: L0 and every partition. */
    public void compact(TenantTimelineId id) throws IOException, InterruptedException {
        send(request(path(id) + "/compact?force_image_layer_creation=true").PUT(BodyPublishers.noBody()));
    }

    private static String path(TenantTimelineId id) {
        return "/v1/tenant/" + id.tenantId() + "/timeline/" + id.timelineId();
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("http://" + LOOPBACK + ":" + httpPort + path));
    }

    private String send(HttpRequest.Builder request) throws IOException, InterruptedException {
        HttpResponse<String> response = http.send(request.build(), BodyHandlers.ofString());
        if (response.statusCode() / 100 != 2) {
            throw new IOException(
                    response.request().uri() + " answered " + response.statusCode() + ": " + response.body());
        }
        return response.body();
    }

    @Override
    public void close() {
        http.close();
        process.destroy();
        try {
            if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
