package io.tidemark.pageserver.layer;

import io.tidemark.pageserver.key.Key;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A layer as a reader sees it. Lives as long as any {@link LayerMap} that holds it. */
sealed interface Layer permits MemoryLayer, FileLayer {
    /** Passes on the versions that the read still wants, if there are any. */
    void read(ChainRead read) throws IOException;

    /** The first key here at or behind this one; null when there is none. */
    @Nullable
    Key ceiling(Key key) throws IOException;

    /** No reader is left, and no map holds it: gives back what it holds. */
    void release();
}
