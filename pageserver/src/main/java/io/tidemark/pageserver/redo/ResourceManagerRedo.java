package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.wire.wal.BlockReference;

/** The redo routines of one resource manager. Stateless. */
interface ResourceManagerRedo {
    /**
     * Makes the change of one block. Called when the block has no image to apply and the page does not have the change yet. When
     * the reference says WILL_INIT the page's bytes are arbitrary and the routine initialises it.
     *
     * @return whether the end LSN is to be stamped into the page: nearly always
     * @throws io.tidemark.pageserver.pgpage.PageException when record and page do not fit, or the opcode is unknown
     */
    boolean redo(RedoRecord record, BlockReference block, Page page);

    /** What is to be done on top of a restored and stamped image; nearly always nothing. */
    default void afterImage(RedoRecord record, BlockReference block, Page page) {}
}
