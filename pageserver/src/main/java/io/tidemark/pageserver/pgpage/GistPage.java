package io.tidemark.pageserver.pgpage;

/**
 * A page of a GiST index: its special area, GISTPageOpaqueData in gist.h.
 *
 * <pre>
 *   8176 nsn high(u32) low(u32) | 8184 rightlink(u32) | 8188 flags(u16) | 8190 gist_page_id(u16)
 * </pre>
 *
 * <p>The NSN is the end LSN of the record that completed the page's last split; a scan that came from a parent with an older LSN
 * must follow the right link.
 */
public final class GistPage {
    public static final int NSN = 8176;
    public static final int RIGHTLINK = 8184;
    public static final int FLAGS = 8188;
    public static final int GIST_PAGE_ID = 8190;

    public static final int LEAF = 0x01;
    public static final int DELETED = 0x02;
    public static final int TUPLES_DELETED = 0x04;
    public static final int FOLLOW_RIGHT = 0x08;
    public static final int HAS_GARBAGE = 0x10;

    /** The block of the root page. */
    public static final int ROOT_BLOCK = 0;

    private static final int SPECIAL_SIZE_BYTES = 16;
    private static final int PAGE_ID = 0xFF81;

    /** InvalidBlockNumber: there is no page to the right. */
    private static final int NO_BLOCK = ItemPointer.NO_BLOCK;

    private GistPage() {}

    /** gistinitpage: empty, nothing to its right. */
    public static void init(Page page, int flags) {
        page.init(SPECIAL_SIZE_BYTES);
        page.putI32(RIGHTLINK, NO_BLOCK);
        page.putU16(FLAGS, flags);
        page.putU16(GIST_PAGE_ID, PAGE_ID);
    }

    /** The flags; throws unless the page says that it is a GiST page. */
    public static int flags(Page page) {
        if (page.special() != NSN || page.u16(GIST_PAGE_ID) != PAGE_ID) {
            throw new PageException("not a GiST page: pd_special is %d, the page id %04X"
                    .formatted(page.special(), page.u16(GIST_PAGE_ID)));
        }
        return page.u16(FLAGS);
    }

    public static void setFlags(Page page, int flags) {
        page.putU16(FLAGS, flags(page) | flags);
    }

    public static void clearFlags(Page page, int flags) {
        page.putU16(FLAGS, flags(page) & ~flags);
    }

    /** GistPageSetNSN; like pd_lsn, the high word comes first. */
    public static void setNsn(Page page, long nsn) {
        page.putI32(NSN, (int) (nsn >>> 32));
        page.putI32(NSN + 4, (int) nsn);
    }

    /** GistPageSetDeleted: the page has no tuples any more; where line pointers were, there is who might still look for it. */
    public static void setDeleted(Page page, long deleteXid) {
        setFlags(page, DELETED);
        page.setLower(Page.HEADER_SIZE_BYTES + Long.BYTES);
        page.putI64(Page.HEADER_SIZE_BYTES, deleteXid);
    }
}
