package io.tidemark.pageserver.compaction;

import java.time.Duration;

/**
 * When compaction does what.
 *
 * @param l0Threshold with this many L0 files they are moved into the partitions
 * @param l0BatchBytes how much of L0 is moved at once, in bytes of files; at least one file
 * @param targetFileBytes a file is ended at the next border of a partition once it is this long; a partition is cut at twice this
 * @param stackThreshold this many layers of similar size on top of a stack are merged into one
 * @param maxStack a stack with more layers is merged whatever their sizes
 * @param imageChainVersions a key gets an image when its chain has this many versions that need another
 * @param imageChainBytes or when they are this long together
 * @param garbagePercent a partition is merged whole when about this much of it is garbage
 * @param cpuPercent how much of one core it may use while L0 is not far above its threshold
 * @param idlePeriod how often it looks when nobody wakes it
 */
public record CompactionConfig(
        int l0Threshold,
        long l0BatchBytes,
        long targetFileBytes,
        int stackThreshold,
        int maxStack,
        int imageChainVersions,
        long imageChainBytes,
        int garbagePercent,
        int cpuPercent,
        Duration idlePeriod) {

    /** Eight L0 files, files of 64 MiB, images behind 24 records or 32 KiB. */
    public static final CompactionConfig DEFAULT =
            new CompactionConfig(8, 1L << 30, 64L << 20, 4, 12, 24, 32 << 10, 40, 50, Duration.ofSeconds(20));

    /** The same for files of another size, and with all of a core. */
    public CompactionConfig ofSize(long bytes) {
        return new CompactionConfig(
                l0Threshold,
                16 * bytes,
                bytes,
                stackThreshold,
                maxStack,
                imageChainVersions,
                imageChainBytes,
                garbagePercent,
                100,
                idlePeriod);
    }

    public CompactionConfig {
        boolean sane = l0Threshold > 0
                && l0BatchBytes > 0
                && targetFileBytes > 0
                && stackThreshold > 1
                && maxStack >= stackThreshold
                && imageChainVersions > 0
                && imageChainBytes > 0
                && garbagePercent > 0
                && garbagePercent <= 100
                && cpuPercent > 0
                && cpuPercent <= 100
                && idlePeriod.isPositive();
        if (!sane) {
            throw new IllegalArgumentException("impossible compaction settings: l0Threshold " + l0Threshold
                    + ", l0BatchBytes " + l0BatchBytes + ", targetFileBytes " + targetFileBytes + ", stackThreshold "
                    + stackThreshold + ", maxStack " + maxStack + ", imageChainVersions " + imageChainVersions
                    + ", imageChainBytes " + imageChainBytes + ", garbagePercent " + garbagePercent + ", cpuPercent "
                    + cpuPercent + ", idlePeriod " + idlePeriod);
        }
    }
}
