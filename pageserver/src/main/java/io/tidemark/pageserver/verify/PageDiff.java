package io.tidemark.pageserver.verify;

import io.tidemark.pageserver.pgpage.Page;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** What differs between two pages, in the words of the page's layout. */
public final class PageDiff {
    private static final int MAX_LINES = 40;
    private static final int MAX_BYTES = 32;

    private PageDiff() {}

    /**
     * The differences, one line each, expected value first; empty when there are none.
     *
     * @param expected what PostgreSQL has
     * @param actual what redo made
     */
    public static List<String> describe(byte[] expected, byte[] actual) {
        Page left = new Page(expected);
        Page right = new Page(actual);
        List<String> lines = new ArrayList<>();
        if (left.lsn() != right.lsn()) {
            lines.add("pd_lsn %X/%X, have %X/%X"
                    .formatted(left.lsn() >>> 32, (int) left.lsn(), right.lsn() >>> 32, (int) right.lsn()));
        }
        header(lines, left, right, "pd_checksum", Page.PD_CHECKSUM);
        header(lines, left, right, "pd_flags", Page.PD_FLAGS);
        header(lines, left, right, "pd_lower", Page.PD_LOWER);
        header(lines, left, right, "pd_upper", Page.PD_UPPER);
        header(lines, left, right, "pd_special", Page.PD_SPECIAL);
        header(lines, left, right, "pd_pagesize_version", Page.PD_PAGESIZE_VERSION);
        if (left.i32(Page.PD_PRUNE_XID) != right.i32(Page.PD_PRUNE_XID)) {
            lines.add("pd_prune_xid " + Integer.toUnsignedString(left.i32(Page.PD_PRUNE_XID)) + ", have "
                    + Integer.toUnsignedString(right.i32(Page.PD_PRUNE_XID)));
        }
        ranges(lines, left, right);
        if (lines.size() > MAX_LINES) {
            int more = lines.size() - MAX_LINES;
            lines = new ArrayList<>(lines.subList(0, MAX_LINES));
            lines.add("... and " + more + " more");
        }
        return lines;
    }

    private static void header(List<String> lines, Page left, Page right, String field, int at) {
        if (left.u16(at) != right.u16(at)) {
            lines.add("%s %d (0x%X), have %d (0x%X)"
                    .formatted(field, left.u16(at), left.u16(at), right.u16(at), right.u16(at)));
        }
    }

    private static void ranges(List<String> lines, Page left, Page right) {
        byte[] expected = left.bytes();
        byte[] actual = right.bytes();
        int at = Page.HEADER_SIZE_BYTES;
        while (at < Page.SIZE_BYTES) {
            if (expected[at] == actual[at]) {
                at++;
                continue;
            }
            int end = at + 1;
            while (end < Page.SIZE_BYTES && (expected[end] != actual[end] || end % 4 != 0)) {
                end++;
            }
            int shown = Math.min(end, at + MAX_BYTES);
            lines.add("bytes %d to %d (%s): %s, have %s"
                    .formatted(
                            at,
                            end,
                            place(left, at),
                            HexFormat.of().formatHex(expected, at, shown),
                            HexFormat.of().formatHex(actual, at, shown)));
            at = end;
        }
    }

    private static String place(Page page, int at) {
        if (at < page.lower()) {
            return "line pointer " + ((at - Page.HEADER_SIZE_BYTES) / 4 + 1);
        }
        if (page.special() > 0 && at >= page.special()) {
            return "special area + " + (at - page.special());
        }
        for (int offnum = 1; offnum <= page.maxOffset(); offnum++) {
            int offset = page.itemOffset(offnum);
            if (at >= offset && at < offset + Page.align8(page.itemLength(offnum))) {
                return "tuple " + offnum + " + " + (at - offset);
            }
        }
        return at < page.upper() ? "unused space" : "no tuple";
    }
}
