package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.HeapTuple;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageException;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.LittleEndian;

/**
 * New heap tuples (heap_xlog_insert and heap_xlog_multi_insert in heapam.c, and what heap_xlog_update shares with them), in one
 * layout.
 *
 * <p>Of a tuple's header a record has only what cannot be known otherwise; the rest is made here, right on the page.
 */
final class HeapInsertion {
    private static final int INIT_PAGE = 0x80;

    /** SizeOfHeapInsert: offnum(u16) flags(u8). */
    private static final int INSERT_SIZE_BYTES = 3;

    private static final int XLH_INSERT_ALL_VISIBLE_CLEARED = 0x01;
    private static final int XLH_INSERT_ALL_FROZEN_SET = 0x20;

    private final HeapLayout layout;
    private final int keptInfomask;

    HeapInsertion(HeapLayout layout) {
        this.layout = layout;
        this.keptInfomask = layout.hasCommandIds() ? -1 : ~HeapTuple.HEAP_COMBOCID;
    }

    void insert(RedoRecord record, BlockReference block, Page page) {
        byte[] bytes = record.array();
        int main = record.mainAt(INSERT_SIZE_BYTES);
        int offnum = LittleEndian.u16(bytes, main);
        HeapLayout.TupleHeader header = layout.tuple();
        int data = record.dataAt(block, header.sizeBytes());
        start(record, block, page);
        int bodyLength = block.dataLength() - header.sizeBytes();
        int tuple = add(record, block, page, offnum, bodyLength);
        fillHeader(header, bytes, data, page, tuple);
        page.put(tuple + HeapTuple.HEADER_SIZE_BYTES, bytes, data + header.sizeBytes(), bodyLength);
        setVisibility(page, LittleEndian.u8(bytes, main + 2));
    }

    void multiInsert(RedoRecord record, BlockReference block, Page page) {
        byte[] bytes = record.array();
        HeapLayout.MultiInsertion fields = layout.multiInsertion();
        int main = record.mainAt(fields.offsets());
        int count = LittleEndian.u16(bytes, main + 2);
        boolean init = start(record, block, page);
        if (!init) {
            record.mainAt(fields.offsets() + count * Short.BYTES);
        }
        int start = record.dataAt(block, 0);
        int end = start + block.dataLength();
        int at = start;
        for (int i = 0; i < count; i++) {
            int offnum = init ? i + 1 : LittleEndian.u16(bytes, main + fields.offsets() + i * Short.BYTES);
            at = addOneOfMany(record, block, page, offnum, start + Page.align2(at - start));
        }
        if (at != end) {
            throw new PageException("the data has " + (end - at) + " bytes more than its " + count + " tuples");
        }
        setVisibility(page, LittleEndian.u8(bytes, main));
    }

    /** Adds the tuple of MULTI_INSERT that the record has at {@code at}, and returns where it ends there. */
    private int addOneOfMany(RedoRecord record, BlockReference block, Page page, int offnum, int at) {
        byte[] bytes = record.array();
        HeapLayout.TupleHeader header = layout.multiTuple();
        int end = block.dataOffset() + block.dataLength();
        int body = at + Short.BYTES + header.sizeBytes();
        int bodyLength = body <= end ? LittleEndian.u16(bytes, at) : 0;
        if (body + bodyLength > end) {
            throw new PageException("the data ends inside tuple " + offnum);
        }
        int tuple = add(record, block, page, offnum, bodyLength);
        fillHeader(header, bytes, at + Short.BYTES, page, tuple);
        int commandId = layout.multiInsertion().cid();
        if (commandId != HeapLayout.NONE) {
            page.putI32(tuple + HeapTuple.T_CID, LittleEndian.i32(bytes, record.mainAt(0) + commandId));
        }
        page.put(tuple + HeapTuple.HEADER_SIZE_BYTES, bytes, body, bodyLength);
        return body + bodyLength;
    }

    /** Makes the page when the record says that it starts from nothing; returns whether it does. */
    boolean start(RedoRecord record, BlockReference block, Page page) {
        boolean init = (record.info() & INIT_PAGE) != 0;
        if (init != block.willInit()) {
            throw new PageException("opcode and block reference disagree on whether the page starts from nothing");
        }
        if (init) {
            page.init(0);
        }
        return init;
    }

    /** Makes room for a tuple, and fills in whose and where it is. Returns where on the page. */
    int add(RedoRecord record, BlockReference block, Page page, int offnum, int bodyLength) {
        int tuple = page.addHeapItem(offnum, HeapTuple.HEADER_SIZE_BYTES + bodyLength);
        page.putI32(tuple + HeapTuple.T_XMIN, record.xid());
        page.putI32(tuple + HeapTuple.T_XMAX, 0);
        HeapTuple.setCtid(page, tuple, block.block(), offnum);
        return tuple;
    }

    /** Fills in what the header that {@code bytes} has at {@code from} says: the infomasks, t_hoff, t_cid. */
    void fillHeader(HeapLayout.TupleHeader header, byte[] bytes, int from, Page page, int tuple) {
        page.putU16(tuple + HeapTuple.T_INFOMASK2, LittleEndian.u16(bytes, from));
        page.putU16(tuple + HeapTuple.T_INFOMASK, LittleEndian.u16(bytes, from + 2) & keptInfomask);
        page.putU8(tuple + HeapTuple.T_HOFF, LittleEndian.u8(bytes, from + header.hoff()));
        int cid = header.cid();
        page.putI32(tuple + HeapTuple.T_CID, cid == HeapLayout.NONE ? 0 : LittleEndian.i32(bytes, from + cid));
    }

    private static void setVisibility(Page page, int flags) {
        if ((flags & XLH_INSERT_ALL_VISIBLE_CLEARED) != 0) {
            page.clearFlags(Page.PD_ALL_VISIBLE);
        }
        if ((flags & XLH_INSERT_ALL_FROZEN_SET) != 0) {
            page.setFlags(page.flags() | Page.PD_ALL_VISIBLE);
        }
    }
}
