package io.tidemark.pageserver.layer;

import io.tidemark.wire.id.Lsn;

/** A read below the gc cutoff, at an LSN that is not retained. What it would need may be gone. */
public final class LsnGarbageCollectedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    LsnGarbageCollectedException(Lsn at, Lsn cutoff) {
        super("LSN " + at + " is below the gc cutoff " + cutoff + " and not retained: its history may be gone");
    }
}
