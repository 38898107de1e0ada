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
     * @param content may be read any number of times, in any order, by the thread that got it
     */
    record File(String path, long sizeBytes, Content content) implements DirectoryEntry {}

    /** Reads a file. */
    @FunctionalInterface
    interface Content {
        /**
         * Reads one block.
         *
         * @param block below the file's size
         * @param into {@link #BLOCK_BYTES}; behind the file's end it may have anything
         */
        void read(int block, byte[] into) throws ReadException;
    }

    /** A file that fits into memory. */
    static File small(String path, byte[] bytes) {
        return new File(path, bytes.length, (block, into) -> {
            int from = block * BLOCK_BYTES;
            System.arraycopy(bytes, from, into, 0, Math.min(BLOCK_BYTES, bytes.length - from));
        });
    }
}
