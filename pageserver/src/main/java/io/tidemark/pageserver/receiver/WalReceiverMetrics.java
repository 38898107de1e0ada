package io.tidemark.pageserver.receiver;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.model.registry.PrometheusRegistry;

/** What all WAL receivers of a pageserver have done. Thread-safe. */
public final class WalReceiverMetrics {
    private final Counter startedConnections;
    private final Counter endedConnections;
    private final Counter receivedBytes;
    private final Counter receivedRecords;
    private final Counter refusedRecords;
    private final Gauge active;

    /** @param registry where they are registered, once */
    public WalReceiverMetrics(PrometheusRegistry registry) {
        startedConnections = Counter.builder()
                .name("pageserver_walreceiver_started_connections_total")
                .help("Replication streams that were started")
                .register(registry);
        endedConnections = Counter.builder()
                .name("pageserver_walreceiver_ended_connections_total")
                .help("Replication streams that ended, by why")
                .labelNames("reason")
                .register(registry);
        receivedBytes = Counter.builder()
                .name("pageserver_wal_ingest_bytes_received_total")
                .help("Bytes of WAL received from safekeepers")
                .register(registry);
        receivedRecords = Counter.builder()
                .name("pageserver_wal_ingest_records_received_total")
                .help("WAL records received from safekeepers and ingested")
                .register(registry);
        refusedRecords = Counter.builder()
                .name("pageserver_wal_ingest_refused_total")
                .help("Timelines that stand still because of a record, by why")
                .labelNames("reason")
                .register(registry);
        active = Gauge.builder()
                .name("pageserver_walreceiver_active")
                .help("Replication streams that are open")
                .register(registry);
    }

    void started() {
        startedConnections.inc();
        active.inc();
    }

    void ended(String reason) {
        endedConnections.labelValues(reason).inc();
        active.dec();
    }

    void received(long bytes, long records) {
        receivedBytes.inc(bytes);
        receivedRecords.inc(records);
    }

    void refused(String reason) {
        refusedRecords.labelValues(reason).inc();
    }
}
