package io.tidemark.pageserver.pgpage;

import java.util.Arrays;

/**
 * A page of an SP-GiST index: its special area (SpGistPageOpaqueData in spgist_private.h), and how its tuples come and go without
 * changing each other's numbers.
 *
 * <pre>
 *   8184 flags(u16) | 8186 nRedirection(u16) | 8188 nPlaceholder(u16) | 8190 spgist_page_id(u16)
 * </pre>
 */
public final class SpgistPage {
    public static final int FLAGS = 8184;
    public static final int N_REDIRECTION = 8186;
    public static final int N_PLACEHOLDER = 8188;
    public static final int SPGIST_PAGE_ID = 8190;

    public static final int META = 0x01;
    public static final int DELETED = 0x02;
    public static final int LEAF = 0x04;
    public static final int NULLS = 0x08;

    private static final int SPECIAL_SIZE_BYTES = 8;
    private static final int PAGE_ID = 0xFF82;

    private SpgistPage() {}

    /** SpGistInitPage. */
    public static void init(Page page, int flags) {
        page.init(SPECIAL_SIZE_BYTES);
        page.putU16(FLAGS, flags);
        page.putU16(SPGIST_PAGE_ID, PAGE_ID);
    }

    /** Throws unless the page says that it is an SP-GiST page. */
    public static void require(Page page) {
        if (page.special() != FLAGS || page.u16(SPGIST_PAGE_ID) != PAGE_ID) {
            throw new PageException("not an SP-GiST page: pd_special is %d, the page id %04X"
                    .formatted(page.special(), page.u16(SPGIST_PAGE_ID)));
        }
    }

    /** Counts modulo 2^16 as PostgreSQL does: what the counters say is checked nowhere, neither there nor here. */
    public static void count(Page page, int counter, int change) {
        page.putU16(counter, page.u16(counter) + change);
    }

    /** Adds a tuple under the given number, in place of the placeholder that may have it (addOrReplaceTuple in spgxlog.c). */
    public static void addOrReplace(Page page, int offnum, byte[] from, int offset, int size) {
        if (offnum <= page.maxOffset()) {
            int state = SpgistTuple.state(page.bytes(), page.requireNormal(offnum));
            if (state != SpgistTuple.PLACEHOLDER) {
                throw new PageException("tuple " + offnum + " is to be replaced but of state " + state);
            }
            count(page, N_PLACEHOLDER, -1);
            PageSpace.deleteIndexTuple(page, offnum);
        }
        page.addItem(from, offset, size, offnum);
    }

    /** Puts another tuple in place of the one with this number. */
    public static void replace(Page page, int offnum, byte[] from, int offset, int size) {
        PageSpace.deleteIndexTuple(page, offnum);
        page.addItem(from, offset, size, offnum);
    }

    /** Makes a node of the inner tuple with the given number lead to another tuple. */
    public static void setNodeLink(Page page, int innerOffnum, int node, int block, int offnum) {
        int at = page.requireNormal(innerOffnum);
        SpgistTuple.setNodeLink(page.bytes(), at, at + page.itemLength(innerOffnum), node, block, offnum);
    }

    /** Sets the next offset of a leaf tuple. */
    public static void setNextOffset(Page page, int leafOffnum, int offnum) {
        SpgistTuple.setNextOffset(page.bytes(), page.requireNormal(leafOffnum), offnum);
    }

    /**
     * spgPageIndexMultiDelete: puts dead tuples in place of others.
     *
     * @param offnums in any order; the first of them gets {@code firstState}, the others {@code restState}
     * @param block where redirects lead, with {@code offnum} and {@code xid}
     */
    public static void kill(Page page, int[] offnums, int firstState, int restState, int block, int offnum, int xid) {
        if (offnums.length == 0) {
            return;
        }
        int[] sorted = offnums.clone();
        Arrays.sort(sorted);
        PageSpace.deleteIndexTuples(page, sorted, sorted.length);
        byte[] first = SpgistTuple.formDead(firstState, block, offnum, xid);
        byte[] rest = firstState == restState ? first : SpgistTuple.formDead(restState, block, offnum, xid);
        for (int killed : sorted) {
            page.addItem(killed == offnums[0] ? first : rest, 0, SpgistTuple.DEAD_SIZE_BYTES, killed);
        }
        countKilled(page, firstState, 1);
        countKilled(page, restState, sorted.length - 1);
    }

    private static void countKilled(Page page, int state, int killed) {
        switch (state) {
            case SpgistTuple.REDIRECT -> count(page, N_REDIRECTION, killed);
            case SpgistTuple.PLACEHOLDER -> count(page, N_PLACEHOLDER, killed);
            default -> {}
        }
    }
}
