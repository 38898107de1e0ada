package io.tidemark.pageserver.pgpage;

/**
 * A page of a BRIN index (brin_page.h): its kind is in the last bytes.
 *
 * <pre>
 *   8188 flags(u16) | 8190 type(u16)
 *
 *   meta      24 brinMagic(u32) | 28 brinVersion(u32) | 32 pagesPerRange(u32) | 36 lastRevmapPage(u32)      pd_lower = 40
 *   revmap    24 rm_tids(6 each)(1360)     where a range's summary is; pd_lower stays 24
 *   regular   line pointers and tuples, with unused line pointers among them: the revmap knows tuples by number
 * </pre>
 */
public final class BrinPage {
    /** sizeof(BrinSpecialSpace). */
    public static final int SPECIAL_SIZE_BYTES = 8;

    public static final int SPECIAL = Page.SIZE_BYTES - SPECIAL_SIZE_BYTES;

    public static final int FLAGS = SPECIAL + 4;
    public static final int TYPE = SPECIAL + 6;

    public static final int BRIN_EVACUATE_PAGE = 1;

    public static final int BRIN_PAGETYPE_META = 0xF091;
    public static final int BRIN_PAGETYPE_REVMAP = 0xF092;
    public static final int BRIN_PAGETYPE_REGULAR = 0xF093;

    public static final int BRIN_MAGIC = 24;
    public static final int BRIN_VERSION = 28;
    public static final int PAGES_PER_RANGE = 32;
    public static final int LAST_REVMAP_PAGE = 36;
    public static final int META_END = 40;
    public static final int BRIN_META_MAGIC = 0xA8109CFA;

    public static final int RM_TIDS = 24;

    /** REVMAP_PAGE_MAXITEMS. */
    public static final int REVMAP_PAGE_MAXITEMS = 1360;

    private BrinPage() {}

    /** brin_page_init. */
    public static void init(Page page, int type) {
        page.init(SPECIAL_SIZE_BYTES);
        page.putU16(TYPE, type);
    }

    /** brin_metapage_init: the first page of the revmap is still to come. */
    public static void initMeta(Page page, int pagesPerRange, int version) {
        init(page, BRIN_PAGETYPE_META);
        page.putI32(BRIN_MAGIC, BRIN_META_MAGIC);
        page.putI32(BRIN_VERSION, version);
        page.putI32(PAGES_PER_RANGE, pagesPerRange);
        page.setLower(META_END);
    }

    /** Throws unless this is a page of that kind. */
    public static void require(Page page, int type) {
        if (page.special() != SPECIAL || page.u16(TYPE) != type) {
            throw new PageException("not a BRIN page of type %04X: type %04X, special area at %d"
                    .formatted(type, page.u16(TYPE), page.special()));
        }
    }

    /** brinSetHeapBlockItemptr: enters where the summary of a heap block's range is. */
    public static void setRange(Page page, int pagesPerRange, int heapBlock, int block, int offnum) {
        ItemPointer.put(page.bytes(), rangeAt(pagesPerRange, heapBlock), block, offnum);
    }

    /** The same, for a range without a summary. */
    public static void clearRange(Page page, int pagesPerRange, int heapBlock) {
        ItemPointer.putInvalid(page.bytes(), rangeAt(pagesPerRange, heapBlock));
    }

    /** HEAPBLK_TO_REVMAP_INDEX. */
    private static int rangeAt(int pagesPerRange, int heapBlock) {
        if (pagesPerRange == 0) {
            throw new PageException("ranges of no pages");
        }
        int range = Integer.divideUnsigned(heapBlock, pagesPerRange);
        return RM_TIDS + ItemPointer.SIZE_BYTES * Integer.remainderUnsigned(range, REVMAP_PAGE_MAXITEMS);
    }
}
