package io.tidemark.cli.follow;

/** Told how far an import is. */
public interface ImportListener {
    /** What is being done now, in a few words. */
    void phase(String text);

    /**
     * How much of the data has been copied.
     *
     * @param totalBytes by the server's estimate; 0 before it has made one
     */
    void copied(long copiedBytes, long totalBytes);
}
