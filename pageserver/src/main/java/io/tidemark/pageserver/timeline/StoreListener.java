package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.layer.LayerSet;
import io.tidemark.pageserver.layer.LayerStoreListener;
import io.tidemark.pageserver.metrics.PageserverMetrics;
import io.tidemark.wire.id.TenantTimelineId;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells a timeline what its store has to say; there is no timeline yet while the store is opened. */
final class StoreListener implements LayerStoreListener {
    private static final Logger LOG = LoggerFactory.getLogger(StoreListener.class);

    private final TenantTimelineId id;
    private final Function<TenantTimelineId, @Nullable Timeline> timelines;
    private final PageserverMetrics metrics;

    StoreListener(
            TenantTimelineId id, Function<TenantTimelineId, @Nullable Timeline> timelines, PageserverMetrics metrics) {
        this.id = id;
        this.timelines = timelines;
        this.metrics = metrics;
    }

    @Override
    public void layersChanged(LayerSet layers) {
        Timeline timeline = timelines.apply(id);
        if (timeline != null) {
            timeline.layersChanged();
        }
    }

    @Override
    public void failed(Throwable cause) {
        LOG.error("timeline {}: its store has stopped for good; restart to go on from disk_consistent_lsn", id, cause);
        metrics.alarm();
        Timeline timeline = timelines.apply(id);
        if (timeline != null) {
            timeline.fail("the store failed: " + cause.getMessage() + "; restart the pageserver");
        }
    }
}
