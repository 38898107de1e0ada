package io.tidemark.runtime.durable;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/** An open file. Used by one thread at a time, except {@link #read}, which may run beside a writer. */
public interface DurableFile extends Closeable {
    /** Writes all remaining bytes at {@code position}, extending the file where needed. */
    void write(ByteBuffer bytes, long position) throws IOException;

    /** Reads up to the remaining bytes from {@code position}; returns the count, -1 at or beyond the end. */
    int read(ByteBuffer into, long position) throws IOException;

    /**
     * Makes contents and size durable (fdatasync). After a failure nothing is known about what is durable, and a later success
     * proves nothing: the caller gives up what depends on this file for good.
     *
     * @throws SyncFailedException when the operating system refuses
     */
    void sync() throws IOException;

    /** Cuts or extends (with zeros, sparse) to a size in bytes. */
    void setSize(long sizeBytes) throws IOException;

    long size() throws IOException;
}
