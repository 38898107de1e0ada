package io.tidemark.pageserver.metrics;

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
import java.util.function.DoubleSupplier;

/** The counters of one pageserver. From any thread. */
public final class PageserverMetrics implements HttpMetrics {
    private final PrometheusRegistry registry = new PrometheusRegistry();

    private final Counter refusals = counter("refused_total", "Requests and connections refused, by reason", "reason");
    private final Counter alarms = counter("read_errors_total", "Reads that met damaged data");
    private final Counter requests = counter("smgr_query_total", "Page service requests, by kind", "smgr_query_type");
    private final Counter httpRequests = counter("http_requests_total", "HTTP requests, by status", "status");
    private final Gauge connections = Gauge.builder()
            .name("pageserver_live_connections")
            .help("Page service connections that are open")
            .register(registry);
    private final Histogram getPageSeconds = Histogram.builder()
            .name("pageserver_getpage_reconstruct_seconds")
            .help("Time to answer a GetPage once its LSN has arrived, in seconds")
            .classicUpperBounds(0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3)
            .classicOnly()
            .register(registry);

    private final CounterDataPoint getPages = requests.labelValues("get_page_at_lsn");

    private Counter counter(String name, String help, String... labels) {
        return Counter.builder()
                .name("pageserver_" + name)
                .help(help)
                .labelNames(labels)
                .register(registry);
    }

    /** Adds a gauge whose value is asked for when metrics are read. */
    public void gauge(String name, String help, DoubleSupplier value) {
        GaugeWithCallback.builder()
                .name("pageserver_" + name)
                .help(help)
                .callback(callback -> callback.call(value.getAsDouble()))
                .register(registry);
    }

    @Override
    public void refused(String reason) {
        refusals.labelValues(reason).inc();
    }

    public double refusedCount(String reason) {
        return refusals.labelValues(reason).get();
    }

    /** A read has met damaged data. */
    public void alarm() {
        alarms.inc();
    }

    public double alarmCount() {
        return alarms.get();
    }

    public void getPage() {
        getPages.inc();
    }

    /** A request other than GetPage; {@code kind} is Neon's name for it. */
    public void request(String kind) {
        requests.labelValues(kind).inc();
    }

    /** A page was answered this long after its LSN had arrived. */
    public void getPageTook(double seconds) {
        getPageSeconds.observe(seconds);
    }

    /** {@code change}: 1 for a new connection, -1 for one that is gone. */
    public void connections(int change) {
        connections.inc(change);
    }

    @Override
    public void httpRequest(int status) {
        httpRequests.labelValues(Integer.toString(status)).inc();
    }

    /** Where others register what they count. */
    public PrometheusRegistry registry() {
        return registry;
    }

    /** Writes everything in Prometheus' text format 0.0.4, UTF-8. */
    public void writeText(OutputStream out) throws IOException {
        PrometheusTextFormatWriter.create().write(out, registry.scrape());
    }
}
