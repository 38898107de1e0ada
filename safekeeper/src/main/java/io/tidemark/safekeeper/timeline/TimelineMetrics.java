package io.tidemark.safekeeper.timeline;

import io.tidemark.safekeeper.metrics.SafekeeperMetrics;
import io.tidemark.wire.replication.PageserverFeedback;
import java.util.function.ToDoubleFunction;

/** Numbers of timelines, read at scrape time. Per timeline only where somebody is connected: an idle one has nothing to say. */
public final class TimelineMetrics {
    private final TimelineRegistry registry;
    private final SafekeeperMetrics metrics;

    private TimelineMetrics(TimelineRegistry registry, SafekeeperMetrics metrics) {
        this.registry = registry;
        this.metrics = metrics;
    }

    public static void register(TimelineRegistry registry, SafekeeperMetrics metrics) {
        TimelineMetrics here = new TimelineMetrics(registry, metrics);
        here.totals();
        here.lsns();
        here.perTimeline(
                "connected_computes",
                "Proposers connected",
                view -> view.proposers().size());
        here.perTimeline("ps_feedback_count_total", "Pageserver feedbacks", TimelineView::pageserverFeedbackCount);
        here.perTimeline("ps_last_received_lsn", "What a pageserver has received", view -> {
            PageserverFeedback feedback = view.lastPageserverFeedback();
            return feedback == null ? 0 : feedback.lastReceivedLsn().value();
        });
    }

    private void totals() {
        metrics.gaugeOnScrape("timelines", "Timelines", sink -> sink.set(registry.count()));
        metrics.gaugeOnScrape(
                "active_timelines",
                "Timelines with somebody connected",
                sink -> sink.set((double) registry.all().stream()
                        .filter(timeline -> isActive(timeline.view()))
                        .count()));
        metrics.gaugeOnScrape(
                "broken_timelines",
                "Timelines that stand still",
                sink -> sink.set((double) registry.all().stream()
                        .filter(timeline -> !timeline.view().isLoaded())
                        .count()));
    }

    private void lsns() {
        perSnapshot(
                "commit_lsn",
                "commit_lsn in memory",
                snapshot -> snapshot.commitLsn().value());
        perSnapshot("flush_lsn", "flush_lsn", snapshot -> snapshot.flushLsn().value());
        perSnapshot("backup_lsn", "backup_lsn", snapshot -> snapshot.backupLsn().value());
        perSnapshot(
                "peer_horizon_lsn",
                "peer_horizon_lsn",
                snapshot -> snapshot.peerHorizonLsn().value());
        perSnapshot(
                "remote_consistent_lsn",
                "remote_consistent_lsn",
                snapshot -> snapshot.remoteConsistentLsn().value());
        perSnapshot("acceptor_term", "term", snapshot -> snapshot.state().term().value());
    }

    private void perSnapshot(String name, String help, ToDoubleFunction<TimelineSnapshot> value) {
        perTimeline(name, help, view -> {
            TimelineSnapshot snapshot = view.snapshot();
            return snapshot == null ? 0 : value.applyAsDouble(snapshot);
        });
    }

    private void perTimeline(String name, String help, ToDoubleFunction<TimelineView> value) {
        metrics.gaugeOnScrape(
                name,
                help,
                sink -> registry.all().stream()
                        .map(Timeline::view)
                        .filter(TimelineMetrics::isActive)
                        .forEach(view -> sink.set(
                                value.applyAsDouble(view),
                                view.ttid().tenantId().toString(),
                                view.ttid().timelineId().toString())),
                "tenant_id",
                "timeline_id");
    }

    private static boolean isActive(TimelineView view) {
        return !view.proposers().isEmpty() || !view.readers().isEmpty();
    }
}
