package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.GinPage;
import io.tidemark.pageserver.pgpage.GinPostingList;
import io.tidemark.pageserver.pgpage.ItemPointer;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageException;
import java.util.Arrays;

/**
 * What a record says about the segments of a posting tree leaf page (ginxlogRecompressDataLeaf; ginRedoRecompress).
 *
 * <pre>
 *   nactions(u16), then for each: segno(u8) type(u8) and
 *     1 DELETE      -
 *     2 INSERT      a segment, put before segment segno; at the end when there is no such segment
 *     3 REPLACE     a segment
 *     4 ADDITEMS    n(u16) TID[n], merged into the segment, which is encoded anew
 * </pre>
 *
 * <p>segno counts the segments as they were before the record, in ascending order.
 */
final class GinRecompression {
    private static final int DELETE = 1;
    private static final int INSERT = 2;
    private static final int REPLACE = 3;
    private static final int ADD_ITEMS = 4;

    private final Page page;

    /** The segments before the record: the page is written over while they are read. */
    private final byte[] old;

    /** The next old segment, by place and by number. */
    private int read;

    private int segno;

    /** Where the next segment goes on the page. */
    private int write = GinPage.CONTENT;

    private GinRecompression(Page page) {
        this.page = page;
        int lower = page.lower();
        if (lower < GinPage.CONTENT || lower > page.special()) {
            throw new PageException("a posting tree leaf page with pd_lower " + lower);
        }
        this.old = Arrays.copyOfRange(page.bytes(), GinPage.CONTENT, lower);
    }

    /** Carries out the actions on a posting tree leaf page, whose segments are compressed first if they are not yet. */
    static void apply(Page page, RecordData actions) {
        GinPage.requirePostingTree(page, true);
        if ((GinPage.flags(page) & GinPage.COMPRESSED) == 0) {
            compress(page);
        }
        GinRecompression recompression = new GinRecompression(page);
        int count = actions.u16();
        for (int i = 0; i < count; i++) {
            recompression.act(actions);
        }
        recompression.finish();
    }

    /** Turns a leaf page from before 9.4, a plain array of TIDs, into one with at most one segment. */
    private static void compress(Page page) {
        int count = page.u16(GinPage.MAXOFF);
        int size = 0;
        if (count > 0) {
            if (count * ItemPointer.SIZE_BYTES > page.special() - GinPage.CONTENT) {
                throw new PageException("maxoff " + count + ", so many TIDs have no room on a page");
            }
            long[] numbers = new long[count];
            for (int i = 0; i < count; i++) {
                numbers[i] = GinPostingList.toNumber(page.bytes(), GinPage.CONTENT + i * ItemPointer.SIZE_BYTES);
            }
            size = GinPostingList.encode(numbers, page.bytes(), GinPage.CONTENT, page.special());
        }
        page.setLower(GinPage.CONTENT + size);
        page.putU16(GinPage.MAXOFF, 0);
        GinPage.setFlags(page, GinPage.COMPRESSED);
    }

    private void act(RecordData actions) {
        int wanted = actions.u8();
        int type = actions.u8();
        if (wanted < segno) {
            throw new PageException("segment " + wanted + " after segment " + segno);
        }
        while (segno < wanted) {
            int size = oldSize();
            put(old, read, size);
            skipOld(size);
        }
        switch (type) {
            case DELETE -> skipOld(oldSize());
            case INSERT -> putFrom(actions);
            case REPLACE -> {
                putFrom(actions);
                skipOld(oldSize());
            }
            case ADD_ITEMS -> {
                addItems(actions);
                skipOld(oldSize());
            }
            default -> throw new PageException("unknown action " + type + " on a posting list segment");
        }
    }

    private void finish() {
        put(old, read, old.length - read);
        page.setLower(write);
    }

    private int oldSize() {
        return GinPostingList.size(old, read, old.length);
    }

    private void skipOld(int size) {
        read += size;
        segno++;
    }

    private void putFrom(RecordData actions) {
        int size = GinPostingList.size(actions.array(), actions.position(), actions.end());
        put(actions.array(), actions.take(size), size);
    }

    private void put(byte[] from, int offset, int size) {
        if (size > page.special() - write) {
            throw new PageException("no room for a posting list segment of " + size + " bytes");
        }
        page.put(write, from, offset, size);
        write += size;
    }

    private void addItems(RecordData actions) {
        int count = actions.u16();
        int at = actions.take(count * ItemPointer.SIZE_BYTES);
        long[] added = new long[count];
        for (int i = 0; i < count; i++) {
            added[i] = GinPostingList.toNumber(actions.array(), at + i * ItemPointer.SIZE_BYTES);
        }
        long[] merged = merge(added, GinPostingList.decode(old, read, old.length));
        write += GinPostingList.encode(merged, page.bytes(), write, page.special());
    }

    /** ginMergeItemPointers: both ascending; what is in both is kept once. */
    static long[] merge(long[] a, long[] b) {
        long[] merged = new long[a.length + b.length];
        int i = 0;
        int j = 0;
        int count = 0;
        while (i < a.length && j < b.length) {
            long next = Math.min(a[i], b[j]);
            i += a[i] == next ? 1 : 0;
            j += b[j] == next ? 1 : 0;
            merged[count++] = next;
        }
        while (i < a.length) {
            merged[count++] = a[i++];
        }
        while (j < b.length) {
            merged[count++] = b[j++];
        }
        return count == merged.length ? merged : Arrays.copyOf(merged, count);
    }
}
