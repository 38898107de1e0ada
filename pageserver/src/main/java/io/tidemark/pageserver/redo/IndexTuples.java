package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.IndexTuple;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageException;

/** Index tuples (itup.h) as records carry them: back to back, unaligned, each saying its own size in t_info. */
final class IndexTuples {
    private IndexTuples() {}

    /** IndexTupleSize of the tuple that {@code data} has next; throws unless all of it is there. */
    static int nextSize(RecordData data) {
        if (data.remaining() < IndexTuple.HEADER_SIZE_BYTES) {
            throw new PageException("the record ends inside an index tuple");
        }
        int size = IndexTuple.size(data.array(), data.position());
        if (size < IndexTuple.HEADER_SIZE_BYTES || size > data.remaining()) {
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
