package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.HeapTuple;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageException;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.LittleEndian;

/**
 * UPDATE and HOT_UPDATE (heap_xlog_update in heapam.c), in one layout.
 *
 * <pre>
 *   0 the new tuple's page: [prefixLength(u16)] [suffixLength(u16)] header, bitmap and columns but the prefix and suffix
 *   1 the old tuple's page; absent when it is the same
 * </pre>
 *
 * <p>A prefix or suffix of the columns that the old tuple has too is left out, but only when both are on one page: so each page
 * can be rebuilt without the other.
 */
final class HeapUpdate {
    private static final int XLH_UPDATE_OLD_ALL_VISIBLE_CLEARED = 0x01;
    private static final int XLH_UPDATE_NEW_ALL_VISIBLE_CLEARED = 0x02;
    private static final int XLH_UPDATE_PREFIX_FROM_OLD = 0x20;
    private static final int XLH_UPDATE_SUFFIX_FROM_OLD = 0x40;

    private final HeapLayout layout;
    private final HeapInsertion insertion;
    private final HeapModification modification;

    HeapUpdate(HeapLayout layout, HeapInsertion insertion, HeapModification modification) {
        this.layout = layout;
        this.insertion = insertion;
        this.modification = modification;
    }

    /** @param hot the new tuple is on the same page and no index knows of it */
    void update(RedoRecord record, BlockReference block, Page page, boolean hot) {
        int main = record.mainAt(layout.update().sizeBytes());
        if (block.id() == 1) {
            endOld(record, main, record.blockNumber(0), page, hot);
            return;
        }
        boolean samePage = record.block(1) == null;
        if (samePage) {
            if (block.willInit()) {
                throw new PageException("the page with the old tuple cannot start from nothing");
            }
            endOld(record, main, block.block(), page, hot);
        } else {
            insertion.start(record, block, page);
        }
        addNew(record, block, page, main, samePage);
    }

    private void endOld(RedoRecord record, int main, int newBlock, Page page, boolean hot) {
        byte[] bytes = record.array();
        HeapLayout.Update fields = layout.update();
        int tuple = HeapTuple.require(page, LittleEndian.u16(bytes, main + 4));
        modification.end(bytes, main, LittleEndian.u8(bytes, main + 6), fields.cid(), page, tuple);
        int infomask2 = page.u16(tuple + HeapTuple.T_INFOMASK2) & ~HeapTuple.HEAP_HOT_UPDATED;
        page.putU16(tuple + HeapTuple.T_INFOMASK2, infomask2 | (hot ? HeapTuple.HEAP_HOT_UPDATED : 0));
        page.putI32(tuple + HeapTuple.T_XMAX, LittleEndian.i32(bytes, main));
        HeapTuple.setCtid(page, tuple, newBlock, LittleEndian.u16(bytes, main + fields.newOffnum()));
        page.setPrunable(record.xid());
        if ((LittleEndian.u8(bytes, main + 7) & XLH_UPDATE_OLD_ALL_VISIBLE_CLEARED) != 0) {
            page.clearFlags(Page.PD_ALL_VISIBLE);
        }
    }

    private void addNew(RedoRecord record, BlockReference block, Page page, int main, boolean samePage) {
        byte[] bytes = record.array();
        HeapLayout.Update fields = layout.update();
        int flags = LittleEndian.u8(bytes, main + 7);
        int lengths = Integer.bitCount(flags & (XLH_UPDATE_PREFIX_FROM_OLD | XLH_UPDATE_SUFFIX_FROM_OLD)) * Short.BYTES;
        int headerSize = layout.tuple().sizeBytes();
        int data = record.dataAt(block, lengths + headerSize);
        int header = data + lengths;
        int prefix = (flags & XLH_UPDATE_PREFIX_FROM_OLD) != 0 ? LittleEndian.u16(bytes, data) : 0;
        int suffix = (flags & XLH_UPDATE_SUFFIX_FROM_OLD) != 0 ? LittleEndian.u16(bytes, header - Short.BYTES) : 0;
        int restLength = block.dataLength() - lengths - headerSize;
        int offnum = LittleEndian.u16(bytes, main + fields.newOffnum());
        int tuple = insertion.add(record, block, page, offnum, prefix + restLength + suffix);
        insertion.fillHeader(layout.tuple(), bytes, header, page, tuple);
        page.putI32(tuple + HeapTuple.T_XMAX, LittleEndian.i32(bytes, main + fields.newXmax()));
        if (prefix + suffix == 0) {
            page.put(tuple + HeapTuple.HEADER_SIZE_BYTES, bytes, header + headerSize, restLength);
        } else if (samePage) {
            RecordData rest = new RecordData(bytes, header + headerSize, restLength);
            putBody(page, tuple, LittleEndian.u16(bytes, main + 4), rest, prefix, suffix);
        } else {
            throw new PageException("the record leaves out columns of a tuple on another page");
        }
        if ((flags & XLH_UPDATE_NEW_ALL_VISIBLE_CLEARED) != 0) {
            page.clearFlags(Page.PD_ALL_VISIBLE);
        }
    }

    /** Bitmap and padding of the record, prefix of the old tuple's columns, the rest of the record, suffix of the old columns. */
    private static void putBody(Page page, int tuple, int oldOffnum, RecordData rest, int prefix, int suffix) {
        int old = page.itemOffset(oldOffnum);
        int oldEnd = old + page.itemLength(oldOffnum);
        int oldColumns = old + page.u8(old + HeapTuple.T_HOFF);
        if (oldColumns + Math.max(prefix, suffix) > oldEnd) {
            throw new PageException("tuple " + oldOffnum + " has fewer than the " + Math.max(prefix, suffix)
                    + " bytes of columns that the new one takes from it");
        }
        int to = tuple + HeapTuple.HEADER_SIZE_BYTES;
        if (prefix > 0) {
            int bitmap = page.u8(tuple + HeapTuple.T_HOFF) - HeapTuple.HEADER_SIZE_BYTES;
            page.put(to, rest.array(), rest.take(bitmap), bitmap);
            to += bitmap;
            page.put(to, page.bytes(), oldColumns, prefix);
            to += prefix;
        }
        int restLength = rest.remaining();
        page.put(to, rest.array(), rest.take(restLength), restLength);
        page.put(to + restLength, page.bytes(), oldEnd - suffix, suffix);
    }
}
