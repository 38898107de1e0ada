package io.tidemark.safekeeper.acceptor;

import io.tidemark.wire.id.Lsn;

/**
 * The four LSNs that are persisted lazily, as they are in memory: each at least its persisted twin, none ever decreasing.
 *
 * <p>Losing the difference in a crash is harmless: every one of them is told again, or found again.
 */
final class LazyLsns {
    private Lsn commit;
    private Lsn backup;
    private Lsn peerHorizon;
    private Lsn remoteConsistent;

    LazyLsns(AcceptorState persisted) {
        commit = persisted.commitLsn();
        backup = persisted.backupLsn();
        peerHorizon = persisted.peerHorizonLsn();
        remoteConsistent = persisted.remoteConsistentLsn();
    }

    Lsn commit() {
        return commit;
    }

    Lsn backup() {
        return backup;
    }

    Lsn peerHorizon() {
        return peerHorizon;
    }

    Lsn remoteConsistent() {
        return remoteConsistent;
    }

    void setCommit(Lsn lsn) {
        commit = lsn;
    }

    void raiseBackup(Lsn lsn) {
        backup = backup.max(lsn);
    }

    /** What everybody has is committed; as far as we know of the commit, we believe it. */
    void raisePeerHorizon(Lsn lsn) {
        peerHorizon = peerHorizon.max(lsn.min(commit));
    }

    void raiseRemoteConsistent(Lsn lsn) {
        remoteConsistent = remoteConsistent.max(lsn);
    }

    /** None is before the start of the timeline once that is known. */
    void raiseAll(Lsn timelineStart) {
        commit = commit.max(timelineStart);
        backup = backup.max(timelineStart);
        peerHorizon = peerHorizon.max(timelineStart);
        remoteConsistent = remoteConsistent.max(timelineStart);
    }

    AcceptorState in(AcceptorState state) {
        return state.withLsns(commit, backup, peerHorizon, remoteConsistent);
    }

    /** True when one of them is more than a segment ahead of what is persisted: WAL removal goes by the persisted ones. */
    boolean areFarAheadOf(AcceptorState persisted) {
        long segment = persisted.walSegmentSizeBytes();
        return commit.minus(persisted.commitLsn()) > segment
                || backup.minus(persisted.backupLsn()) > segment
                || peerHorizon.minus(persisted.peerHorizonLsn()) > segment
                || remoteConsistent.minus(persisted.remoteConsistentLsn()) > segment;
    }
}
