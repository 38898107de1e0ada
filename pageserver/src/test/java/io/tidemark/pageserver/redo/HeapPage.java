package io.tidemark.pageserver.redo;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.pageserver.pgpage.HeapTuple;
import io.tidemark.pageserver.pgpage.ItemPointer;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.WalRecord;

/** A heap page, records applied to it, and what its tuples say. */
final class HeapPage {
    /** t_cid of the tuples that were there before. */
    static final int CID = 77;

    private static final int HOFF = 24;

    final Page page = new Page(new byte[Page.SIZE_BYTES]);
    private final RedoRules rules;

    HeapPage(RedoRules rules) {
        this.rules = rules;
        page.init(0);
    }

    /** Adds a tuple of 500 with these columns; t_xmax and t_ctid are nonsense. */
    HeapPage add(int infomask2, int infomask, String columns) {
        byte[] body = columns.getBytes(ISO_8859_1);
        int offnum = page.maxOffset() + 1;
        int tuple = page.addHeapItem(offnum, HOFF + body.length);
        page.putI32(tuple + HeapTuple.T_XMIN, 500);
        page.putI32(tuple + HeapTuple.T_XMAX, 501);
        page.putI32(tuple + HeapTuple.T_CID, CID);
        HeapTuple.setCtid(page, tuple, 99, 98);
        page.putU16(tuple + HeapTuple.T_INFOMASK2, infomask2);
        page.putU16(tuple + HeapTuple.T_INFOMASK, infomask);
        page.putU8(tuple + HeapTuple.T_HOFF, HOFF);
        page.putU8(tuple + HeapTuple.HEADER_SIZE_BYTES, 0xEE);
        page.put(tuple + HOFF, body, 0, body.length);
        return this;
    }

    /** Applies what a record says about one of its blocks. */
    PageRedo.Outcome apply(RecordBuilder builder, int blockId) throws RedoException {
        WalRecord record = builder.build(rules.pgMajor());
        for (BlockReference block : record.blocks()) {
            if (block.id() == blockId) {
                PageRedo.Outcome outcome = new PageRedo(rules).apply(record, block, page.bytes());
                if (outcome == PageRedo.Outcome.CHANGED) {
                    assertThat(page.lsn()).isEqualTo(RecordBuilder.END.value());
                }
                return outcome;
            }
        }
        throw new AssertionError("no block " + blockId);
    }

    int xmin(int offnum) {
        return page.i32(page.itemOffset(offnum) + HeapTuple.T_XMIN);
    }

    int xmax(int offnum) {
        return page.i32(page.itemOffset(offnum) + HeapTuple.T_XMAX);
    }

    int cid(int offnum) {
        return page.i32(page.itemOffset(offnum) + HeapTuple.T_CID);
    }

    String ctid(int offnum) {
        int at = page.itemOffset(offnum) + HeapTuple.T_CTID;
        return "(%d,%d)".formatted(ItemPointer.block(page.bytes(), at), ItemPointer.offnum(page.bytes(), at));
    }

    int infomask(int offnum) {
        return page.u16(page.itemOffset(offnum) + HeapTuple.T_INFOMASK);
    }

    int infomask2(int offnum) {
        return page.u16(page.itemOffset(offnum) + HeapTuple.T_INFOMASK2);
    }

    /** Everything behind the 23 bytes of the header: bitmap or padding, then columns. */
    String body(int offnum) {
        int from = page.itemOffset(offnum) + HeapTuple.HEADER_SIZE_BYTES;
        int length = page.itemLength(offnum) - HeapTuple.HEADER_SIZE_BYTES;
        return new String(page.bytes(), from, length, ISO_8859_1);
    }
}
