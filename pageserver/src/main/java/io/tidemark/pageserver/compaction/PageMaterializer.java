package io.tidemark.pageserver.compaction;

import io.tidemark.pageserver.key.Key;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Makes the complete value of a key at an LSN: reads its chain, in the ancestors too, and applies it. */
@FunctionalInterface
public interface PageMaterializer {
    /** Makes none: chains stay as long as they are. */
    PageMaterializer NONE = (key, at) -> null;

    /**
     * Called by the compaction thread, for keys with long chains. The LSN may be below the gc cutoff, and is readable all the same.
     *
     * @return the value; null when there is none to make, or it is not worth it
     * @throws IOException when it cannot be made; the chain then stays, and compaction goes on
     */
    byte @Nullable [] materialize(Key key, Lsn at) throws IOException;
}
