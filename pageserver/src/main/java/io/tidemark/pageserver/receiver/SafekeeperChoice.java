package io.tidemark.pageserver.receiver;

import io.tidemark.runtime.net.HostPort;
import io.tidemark.wire.id.Lsn;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Which safekeeper to stream from: the one with the highest commit_lsn, but not a new one without need. Decides, and nothing else. */
final class SafekeeperChoice {
    /** A safekeeper that answers, and what it said. */
    record Candidate(HostPort address, Lsn commitLsn) {}

    /** Why a safekeeper is left for another. */
    enum Reason {
        /** It is so far behind another that waiting is no use. */
        FAR_BEHIND,
        /** It has sent no WAL for a while, and another has some. */
        NO_WAL
    }

    record Switch(HostPort to, Reason reason) {}

    private SafekeeperChoice() {}

    /** Of several that are equally far the first one. */
    static Optional<Candidate> best(List<Candidate> candidates) {
        return candidates.stream().max(Comparator.comparing(Candidate::commitLsn));
    }

    /**
     * Whether to leave the current safekeeper.
     *
     * @param commitLsn what it last said of itself
     * @param hasSentWalLately whether WAL came within the time that is allowed
     * @param others the others that answer
     */
    static Optional<Switch> judge(Lsn commitLsn, boolean hasSentWalLately, List<Candidate> others, long maxLagBytes) {
        Optional<Candidate> best = best(others);
        if (best.isEmpty() || best.get().commitLsn().isAtMost(commitLsn)) {
            return Optional.empty();
        }
        HostPort address = best.get().address();
        if (best.get().commitLsn().minus(commitLsn) >= maxLagBytes) {
            return Optional.of(new Switch(address, Reason.FAR_BEHIND));
        }
        return hasSentWalLately ? Optional.empty() : Optional.of(new Switch(address, Reason.NO_WAL));
    }
}
