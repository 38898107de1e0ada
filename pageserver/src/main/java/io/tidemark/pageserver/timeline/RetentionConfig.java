package io.tidemark.pageserver.timeline;

import java.time.Duration;

/**
 * How much of a timeline's past stays readable: what one of the first two needs is kept, and single LSNs as long as they are leased.
 *
 * @param horizonBytes so much WAL behind the head, at the least
 * @param pitrInterval and so far back in time; zero: time does not count
 * @param leaseLength how long an LSN stays readable that somebody leases; after a start nothing is collected for so long, so that whoever had
 *     a lease can take it again
 * @param timestampLeaseLength how long one that was asked for by its time
 */
public record RetentionConfig(
        long horizonBytes, Duration pitrInterval, Duration leaseLength, Duration timestampLeaseLength) {
    /** As Neon: 64 MiB and 7 days, leases of 10 minutes and 1. */
    public static final RetentionConfig DEFAULT =
            new RetentionConfig(64L << 20, Duration.ofDays(7), Duration.ofMinutes(10), Duration.ofMinutes(1));

    /** Nothing but the head, from the start on; for tests of what remains then. */
    public static final RetentionConfig NOTHING =
            new RetentionConfig(0, Duration.ZERO, Duration.ZERO, Duration.ofMinutes(1));

    /** Throws {@link IllegalArgumentException} with a sentence for the user when a value can't be. */
    public RetentionConfig {
        if (horizonBytes < 0) {
            throw new IllegalArgumentException("--gc-horizon-mb must not be negative");
        }
        if (pitrInterval.isNegative()) {
            throw new IllegalArgumentException("--pitr-interval must not be negative");
        }
        if (leaseLength.isNegative() || timestampLeaseLength.isNegative()) {
            throw new IllegalArgumentException("--lsn-lease-length must not be negative");
        }
    }

    /** With another lease length. */
    public RetentionConfig withLeaseLength(Duration length) {
        return new RetentionConfig(horizonBytes, pitrInterval, length, timestampLeaseLength);
    }

    /** With another interval. */
    public RetentionConfig withPitrInterval(Duration interval) {
        return new RetentionConfig(horizonBytes, interval, leaseLength, timestampLeaseLength);
    }
}
