package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageException;
import io.tidemark.wire.wal.BlockReference;

/**
 * Redo of sequences (seq_redo in sequence.c): the one page is made anew from the whole tuple.
 *
 * <pre>
 *   LOG   locator(12) tuple     0 the sequence's page, made from nothing
 * </pre>
 */
final class SequenceRedo implements ResourceManagerRedo {
    static final int LOG = 0x00;

    private static final int LOCATOR_SIZE_BYTES = 12;

    /** sequence_magic, all there is in the special area. */
    private static final int SEQ_MAGIC = 0x1717;

    @Override
    public boolean redo(RedoRecord record, BlockReference block, Page page) {
        if (record.info() != LOG || block.id() != 0) {
            throw record.unknown(block);
        }
        if (!block.willInit()) {
            throw new PageException("the record should make the page from nothing");
        }
        RecordData tuple = record.main().skip(LOCATOR_SIZE_BYTES);
        page.init(Integer.BYTES);
        page.putI32(page.special(), SEQ_MAGIC);
        page.addItem(tuple.array(), tuple.position(), tuple.remaining(), 1);
        return true;
    }
}
