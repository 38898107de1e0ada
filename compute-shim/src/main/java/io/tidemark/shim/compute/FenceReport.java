package io.tidemark.shim.compute;

import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.Term;

/**
 * How this shim learnt that it has been replaced.
 *
 * @param ourTerm the term that is worth nothing any more
 * @param higherTerm the term of the winner
 * @param seenOn the safekeeper that told
 * @param winner the winner's application name and address as the safekeepers know it; empty when none could tell in time
 */
public record FenceReport(
        TenantTimelineId timeline, Term ourTerm, Term higherTerm, SafekeeperAddress seenOn, String winner) {

    FenceReport withWinner(String name) {
        return new FenceReport(timeline, ourTerm, higherTerm, seenOn, name);
    }

    @Override
    public String toString() {
        return "timeline " + timeline + ": another compute was elected in term " + higherTerm + " (seen on safekeeper "
                + seenOn
                + "), ours was term " + ourTerm + "; winner: " + (winner.isEmpty() ? "unknown" : winner)
                + ". This PostgreSQL can commit nothing any more.";
    }
}
