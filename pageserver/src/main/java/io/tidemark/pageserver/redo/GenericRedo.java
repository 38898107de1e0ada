package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.wire.wal.BlockReference;
import java.util.Arrays;

/**
 * Redo of generic WAL (generic_redo in generic_xlog.c), with which extensions log their pages: bytes that changed.
 *
 * <pre>
 *   0..3 data = { offset(u16) length(u16) bytes(length) }*
 * </pre>
 *
 * <p>What lies between pd_lower and pd_upper afterwards is zeroed: the delta does not cover it.
 */
final class GenericRedo implements ResourceManagerRedo {
    @Override
    public boolean redo(RedoRecord record, BlockReference block, Page page) {
        RecordData delta = record.data(block);
        while (delta.remaining() > 0) {
            int offset = delta.u16();
            int length = delta.u16();
            page.put(offset, delta.array(), delta.take(length), length);
        }
        if (!page.isNew()) {
            page.requireSaneHeader();
            Arrays.fill(page.bytes(), page.lower(), page.upper(), (byte) 0);
        }
        return true;
    }
}
