package io.tidemark.pageserver.verify;

import io.tidemark.pageserver.pgpage.Page;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;

/**
 * What differs between two pages: the fields of the header, line pointers, the fields of tuples and of the special area by kind of
 * page; then, as bytes with the place they are in, whatever no field covers.
 *
 * <p>Believes nothing: a page may be nonsense, and is described all the same.
 */
public final class PageDiff {
    private static final int MAX_LINES = 40;
    private static final int MAX_BYTES = 32;
    private static final int ITEM_SIZE_BYTES = 4;
    private static final List<String> LP_FLAGS = List.of("unused", "normal", "redirect", "dead");

    private final Page expected;
    private final Page actual;
    private final PageKind kind;
    private final BitSet described = new BitSet(Page.SIZE_BYTES);
    private final List<String> lines = new ArrayList<>();

    private PageDiff(byte[] expected, byte[] actual) {
        this.expected = new Page(expected);
        this.actual = new Page(actual);
        PageKind wanted = PageKind.of(expected);
        this.kind = wanted == PageKind.NEW ? PageKind.of(actual) : wanted;
    }

    /**
     * The differences, one line each, the expected value first; empty when there are none.
     *
     * @param expected what PostgreSQL has
     * @param actual what redo made
     */
    public static List<String> describe(byte[] expected, byte[] actual) {
        PageDiff diff = new PageDiff(expected, actual);
        diff.fields("", PageField.HEADER, 0);
        int items = Math.max(itemsOf(diff.expected), itemsOf(diff.actual));
        for (int offnum = 1; offnum <= items; offnum++) {
            diff.linePointer(offnum);
        }
        for (int offnum = 1; offnum <= items; offnum++) {
            diff.tuple(offnum);
        }
        diff.fields("special area: ", PageField.ofSpecial(diff.kind), 0);
        diff.rest();
        if (diff.lines.size() > MAX_LINES) {
            List<String> shown = new ArrayList<>(diff.lines.subList(0, MAX_LINES));
            shown.add("... and " + (diff.lines.size() - MAX_LINES) + " more");
            return shown;
        }
        return diff.lines;
    }

    /** Line pointers, on a page whose header can be believed and whose contents are such. */
    private static int itemsOf(Page page) {
        boolean sane =
                page.lower() <= page.upper() && page.upper() <= page.special() && page.special() <= Page.SIZE_BYTES;
        return sane ? page.maxOffset() : 0;
    }

    private void fields(String where, List<PageField> fields, int struct) {
        for (PageField field : fields) {
            int at = struct + field.offset();
            if (!Arrays.equals(expected.bytes(), at, at + field.size(), actual.bytes(), at, at + field.size())) {
                lines.add(where + field.name() + " " + field.show(expected, struct) + ", have "
                        + field.show(actual, struct));
            }
            described.set(at, at + field.size());
        }
    }

    private void linePointer(int offnum) {
        int at = Page.HEADER_SIZE_BYTES + ITEM_SIZE_BYTES * (offnum - 1);
        described.set(at, at + ITEM_SIZE_BYTES);
        if (expected.item(offnum) != actual.item(offnum)) {
            lines.add("line pointer " + offnum + ": " + show(expected, offnum) + ", have " + show(actual, offnum));
        }
    }

    private static String show(Page page, int offnum) {
        if (offnum > itemsOf(page)) {
            return "none";
        }
        int flags = page.itemFlags(offnum);
        return flags == Page.LP_REDIRECT
                ? "redirect to " + page.itemOffset(offnum)
                : LP_FLAGS.get(flags) + " at " + page.itemOffset(offnum) + " of " + page.itemLength(offnum);
    }

    /** Only where both pages have the tuple in the same place; a moved one has been told as a line pointer. */
    private void tuple(int offnum) {
        int at = expected.itemOffset(offnum);
        int end = at + expected.itemLength(offnum);
        List<PageField> fields = PageField.ofTuple(kind);
        boolean comparable = offnum <= Math.min(itemsOf(expected), itemsOf(actual))
                && at == actual.itemOffset(offnum)
                && at >= Page.HEADER_SIZE_BYTES
                && end <= Page.SIZE_BYTES
                && !fields.isEmpty();
        if (comparable
                && end - at >= fields.getLast().offset() + fields.getLast().size()) {
            fields("tuple " + offnum + ": ", fields, at);
        }
    }

    /** Runs of differing bytes that no field has told; short agreements in between do not end a run. */
    private void rest() {
        int at = 0;
        while (at < Page.SIZE_BYTES) {
            if (isTold(at)) {
                at++;
                continue;
            }
            int end = at + 1;
            while (end < Page.SIZE_BYTES && (!isTold(end) || end % ITEM_SIZE_BYTES != 0)) {
                end++;
            }
            while (isTold(end - 1)) {
                end--;
            }
            int shown = Math.min(end, at + MAX_BYTES);
            String more = shown < end ? "..." : "";
            HexFormat hex = HexFormat.of();
            lines.add("bytes %d to %d, %s: %s%s, have %s%s"
                    .formatted(
                            at,
                            end,
                            place(at),
                            hex.formatHex(expected.bytes(), at, shown),
                            more,
                            hex.formatHex(actual.bytes(), at, shown),
                            more));
            at = end;
        }
    }

    private boolean isTold(int at) {
        return described.get(at) || expected.u8(at) == actual.u8(at);
    }

    private String place(int at) {
        if (at >= expected.special() && expected.special() >= Page.HEADER_SIZE_BYTES) {
            return "special area + " + (at - expected.special());
        }
        for (int offnum = 1; offnum <= itemsOf(expected); offnum++) {
            int offset = expected.itemOffset(offnum);
            if (at >= offset && at < offset + Page.align8(expected.itemLength(offnum))) {
                return "tuple " + offnum + " + " + (at - offset);
            }
        }
        return at >= expected.lower() && at < expected.upper() ? "unused space" : "contents";
    }
}
