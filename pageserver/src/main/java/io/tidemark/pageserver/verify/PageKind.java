package io.tidemark.pageserver.verify;

import io.tidemark.pageserver.pgpage.BrinPage;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.wire.wal.ResourceManagers;

/** What a page is, told from its special area as pg_filedump does: nothing else on a page says so. */
enum PageKind {
    /** Never initialised. */
    NEW(-1),
    /** Also a page of a visibility map or free space map. */
    HEAP(ResourceManagers.HEAP),
    BTREE(ResourceManagers.BTREE),
    HASH(ResourceManagers.HASH),
    GIN(ResourceManagers.GIN),
    GIST(ResourceManagers.GIST),
    SPGIST(ResourceManagers.SPGIST),
    BRIN(ResourceManagers.BRIN),
    SEQUENCE(ResourceManagers.SEQUENCE),
    /** An index of an extension that uses generic WAL: bloom. */
    GENERIC(ResourceManagers.GENERIC);

    private static final int PAGE_ID = Page.SIZE_BYTES - 2;
    private static final int HASH_ID = 0xFF80;
    private static final int GIST_ID = 0xFF81;
    private static final int SPGIST_ID = 0xFF82;
    private static final int BLOOM_ID = 0xFF83;
    private static final int SEQUENCE_MAGIC = 0x1717;

    private final int rmgrId;

    PageKind(int rmgrId) {
        this.rmgrId = rmgrId;
    }

    /** The resource manager under whose mask such a page is compared; -1 for a new page. */
    int rmgrId() {
        return rmgrId;
    }

    static PageKind of(byte[] bytes) {
        Page page = new Page(bytes);
        if (page.isNew()) {
            return NEW;
        }
        int id = page.u16(PAGE_ID);
        return switch (Page.SIZE_BYTES - page.special()) {
            case 0 -> HEAP;
            case 16 -> id == HASH_ID ? HASH : id == GIST_ID ? GIST : BTREE;
            case 8 -> withSmallSpecial(page, id);
            default -> GENERIC;
        };
    }

    /** A GIN page whose right link is the sequences' magic would pass for a sequence; these have one tuple and no more. */
    private static PageKind withSmallSpecial(Page page, int id) {
        return switch (id) {
            case SPGIST_ID -> SPGIST;
            case BLOOM_ID -> GENERIC;
            case BrinPage.BRIN_PAGETYPE_META, BrinPage.BRIN_PAGETYPE_REVMAP, BrinPage.BRIN_PAGETYPE_REGULAR -> BRIN;
            default -> page.i64(page.special()) == SEQUENCE_MAGIC && page.maxOffset() == 1 ? SEQUENCE : GIN;
        };
    }
}
