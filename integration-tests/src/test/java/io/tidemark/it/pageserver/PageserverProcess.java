package io.tidemark.it.pageserver;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;

import io.tidemark.cli.cluster.JvmCommand;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A pageserver in a process of its own, which can be killed and started again on the same data and ports. */
final class PageserverProcess implements AutoCloseable {
    private static final Duration START_DEADLINE = Duration.ofSeconds(60);
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Path dataDir;
    private final Path log;
    private final List<HostPort> safekeepers;
    private final List<String> arguments;
    private final int pgPort;
    private final int httpPort;
    private final HttpClient http = HttpClient.newHttpClient();
    private @Nullable Process process;

    /**
     * Not running yet.
     *
     * @param arguments further ones of {@code tidemark pageserver}
     */
    PageserverProcess(Path scratch, List<HostPort> safekeepers, String... arguments) throws IOException {
        this.dataDir = scratch.resolve("pageserver");
        this.log = scratch.resolve("pageserver.log");
        this.safekeepers = safekeepers;
        this.arguments = List.of(arguments);
        try (ServerSocket one = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            this.pgPort = one.getLocalPort();
            this.httpPort = other.getLocalPort();
        }
    }

    Path dataDir() {
        return dataDir;
    }

    int pgPort() {
        return pgPort;
    }

    long pid() {
        return running().pid();
    }

    private Process running() {
        Process started = process;
        if (started == null) {
            throw new IllegalStateException("it does not run");
        }
        return started;
    }

    /** Starts it and waits until it answers. */
    void start() throws IOException {
        List<String> options = new ArrayList<>(List.of(
                "--data-dir=" + dataDir,
                "--listen-pg=127.0.0.1:" + pgPort,
                "--listen-http=127.0.0.1:" + httpPort,
                "--gc-period=0",
                "--safekeepers="
                        + String.join(
                                ",",
                                safekeepers.stream().map(HostPort::toString).toList())));
        options.addAll(arguments);
        Process started = new ProcessBuilder(JvmCommand.of("pageserver", options))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        process = started;
        await("the pageserver answers").atMost(START_DEADLINE).until(() -> {
            if (!started.isAlive()) {
                throw new IOException("the pageserver has ended: " + log());
            }
            return answers();
        });
    }

    private boolean answers() throws InterruptedException {
        try {
            return request("GET", "/health", "").statusCode() == 200;
        } catch (IOException notYet) {
            return false;
        }
    }

    boolean isAlive() {
        return running().isAlive();
    }

    /** {@code kill -9}. */
    void kill() throws InterruptedException {
        Process victim = running();
        victim.destroyForcibly();
        victim.waitFor();
        process = null;
    }

    /** What it wrote. */
    String log() throws IOException {
        return Files.readString(log, UTF_8);
    }

    HttpResponse<String> request(String method, String path, String body) throws IOException, InterruptedException {
        return http.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + httpPort + path))
                        .timeout(Duration.ofMinutes(2))
                        .method(method, HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    /** A successful answer's JSON. */
    JsonNode json(String method, String path, String body) throws IOException, InterruptedException {
        HttpResponse<String> response = request(method, path, body);
        if (response.statusCode() / 100 != 2) {
            throw new IOException(method + " " + path + ": " + response.statusCode() + " " + response.body());
        }
        return JSON.readTree(response.body());
    }

    static String path(TenantTimelineId id) {
        return "/v1/tenant/" + id.tenantId() + "/timeline/" + id.timelineId();
    }

    /** Makes a timeline from the data directory of a server that was shut down. */
    void importDataDirectory(TenantTimelineId id, Path directory) throws IOException, InterruptedException {
        json(
                "POST",
                "/v1/tenant/" + id.tenantId() + "/timeline",
                "{\"new_timeline_id\":\"" + id.timelineId()
                        + "\",\"import_pgdata\":{\"location\":{\"LocalFs\":{\"path\":\"" + directory + "\"}}}}");
    }

    JsonNode timeline(TenantTimelineId id) throws IOException, InterruptedException {
        return json("GET", path(id), "");
    }

    Lsn lastRecordLsn(TenantTimelineId id) throws IOException, InterruptedException {
        return Lsn.parse(timeline(id).path("last_record_lsn").asString());
    }

    /** A value at {@code /metrics}; 0 when there is none yet. */
    double metric(String name) throws IOException, InterruptedException {
        return metric(request("GET", "/metrics", "").body(), name);
    }

    /** One of the answer to /metrics; 0 when it is not there. */
    static double metric(String metrics, String name) {
        return metrics.lines()
                .filter(line -> line.startsWith(name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
                .findFirst()
                .orElse(0);
    }

    Path layers(TenantTimelineId id) {
        return dataDir.resolve("tenants")
                .resolve(id.tenantId().toString())
                .resolve("timelines")
                .resolve(id.timelineId().toString())
                .resolve("layers");
    }

    @Override
    public void close() throws IOException {
        Process left = process;
        if (left != null) {
            left.destroy();
            try {
                if (!left.waitFor(20, TimeUnit.SECONDS)) {
                    left.destroyForcibly();
                }
            } catch (InterruptedException e) {
                left.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
        http.close();
        Path kept = Path.of("target", "pageserver.log");
        if (Files.exists(log) && Files.isDirectory(kept.toAbsolutePath().getParent())) {
            Files.copy(log, kept, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
