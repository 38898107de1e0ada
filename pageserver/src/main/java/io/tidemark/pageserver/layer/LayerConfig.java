package io.tidemark.pageserver.layer;

import java.time.Duration;

/**
 * The sizes of a layer store.
 *
 * @param freezeBytes the open layer is due to be frozen at this size, in bytes of versions
 * @param freezeDistanceBytes or when this much WAL came since the last freeze, so that safekeepers may forget it
 * @param freezeAge or when it has been open this long
 * @param maxOpenBytes the open layer never takes more; between {@code freezeBytes} and this there is room for one batch
 * @param maxFrozen with this many frozen layers in memory the writer waits
 * @param maxL0 with this many L0 files the writer waits for compaction
 * @param blockBytes versions per block of a file, in bytes before compression
 * @param zstdLevel how hard to compress
 */
public record LayerConfig(
        long freezeBytes,
        long freezeDistanceBytes,
        Duration freezeAge,
        long maxOpenBytes,
        int maxFrozen,
        int maxL0,
        int blockBytes,
        int zstdLevel) {

    /** 64 MiB in the open layer, at most four frozen ones, blocks of 16 KiB. */
    public static final LayerConfig DEFAULT =
            new LayerConfig(64L << 20, 256L << 20, Duration.ofMinutes(10), 96L << 20, 4, 48, 16 << 10, 1);

    /** The same, but everything as if layers were this long: many small files instead of few large ones. */
    public LayerConfig ofSize(long bytes) {
        return new LayerConfig(
                bytes, 2 * bytes, freezeAge, bytes + (bytes + 1) / 2, maxFrozen, maxL0, blockBytes, zstdLevel);
    }

    /** The most an open layer can address, in bytes. */
    private static final long LARGEST_OPEN_BYTES = 8L << 30;

    public LayerConfig {
        boolean sane = freezeBytes > 0
                && freezeDistanceBytes > 0
                && freezeAge.isPositive()
                && maxOpenBytes >= freezeBytes
                && maxOpenBytes <= LARGEST_OPEN_BYTES
                && maxFrozen > 0
                && maxL0 > 1
                && blockBytes > 0
                && blockBytes <= 1 << 20
                && zstdLevel > 0
                && zstdLevel <= 19;
        if (!sane) {
            throw new IllegalArgumentException("impossible sizes of a layer store: freezeBytes " + freezeBytes
                    + ", freezeDistanceBytes " + freezeDistanceBytes + ", freezeAge " + freezeAge + ", maxOpenBytes "
                    + maxOpenBytes + ", maxFrozen " + maxFrozen + ", maxL0 " + maxL0 + ", blockBytes " + blockBytes
                    + ", zstdLevel " + zstdLevel);
        }
    }
}
