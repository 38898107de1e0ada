package io.tidemark.pageserver.basebackup;

import io.tidemark.pageserver.timeline.ReadException;

/** A file or a directory of a data directory; paths are relative to its root, with slashes. */
public sealed interface DirectoryEntry {
    /** Contents are read in blocks of this size. */
    int BLOCK_BYTES = 8192;

    String path();

    record Directory(String path) implements DirectoryEntry {}

    /**
     * A file.
     *
     * @param content may be opened any number of times, one after the other, by the thread that got it
     */
    record File(String path, long sizeBytes, Content content) implements DirectoryEntry {}

    /** What a file has. */
    @FunctionalInterface
    interface Content {
        Blocks open() throws ReadException;
    }

    /** An open file. */
    @FunctionalInterface
    interface Blocks extends AutoCloseable {
        /**
         * Reads one block; rising ones are fastest.
         *
         * @param block below the file's size
         * @param into {@link #BLOCK_BYTES}; behind the file's end it may have anything
         */
        void read(int block, byte[] into) throws ReadException;

        @Override
        default void close() {}
    }

    /** A file that fits into memory. */
    static File small(String path, byte[] bytes) {
        return computed(path, bytes.length, (block, into) -> {
            int from = block * BLOCK_BYTES;
            System.arraycopy(bytes, from, into, 0, Math.min(BLOCK_BYTES, bytes.length - from));
        });
    }

    /** A file that holds nothing while it is open. */
    static File computed(String path, long sizeBytes, Blocks blocks) {
        return new File(path, sizeBytes, () -> blocks);
    }
}
