package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageException;
import io.tidemark.wire.wal.BlockReference;

/**
 * Redo of the XLOG records that name pages (xlog_redo in xlog.c): they are nothing but images to apply.
 *
 * <pre>
 *   FPI_FOR_HINT   0 image; from 15 on maybe none, when somebody else logged one at the same time
 *   FPI            0..32 images
 * </pre>
 */
final class XlogRedo implements ResourceManagerRedo {
    static final int FPI_FOR_HINT = 0xA0;
    static final int FPI = 0xB0;

    /** Called only for a block without an image to apply. */
    @Override
    public boolean redo(RedoRecord record, BlockReference block, Page page) {
        int opcode = record.info();
        if (opcode != FPI_FOR_HINT && opcode != FPI) {
            throw record.unknown(block);
        }
        boolean mayHaveNone = opcode == FPI_FOR_HINT && record.pgMajor() >= 15;
        if (block.image() != null || !mayHaveNone) {
            throw new PageException("the record has no image to apply");
        }
        return false;
    }
}
