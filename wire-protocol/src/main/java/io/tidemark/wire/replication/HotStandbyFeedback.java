package io.tidemark.wire.replication;

/**
 * What hot standbys need kept, aggregated: the oldest xmin and catalog xmin.
 *
 * @param timestampMicros microseconds since 2000-01-01 UTC; 0 when there is none
 * @param xmin full transaction id ({@code epoch << 32 | xid}); 0 is "none"
 * @param catalogXmin full transaction id; 0 is "none"
 */
public record HotStandbyFeedback(long timestampMicros, long xmin, long catalogXmin) {
    public static final HotStandbyFeedback NONE = new HotStandbyFeedback(0, 0, 0);
}
