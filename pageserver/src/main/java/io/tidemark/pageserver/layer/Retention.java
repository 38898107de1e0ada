package io.tidemark.pageserver.layer;

import io.tidemark.wire.id.Lsn;
import java.util.ArrayList;
import java.util.List;

/**
 * At which LSNs the timeline must be readable: everywhere from the gc cutoff on, and at single retained LSNs below it (branch points of
 * children, leases).
 *
 * @param cutoff the gc cutoff; {@link Lsn#INVALID} keeps everything
 * @param retained LSNs to keep readable whatever the cutoff, rising, without repetition
 */
public record Retention(Lsn cutoff, List<Lsn> retained) {
    /** Everything is kept. */
    public static final Retention ALL = new Retention(Lsn.INVALID, List.of());

    public Retention {
        retained = retained.stream().distinct().sorted().toList();
    }

    /**
     * What is kept when a history that ends at {@code end} is put below this one: of each part what was kept of it.
     *
     * @param older what is kept of the lower part
     */
    Retention above(Retention older, Lsn end) {
        List<Lsn> all = new ArrayList<>(retained);
        older.retained.stream().filter(lsn -> lsn.isAtMost(end)).forEach(all::add);
        return new Retention(cutoff.max(older.cutoff.min(end)), all);
    }

    /** Whether a read at this LSN gets the right answer. */
    public boolean covers(Lsn at) {
        return at.isAtLeast(cutoff) || java.util.Collections.binarySearch(retained, at) >= 0;
    }

    /**
     * Whether a version at {@code lsn} is seen by any permitted read, when the next newer base of the same key is at {@code newerBase}
     * (unsigned; {@code -1} when there is none): whether some readable LSN lies in {@code [lsn, newerBase)}.
     */
    public boolean needs(long lsn, long newerBase) {
        if (newerBase == -1) {
            return true;
        }
        if (Long.compareUnsigned(lsn, newerBase) >= 0) {
            return false;
        }
        return Long.compareUnsigned(cutoff.value(), newerBase) < 0 || needsForRetained(lsn, newerBase);
    }

    /** Whether a retained LSN lies in {@code [lsn, newerBase)}. */
    public boolean needsForRetained(long lsn, long newerBase) {
        int from = 0;
        int to = retained.size();
        while (from < to) {
            int middle = (from + to) >>> 1;
            if (Long.compareUnsigned(retained.get(middle).value(), lsn) < 0) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        return from < retained.size() && Long.compareUnsigned(retained.get(from).value(), newerBase) < 0;
    }
}
