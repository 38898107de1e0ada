package io.tidemark.pageserver.verify;

import io.tidemark.pageserver.pgpage.BrinPage;
import io.tidemark.pageserver.pgpage.BtreePage;
import io.tidemark.pageserver.pgpage.GinPage;
import io.tidemark.pageserver.pgpage.GistPage;
import io.tidemark.pageserver.pgpage.HashPage;
import io.tidemark.pageserver.pgpage.ItemPointer;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.SpgistPage;
import java.util.List;
import java.util.Locale;

/**
 * A field of a struct on a page, for people to read.
 *
 * @param name as in PostgreSQL
 * @param offset from the start of the struct
 * @param size in bytes
 */
record PageField(String name, int offset, int size, Form form) {
    /** How a value is written. */
    enum Form {
        NUMBER,
        BITS,
        TID,
        LSN
    }

    static final List<PageField> HEADER = List.of(
            new PageField("pd_lsn", Page.PD_LSN, 8, Form.LSN),
            number("pd_checksum", Page.PD_CHECKSUM, 2),
            bits("pd_flags", Page.PD_FLAGS, 2),
            number("pd_lower", Page.PD_LOWER, 2),
            number("pd_upper", Page.PD_UPPER, 2),
            number("pd_special", Page.PD_SPECIAL, 2),
            bits("pd_pagesize_version", Page.PD_PAGESIZE_VERSION, 2),
            number("pd_prune_xid", Page.PD_PRUNE_XID, 4));

    private static final List<PageField> HEAP_TUPLE = List.of(
            number("t_xmin", 0, 4),
            number("t_xmax", 4, 4),
            number("t_cid", 8, 4),
            new PageField("t_ctid", 12, ItemPointer.SIZE_BYTES, Form.TID),
            bits("t_infomask2", 18, 2),
            bits("t_infomask", 20, 2),
            number("t_hoff", 22, 1));

    private static final List<PageField> INDEX_TUPLE =
            List.of(new PageField("t_tid", 0, ItemPointer.SIZE_BYTES, Form.TID), bits("t_info", 6, 2));

    private static final List<PageField> SPGIST_TUPLE = List.of(bits("state and size", 0, 4));

    private static final List<PageField> BRIN_TUPLE = List.of(number("bt_blkno", 0, 4), bits("bt_info", 4, 1));

    private static final List<PageField> BTREE_SPECIAL = List.of(
            number("btpo_prev", BtreePage.BTPO_PREV, 4),
            number("btpo_next", BtreePage.BTPO_NEXT, 4),
            number("btpo_level", BtreePage.BTPO_LEVEL, 4),
            bits("btpo_flags", BtreePage.BTPO_FLAGS, 2),
            number("btpo_cycleid", BtreePage.BTPO_CYCLEID, 2));

    private static final List<PageField> HASH_SPECIAL = List.of(
            number("hasho_prevblkno", HashPage.HASHO_PREVBLKNO, 4),
            number("hasho_nextblkno", HashPage.HASHO_NEXTBLKNO, 4),
            number("hasho_bucket", HashPage.HASHO_BUCKET, 4),
            bits("hasho_flag", HashPage.HASHO_FLAG, 2));

    private static final List<PageField> GIN_SPECIAL = List.of(
            number("rightlink", GinPage.RIGHTLINK, 4),
            number("maxoff", GinPage.MAXOFF, 2),
            bits("flags", GinPage.FLAGS, 2));

    private static final List<PageField> GIST_SPECIAL = List.of(
            new PageField("nsn", GistPage.NSN, 8, Form.LSN),
            number("rightlink", GistPage.RIGHTLINK, 4),
            bits("flags", GistPage.FLAGS, 2));

    private static final List<PageField> SPGIST_SPECIAL = List.of(
            bits("flags", SpgistPage.FLAGS, 2),
            number("nRedirection", SpgistPage.N_REDIRECTION, 2),
            number("nPlaceholder", SpgistPage.N_PLACEHOLDER, 2));

    private static final List<PageField> BRIN_SPECIAL =
            List.of(bits("flags", BrinPage.FLAGS, 2), bits("type", BrinPage.TYPE, 2));

    private static PageField number(String name, int offset, int size) {
        return new PageField(name, offset, size, Form.NUMBER);
    }

    private static PageField bits(String name, int offset, int size) {
        return new PageField(name, offset, size, Form.BITS);
    }

    /** What every tuple of such a page starts with. */
    static List<PageField> ofTuple(PageKind kind) {
        return switch (kind) {
            case NEW, GENERIC -> List.of();
            case HEAP, SEQUENCE -> HEAP_TUPLE;
            case BTREE, HASH, GIN, GIST -> INDEX_TUPLE;
            case SPGIST -> SPGIST_TUPLE;
            case BRIN -> BRIN_TUPLE;
        };
    }

    /** The special area, with offsets from the start of the page. */
    static List<PageField> ofSpecial(PageKind kind) {
        return switch (kind) {
            case NEW, HEAP, SEQUENCE, GENERIC -> List.of();
            case BTREE -> BTREE_SPECIAL;
            case HASH -> HASH_SPECIAL;
            case GIN -> GIN_SPECIAL;
            case GIST -> GIST_SPECIAL;
            case SPGIST -> SPGIST_SPECIAL;
            case BRIN -> BRIN_SPECIAL;
        };
    }

    /** The field's value in words; {@code struct} is where its struct starts. */
    String show(Page page, int struct) {
        int at = struct + offset;
        return switch (form) {
            case NUMBER -> Long.toString(value(page, at));
            case BITS -> "0x" + Long.toHexString(value(page, at)).toUpperCase(Locale.ROOT);
            case TID ->
                "(" + Integer.toUnsignedString(ItemPointer.block(page.bytes(), at)) + ","
                        + ItemPointer.offnum(page.bytes(), at) + ")";
            case LSN -> "%X/%X".formatted(page.i32(at), page.i32(at + 4));
        };
    }

    private long value(Page page, int at) {
        long value = 0;
        for (int i = size - 1; i >= 0; i--) {
            value = value << 8 | page.u8(at + i);
        }
        return value;
    }
}
