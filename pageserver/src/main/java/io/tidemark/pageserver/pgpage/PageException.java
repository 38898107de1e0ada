package io.tidemark.pageserver.pgpage;

/**
 * A page on which an operation is impossible: where PostgreSQL's redo would PANIC. Unchecked, because it crosses every redo
 * routine; {@code PageRedo} turns it into an error that names the record and the block.
 */
public final class PageException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public PageException(String message) {
        super(message);
    }
}
