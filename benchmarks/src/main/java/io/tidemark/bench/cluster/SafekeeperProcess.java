package io.tidemark.bench.cluster;

import io.tidemark.cli.cluster.JvmCommand;
import io.tidemark.cli.cluster.SafekeeperProbe;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
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
import java.util.List;
import java.util.concurrent.TimeUnit;

/** One safekeeper, started with the flags and in the way of {@code tidemark start}; stopped when closed. */
public final class SafekeeperProcess implements AutoCloseable {
    private static final String LOOPBACK = "127.0.0.1";
    private static final Duration START_DEADLINE = Duration.ofSeconds(60);
    private static final Duration POLL = Duration.ofMillis(50);
    private static final int STOP_SECONDS = 20;

    private final Process process;
    private final int pgPort;
    private final int httpPort;
    private final HttpClient http = HttpClient.newHttpClient();

    private SafekeeperProcess(Process process, int pgPort, int httpPort) {
        this.process = process;
        this.pgPort = pgPort;
        this.httpPort = httpPort;
    }

    /**
     * Starts one and waits until it answers.
     *
     * @param dataDir its log is a file beside it
     */
    public static SafekeeperProcess start(Path dataDir) throws IOException, InterruptedException {
        int pgPort = freePort();
        int httpPort = freePort();
        List<String> command = JvmCommand.of(
                "safekeeper",
                List.of(
                        "--id=1",
                        "--data-dir=" + dataDir,
                        "--listen-pg=" + LOOPBACK + ":" + pgPort,
                        "--listen-http=" + LOOPBACK + ":" + httpPort));
        Path log = dataDir.resolveSibling(dataDir.getFileName() + ".log");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        SafekeeperProcess started = new SafekeeperProcess(process, pgPort, httpPort);
        SafekeeperProbe probe = new SafekeeperProbe(LOOPBACK + ":" + httpPort);
        long deadline = System.nanoTime() + START_DEADLINE.toNanos();
        while (!probe.isUp()) {
            if (!process.isAlive() || System.nanoTime() > deadline) {
                started.close();
                throw new IOException("the safekeeper does not answer; its log: " + log);
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

    public long pid() {
        return process.pid();
    }

    public String host() {
        return LOOPBACK;
    }

    public int pgPort() {
        return pgPort;
    }

    /** Makes an empty timeline of PostgreSQL 15. */
    public void createTimeline(TenantTimelineId id, Lsn startLsn, SystemId systemId)
            throws IOException, InterruptedException {
        String body = """
                {"tenant_id":"%s","timeline_id":"%s","mconf":{"generation":1,"members":[{"id":1,"host":"%s","pg_port":%d}],
                "new_members":null},"pg_version":150000,"system_id":%s,"wal_seg_size":16777216,"start_lsn":"%s"}""".formatted(id.tenantId(), id.timelineId(), LOOPBACK, pgPort, systemId, startLsn);
        send(request("/v1/tenant/timeline")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body)));
    }

    /** Deletes a timeline and its files. */
    public void deleteTimeline(TenantTimelineId id) throws IOException, InterruptedException {
        send(request("/v1/tenant/" + id.tenantId() + "/timeline/" + id.timelineId())
                .DELETE());
    }

    /** The value of a metric without labels, as {@code /metrics} shows it. */
    public double metric(String name) throws IOException, InterruptedException {
        return send(request("/metrics").GET())
                .lines()
                .filter(line -> line.startsWith(name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
                .findFirst()
                .orElse(0);
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
    public void close() throws IOException {
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
