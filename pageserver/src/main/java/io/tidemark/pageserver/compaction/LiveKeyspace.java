package io.tidemark.pageserver.compaction;

import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which keys exist at an LSN: what relations and directories say. Garbage collection forgets keys that do not exist at any readable
 * LSN; without it, a dropped relation stays for ever.
 *
 * <p>Too many keys are always right. A key that is not live must begin with a base when it comes back, and must not be read in between.
 */
@FunctionalInterface
public interface LiveKeyspace {
    /** Everything may exist. */
    LiveKeyspace UNKNOWN = at -> null;

    /**
     * Called by the compaction thread. The LSN may be below the gc cutoff, and is readable all the same.
     *
     * @return ranges in rising order, not touching each other; null when it is not known
     */
    @Nullable
    List<KeyRange> at(Lsn at) throws IOException;
}
