package io.tidemark.simulation.invariant;

import io.tidemark.simulation.invariant.WrittenWal.Piece;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import java.util.ArrayList;
import java.util.List;

/** Commits that clients were told of. None may ever be missing. */
public final class ClientPromises {
    private final List<Promise> promises = new ArrayList<>();

    private record Promise(Term term, Lsn recordEnd) {}

    /** A client was told that the record which ends here, written in this term, is committed. */
    public void acknowledged(Term term, Lsn recordEnd) {
        promises.add(new Promise(term, recordEnd));
    }

    public int count() {
        return promises.size();
    }

    /** Requires every promise to be in the committed WAL. */
    public void requireKept(ClusterWatch cluster) {
        List<Piece> pieces = WrittenWal.pieces(cluster.committedHistory(), cluster.committedLsn());
        for (Promise promise : promises) {
            Invariant.ACKNOWLEDGED_NEVER_LOST.require(
                    pieces.stream()
                            .anyMatch(p -> p.term().equals(promise.term)
                                    && p.from().isBefore(promise.recordEnd)
                                    && p.to().isAtLeast(promise.recordEnd)),
                    "a client was told of the record of term %s that ends at %s; committed is %s",
                    promise.term,
                    promise.recordEnd,
                    pieces);
        }
    }
}
