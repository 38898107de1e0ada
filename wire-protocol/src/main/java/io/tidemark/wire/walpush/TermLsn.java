package io.tidemark.wire.walpush;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;

/** From {@code lsn} on, WAL was written by the proposer of {@code term}. */
public record TermLsn(Term term, Lsn lsn) {
    @Override
    public String toString() {
        return term + "@" + lsn;
    }
}
