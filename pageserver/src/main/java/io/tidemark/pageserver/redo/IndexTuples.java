package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageException;
import io.tidemark.wire.wal.LittleEndian;

/** Index tuples (itup.h) as records carry them: back to back, unaligned, each saying its own size in t_info. */
final class IndexTuples {
    /** sizeof(IndexTupleData): t_tid, then t_info. */
    private static final int HEADER_SIZE_BYTES = 8;

    private static final int T_INFO = 6;
    private static final int INDEX_SIZE_MASK = 0x1FFF;

    private IndexTuples() {}

    /** IndexTupleSize of the tuple that {@code data} has next; throws unless all of it is there. */
    static int nextSize(RecordData data) {
        if (data.remaining() < HEADER_SIZE_BYTES) {
            throw new PageException("the record ends inside an index tuple");
        }
        int size = LittleEndian.u16(data.array(), data.position() + T_INFO) & INDEX_SIZE_MASK;
        if (size < HEADER_SIZE_BYTES || size > data.remaining()) {
            throw new PageException(
                    "an index tuple of " + size + " bytes where the record has " + data.remaining() + " left");
        }
        return size;
    }

    /** Adds the next tuple to the page under this number. */
    static void add(Page page, RecordData data, int offnum) {
        int size = nextSize(data);
        page.addItem(data.array(), data.take(size), size, offnum);
    }

    /** Adds all tuples that are left behind those of the page; returns how many. */
    static int appendAll(Page page, RecordData data) {
        int count = 0;
        while (data.remaining() > 0) {
            add(page, data, page.maxOffset() + 1);
            count++;
        }
        return count;
    }

    /** Throws unless a page got as many tuples as the record announced. */
    static void requireCount(int announced, int added) {
        if (announced != added) {
            throw new PageException("the record announces " + announced + " tuples and has " + added);
        }
    }
}
