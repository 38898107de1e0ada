package io.tidemark.pageserver.receiver;

import java.time.Duration;

/**
 * When to leave a safekeeper, and how much to take at once.
 *
 * @param connectTimeout for one connection, or one question to a safekeeper
 * @param silenceTimeout a safekeeper that says nothing for so long is dead: wal_connect_timeout
 * @param laggingTimeout one that has sent no WAL for so long is asked about, and left if another has more: lagging_wal_timeout
 * @param maxLagBytes one that is behind another by this much is left at once: max_lsn_wal_lag
 * @param idlePoll how long to wait after a safekeeper has said that there is nothing more to come
 * @param firstBackoff how long to leave one alone after a failure; grows by half each time
 * @param maxBackoff up to this
 * @param batchRecords how many records become readable together at most
 * @param batchBytes and how much WAL
 */
public record WalReceiverConfig(
        Duration connectTimeout,
        Duration silenceTimeout,
        Duration laggingTimeout,
        long maxLagBytes,
        Duration idlePoll,
        Duration firstBackoff,
        Duration maxBackoff,
        int batchRecords,
        int batchBytes) {
    public static final WalReceiverConfig DEFAULT = new WalReceiverConfig(
            Duration.ofSeconds(3),
            Duration.ofSeconds(10),
            Duration.ofSeconds(10),
            1L << 30,
            Duration.ofSeconds(1),
            Duration.ofMillis(100),
            Duration.ofSeconds(15),
            1_000,
            8 << 20);

    /** Throws {@link IllegalArgumentException} for what cannot work. */
    public WalReceiverConfig {
        if (batchRecords < 1 || batchBytes < 1 || maxLagBytes < 1) {
            throw new IllegalArgumentException("limits must be positive");
        }
    }

    /** How long to leave a safekeeper alone after so many failures in a row. */
    Duration backoff(int failures) {
        double millis = firstBackoff.toMillis() * Math.pow(1.5, Math.max(0, failures - 1));
        return Duration.ofMillis((long) Math.min(millis, (double) maxBackoff.toMillis()));
    }
}
