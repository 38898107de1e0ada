package io.tidemark.pageserver.redo;

import io.netty.buffer.ByteBuf;
import io.tidemark.pageserver.pgpage.BtreePage;
import io.tidemark.pageserver.pgpage.ItemPointer;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PostingTuple;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.WalRecord;
import java.util.ArrayList;
import java.util.List;

/** B-tree tuples with a key of eight bytes, for tests, and pages of them. The rows are on heap block 7 unless said otherwise. */
final class BtreeTuples {
    private static final int HEAP_BLOCK = 7;

    private BtreeTuples() {}

    static ByteBuf leaf(long key, int row) {
        return leaf(key, HEAP_BLOCK, row);
    }

    /** Also a downlink to {@code block}. */
    static ByteBuf leaf(long key, int block, int row) {
        ByteBuf tuple = RecordBuilder.part();
        return tid(tuple, block, row).writeShortLE(16).writeLongLE(key);
    }

    static ByteBuf posting(long key, int... rows) {
        int size = Page.align8(16 + 6 * rows.length);
        ByteBuf tuple = RecordBuilder.part();
        tid(tuple, 16, rows.length | 0x2000).writeShortLE(size | 0x2000).writeLongLE(key);
        for (int row : rows) {
            tid(tuple, HEAP_BLOCK, row);
        }
        return tuple.writeZero(size - tuple.readableBytes());
    }

    private static ByteBuf tid(ByteBuf out, int block, int offnum) {
        return out.writeShortLE(block >>> 16).writeShortLE(block).writeShortLE(offnum);
    }

    static Page page(int next, int flags, ByteBuf... tuples) {
        Page page = new Page(new byte[Page.SIZE_BYTES]);
        BtreePage.init(page, BtreePage.P_NONE, next, 0, flags);
        for (ByteBuf tuple : tuples) {
            byte[] bytes = RecordBuilder.bytesOf(tuple);
            page.addItem(bytes, 0, bytes.length, 0);
        }
        return page;
    }

    /** Every tuple as {@code key:(block,row)...}, in the order of their numbers. */
    static List<String> of(Page page) {
        List<String> tuples = new ArrayList<>();
        byte[] bytes = page.bytes();
        for (int offnum = 1; offnum <= page.maxOffset(); offnum++) {
            int tuple = page.requireNormal(offnum);
            StringBuilder text = new StringBuilder().append(page.i64(tuple + 8)).append(':');
            int tids = PostingTuple.tids(bytes, tuple);
            for (int i = 0; i < PostingTuple.count(bytes, tuple); i++) {
                int at = tids + i * ItemPointer.SIZE_BYTES;
                text.append("(%d,%d)".formatted(ItemPointer.block(bytes, at), ItemPointer.offnum(bytes, at)));
            }
            tuples.add(text.toString());
        }
        return tuples;
    }

    static List<Integer> offsets(Page page) {
        List<Integer> offsets = new ArrayList<>();
        for (int offnum = 1; offnum <= page.maxOffset(); offnum++) {
            offsets.add(page.itemOffset(offnum));
        }
        return offsets;
    }

    static List<Integer> lengths(Page page) {
        List<Integer> lengths = new ArrayList<>();
        for (int offnum = 1; offnum <= page.maxOffset(); offnum++) {
            lengths.add(page.itemLength(offnum));
        }
        return lengths;
    }

    static BlockReference reference(WalRecord record, int id) {
        return record.blocks().stream()
                .filter(block -> block.id() == id)
                .findFirst()
                .orElseThrow();
    }
}
