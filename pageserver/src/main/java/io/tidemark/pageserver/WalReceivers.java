package io.tidemark.pageserver;

import io.tidemark.pageserver.metrics.PageserverMetrics;
import io.tidemark.pageserver.receiver.Connections;
import io.tidemark.pageserver.receiver.WalReceiver;
import io.tidemark.pageserver.receiver.WalReceiverConfig;
import io.tidemark.pageserver.receiver.WalReceiverMetrics;
import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.pageserver.timeline.TimelineIngest;
import io.tidemark.pageserver.timeline.TimelineRegistry;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.runtime.time.TimeSource;
import io.tidemark.wire.id.TenantTimelineId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Brings each timeline its WAL: one receiver per timeline, all from the same safekeepers. */
final class WalReceivers implements TimelineRegistry.Companion {
    private final List<HostPort> safekeepers;
    private final @Nullable String token;
    private final Connections connections;
    private final WalReceiverMetrics metrics;
    private final Map<TenantTimelineId, WalReceiver> receivers = new ConcurrentHashMap<>();

    WalReceivers(List<HostPort> safekeepers, Optional<String> token, EventLoops loops, PageserverMetrics metrics) {
        this.safekeepers = safekeepers;
        this.token = token.orElse(null);
        this.connections = new Connections(loops);
        this.metrics = new WalReceiverMetrics(metrics.registry());
    }

    @Override
    public void opened(Timeline timeline) {
        if (safekeepers.isEmpty()) {
            timeline.ingestedBy(() -> "no safekeepers are configured (--safekeepers)", () -> {});
            return;
        }
        WalReceiver receiver = new WalReceiver(
                new TimelineIngest(timeline, TimeSource.system()),
                () -> safekeepers,
                connections,
                token,
                WalReceiverConfig.DEFAULT,
                metrics);
        receivers.put(timeline.metadata().id(), receiver);
        timeline.ingestedBy(() -> status(receiver), receiver::nudge);
    }

    private String status(WalReceiver receiver) {
        HostPort from = receiver.currentSafekeeper();
        if (from != null) {
            return "streaming from " + from;
        }
        return receiver.isUnwritten() ? "nothing was written yet" : "connecting to " + safekeepers;
    }

    @Override
    public void closing(Timeline timeline) {
        WalReceiver receiver = receivers.remove(timeline.metadata().id());
        if (receiver != null) {
            receiver.close();
        }
    }
}
