package io.tidemark.pageserver.ingest;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.key.Value;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A timeline as the one thread that writes it sees it: reads find everything that was put before, whether or not anybody else may see it
 * yet.
 */
public interface TimelineHead {
    /**
     * Adds a version. LSNs never go down, and no key is put twice at one.
     *
     * @param value its arrays are the timeline's from now on, except a {@link Value.Redo}'s, which is valid during the call only
     */
    void put(Key key, Lsn lsn, Value value) throws IOException;

    /**
     * The newest version of a key, complete; null when there is none or it was removed, but for pages, which are zeros then. The caller
     * owns the bytes.
     *
     * @throws IOException when stored data cannot be read
     */
    byte @Nullable [] read(Key key) throws IOException;

    /** Tells every key of a range that has a value which is not removed, in order. For keys whose kind is no page. */
    void scan(KeyRange range, Visitor visitor) throws IOException;

    /** Told what a scan finds. */
    @FunctionalInterface
    interface Visitor {
        /** One key with its newest value; may put nothing. */
        void visit(Key key, byte[] value) throws IOException;
    }
}
