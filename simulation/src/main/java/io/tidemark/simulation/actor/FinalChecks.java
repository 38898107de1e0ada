package io.tidemark.simulation.actor;

import io.netty.buffer.Unpooled;
import io.tidemark.simulation.Scenario;
import io.tidemark.simulation.invariant.AcceptorView;
import io.tidemark.simulation.invariant.Invariant;
import io.tidemark.simulation.invariant.InvariantViolation;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalRecordScanner;

/** What must be true at the end, when everything is healed: the committed WAL is there, whole and readable. */
public final class FinalChecks {
    private FinalChecks() {}

    public static void check(World world) {
        world.promises().requireKept(world.cluster());
        int complete = 0;
        for (SafekeeperActor safekeeper : world.safekeepers()) {
            AcceptorView view = safekeeper.view();
            if (view != null && view.timelineStartLsn().isValid()) {
                complete += checkLog(world, safekeeper, view) ? 1 : 0;
            }
        }
        Invariant.WAL_IS_VALID.require(complete > 0, "no safekeeper has the WAL from its start to a late commit_lsn");
    }

    /** True when this safekeeper has all WAL from the start of the timeline to nearly where the cluster has committed. */
    private static boolean checkLog(World world, SafekeeperActor safekeeper, AcceptorView view) {
        if (!view.localStartLsn().equals(view.timelineStartLsn())) {
            return false;
        }
        byte[] wal = safekeeper.timeline().read(view.timelineStartLsn(), view.commitLsn());
        world.cluster().readerSaw("the last reader, from " + safekeeper.host() + ",", view.timelineStartLsn(), wal);
        Scenario scenario = world.scenario();
        WalRecordScanner scanner = WalRecordScanner.startingAt(
                view.timelineStartLsn(), scenario.pgVersion().major(), scenario.segmentSizeBytes());
        try {
            scanner.feed(Unpooled.wrappedBuffer(wal));
        } catch (InvalidWalException e) {
            throw new InvariantViolation(
                    Invariant.WAL_IS_VALID,
                    "committed WAL of safekeeper " + safekeeper.node() + ": " + e.getMessage(),
                    e);
        }
        Invariant.WAL_IS_VALID.require(
                scanner.lastRecordEnd().isAtLeast(view.commitLsn()),
                "safekeeper %s has commit_lsn %s, its last record ends at %s",
                safekeeper.node(),
                view.commitLsn(),
                scanner.lastRecordEnd());
        Lsn almost = world.cluster().committedLsn();
        return almost.minus(view.commitLsn()) < scenario.segmentSizeBytes();
    }
}
