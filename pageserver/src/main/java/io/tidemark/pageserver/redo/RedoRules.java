package io.tidemark.pageserver.redo;

import io.tidemark.wire.wal.WalFlavour;

/**
 * What redo has to know of the server that wrote the WAL, since records do not say it.
 *
 * @param pgMajor 14 to 18
 * @param flavour which dialect of heap records, and whether the right half of a B-tree split has a cycle id
 * @param hintBitsLogged data checksums or wal_log_hints are on (XLogHintBitIsNeeded): setting a page all-visible then stamps it
 */
public record RedoRules(int pgMajor, WalFlavour flavour, boolean hintBitsLogged) {
    public RedoRules {
        if (pgMajor < 14 || pgMajor > 18) {
            throw new IllegalArgumentException("PostgreSQL " + pgMajor + " is not one of 14 to 18");
        }
    }
}
