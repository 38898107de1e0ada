package io.tidemark.safekeeper.metrics;

import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.tidemark.runtime.http.HttpMetrics;
import java.io.IOException;
import java.io.OutputStream;
import java.util.function.Consumer;

/** The metrics of one safekeeper process. Thread-safe. Names start with {@code safekeeper_}, times are in seconds. */
public final class SafekeeperMetrics implements HttpMetrics {
    private static final double[] SECONDS = {
        0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 10
    };
    private static final double[] BYTES = {128, 1024, 8192, 16_384, 65_536, 131_072, 262_144, 1_048_576};

    private final PrometheusRegistry registry = new PrometheusRegistry();

    private final Histogram writeWalBytes = histogram("write_wal_bytes", "Bytes per write of WAL", BYTES);
    private final Histogram writeWalSeconds = histogram("write_wal_seconds", "Time per write of WAL", SECONDS);
    private final Histogram flushWalSeconds = histogram("flush_wal_seconds", "Time per fdatasync of WAL", SECONDS);
    private final Histogram persistControlFileSeconds =
            histogram("persist_control_file_seconds", "Time per fdatasync of a control file", SECONDS);
    private final Counter walDiskIoErrors = counter("wal_disk_io_errors", "Failed operations on the disk");
    private final Counter walStorageLimitErrors =
            counter("wal_storage_limit_errors", "Writes that failed because the disk was full");
    private final Counter proposerMessages =
            counter("proposer_acceptor_messages_total", "Messages of proposers, by what they were", "outcome");
    private final Counter refusals = counter("refusals_total", "Refused connections and messages, by reason", "reason");
    private final Counter alarms = counter("alarms_total", "Things that can't happen in a healthy cluster");
    private final Gauge walReceivers = gauge("wal_receivers", "Proposer connections");
    private final Gauge walReaders = gauge("wal_readers", "Connections that read WAL", "kind", "target");
    private final Counter pgIoBytes = counter("pg_io_bytes_total", "Bytes on the PostgreSQL port", "dir");
    private final Counter pgQueriesReceived = counter("pg_queries_received_total", "Commands received", "query");
    private final Counter pgQueriesFinished = counter("pg_queries_finished_total", "Commands finished", "query");
    private final Counter receivedPsFeedbacks = counter("received_ps_feedbacks_total", "Pageserver feedbacks received");
    private final Counter walReadBytes = counter("wal_read_bytes_total", "WAL bytes sent to readers");
    private final Counter httpRequests = counter("http_requests_total", "HTTP requests, by status", "status");

    private final CounterDataPoint bytesRead = pgIoBytes.labelValues("rx");
    private final CounterDataPoint bytesWritten = pgIoBytes.labelValues("tx");

    private Counter counter(String name, String help, String... labels) {
        return Counter.builder()
                .name("safekeeper_" + name)
                .help(help)
                .labelNames(labels)
                .withoutExemplars()
                .register(registry);
    }

    private Gauge gauge(String name, String help, String... labels) {
        return Gauge.builder()
                .name("safekeeper_" + name)
                .help(help)
                .labelNames(labels)
                .withoutExemplars()
                .register(registry);
    }

    private Histogram histogram(String name, String help, double[] bounds) {
        return Histogram.builder()
                .name("safekeeper_" + name)
                .help(help)
                .classicOnly()
                .classicUpperBounds(bounds)
                .withoutExemplars()
                .register(registry);
    }

    /** A gauge whose values are asked for at each scrape: the function calls the sink once per label set. */
    public void gaugeOnScrape(String name, String help, Consumer<GaugeSink> values, String... labels) {
        GaugeWithCallback.builder()
                .name("safekeeper_" + name)
                .help(help)
                .labelNames(labels)
                .callback(callback -> values.accept(callback::call))
                .register(registry);
    }

    /** Takes the values of a gauge at scrape time. */
    @FunctionalInterface
    public interface GaugeSink {
        void set(double value, String... labelValues);
    }

    public void walWritten(long bytes, double seconds) {
        writeWalBytes.observe((double) bytes);
        writeWalSeconds.observe(seconds);
    }

    public void walFlushed(double seconds) {
        flushWalSeconds.observe(seconds);
    }

    public void controlFilePersisted(double seconds) {
        persistControlFileSeconds.observe(seconds);
    }

    public void diskFailed() {
        walDiskIoErrors.inc();
    }

    public void diskWasFull() {
        walStorageLimitErrors.inc();
    }

    /** {@code outcome}: greeting, vote, elected, append or heartbeat. */
    public void proposerMessage(String outcome) {
        proposerMessages.labelValues(outcome).inc();
    }

    /** {@code reason}: the name of a {@code Refusal}, or one of the edge's own reasons. */
    @Override
    public void refused(String reason) {
        refusals.labelValues(reason).inc();
    }

    public double refusedCount(String reason) {
        return refusals.labelValues(reason).get();
    }

    public void alarm() {
        alarms.inc();
    }

    /** {@code change}: 1 for a new proposer connection, -1 for one that is gone. */
    public void walReceivers(int change) {
        walReceivers.inc(change);
    }

    /** {@code kind}: committed or term; {@code target}: pageserver, standby or receivewal. */
    public void walReaders(String kind, String target, int change) {
        walReaders.labelValues(kind, target).inc(change);
    }

    public void walRead(long bytes) {
        walReadBytes.inc(bytes);
    }

    public void bytesRead(long bytes) {
        bytesRead.inc(bytes);
    }

    public void bytesWritten(long bytes) {
        bytesWritten.inc(bytes);
    }

    /** {@code query}: the name of a known command, or "other"; never text of the peer. */
    public void queryReceived(String query) {
        pgQueriesReceived.labelValues(query).inc();
    }

    public void queryFinished(String query) {
        pgQueriesFinished.labelValues(query).inc();
    }

    public void pageserverFeedback() {
        receivedPsFeedbacks.inc();
    }

    @Override
    public void httpRequest(int status) {
        httpRequests.labelValues(Integer.toString(status)).inc();
    }

    /** Writes everything in Prometheus' text format 0.0.4, UTF-8. */
    public void writeText(OutputStream out) throws IOException {
        PrometheusTextFormatWriter.create().write(out, registry.scrape());
    }
}
