package io.tidemark.simulation;

import io.tidemark.simulation.world.Dice;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.walpush.WalPushVersion;
import java.util.List;

/**
 * What kind of cluster and weather one seed makes.
 *
 * @param explicitMembership generations from 1 on, membership changes under way; else generation 0 and the proposer's own list
 * @param safekeepers how many nodes exist
 * @param initialMembers how many of them hold the timeline at first
 * @param computes how many hosts may run a compute at the same time
 * @param startLsn where the timeline's WAL begins
 * @param stormMicros how long faults go on; then everything is healed
 * @param faultPeriodMicros a fault happens about this often
 * @param latencyMaxMicros a message takes up to this long at first, most of them far less
 * @param batchMaxMicros a safekeeper ends a batch within this time after its first message, mostly far sooner
 * @param computePauseMaxMicros how long a compute stays away after its end, at the longest
 * @param computeLifeMaxMicros how long a compute lives, at the longest
 */
public record Scenario(
        long seed,
        TenantTimelineId ttid,
        PgVersion pgVersion,
        SystemId systemId,
        int segmentSizeBytes,
        WalPushVersion walPushVersion,
        boolean explicitMembership,
        int safekeepers,
        int initialMembers,
        int computes,
        Lsn startLsn,
        long stormMicros,
        long faultPeriodMicros,
        long latencyMaxMicros,
        long batchMaxMicros,
        long computePauseMaxMicros,
        long computeLifeMaxMicros) {

    /** The smallest segments PostgreSQL allows: so that WAL crosses them. */
    private static final int SEGMENT_BYTES = 1 << 20;

    private static final long SECOND = 1_000_000;

    /** The scenario of a seed. */
    public static Scenario of(long seed) {
        Dice dice = new Dice(seed, "scenario");
        boolean explicit = dice.chance(0.6);
        int members = dice.chance(0.15) ? 1 : dice.chance(0.25) ? 5 : 3;
        if (!explicit && members == 1) {
            members = 3;
        }
        int major = dice.between(PgVersion.OLDEST_MAJOR, PgVersion.NEWEST_MAJOR);
        // A record boundary anywhere in a segment, its first page included: the first record of a page follows its
        // header.
        long pageStart = SEGMENT_BYTES * (long) dice.between(1, 20) + (long) Lsn.WAL_PAGE_SIZE * dice.between(1, 100);
        Lsn start = dice.chance(0.3)
                ? Lsn.of(SEGMENT_BYTES * (long) dice.between(1, 20) + 40)
                : Lsn.of(pageStart + 24 + 8L * dice.between(0, 900));
        return new Scenario(
                seed,
                new TenantTimelineId(
                        new TenantId(dice.nextLong(), dice.nextLong()),
                        new TimelineId(dice.nextLong(), dice.nextLong())),
                PgVersion.of(major * 10_000 + dice.between(0, 9)),
                SystemId.of(dice.nextLong()),
                SEGMENT_BYTES,
                explicit || dice.chance(0.5) ? WalPushVersion.V3 : WalPushVersion.V2,
                explicit,
                explicit ? members + dice.between(0, 3) : members,
                members,
                dice.pick(List.of(1, 2, 2, 3)),
                start,
                dice.between(30, 90) * SECOND,
                dice.pick(List.of(SECOND / 3, SECOND, 3 * SECOND, 8 * SECOND)),
                dice.pick(List.of(2_000L, 20_000L, 200_000L)),
                dice.pick(List.of(1_000L, 60_000L, 1_500_000L)),
                dice.pick(List.of(2 * SECOND, 10 * SECOND, 25 * SECOND)),
                dice.pick(List.of(15 * SECOND, 90 * SECOND)));
    }
}
