package io.tidemark.safekeeper.timeline;

import io.tidemark.wire.replication.HotStandbyFeedback;
import java.util.Collection;

/** What all standbys of a timeline together need kept. */
final class HotStandbyAggregate {
    private HotStandbyAggregate() {}

    /** The least xmin and catalog_xmin of those that have one (0 is "none"), and the latest timestamp. */
    static HotStandbyFeedback of(Collection<ReaderFeedback> readers) {
        long timestamp = 0;
        long xmin = 0;
        long catalogXmin = 0;
        for (ReaderFeedback reader : readers) {
            if (reader instanceof ReaderFeedback.OfStandby standby) {
                HotStandbyFeedback feedback = standby.hotStandby();
                timestamp = Math.max(timestamp, feedback.timestampMicros());
                xmin = leastNonZero(xmin, feedback.xmin());
                catalogXmin = leastNonZero(catalogXmin, feedback.catalogXmin());
            }
        }
        return new HotStandbyFeedback(timestamp, xmin, catalogXmin);
    }

    private static long leastNonZero(long a, long b) {
        if (a == 0 || b == 0) {
            return a == 0 ? b : a;
        }
        return Long.compareUnsigned(a, b) <= 0 ? a : b;
    }
}
