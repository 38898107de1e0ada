package io.tidemark.pageserver.verify;

import io.tidemark.pageserver.pgpage.Page;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What is on one page, field by field: header, line pointers, the fixed part of each tuple, special area. Believes nothing: of a page
 * that is nonsense the header is told, and what follows from it as far as it stays on the page.
 */
public final class PageFields {
    private static final List<String> LP_FLAGS = List.of("unused", "normal", "redirect", "dead");

    private PageFields() {}

    /**
     * One field.
     *
     * @param where {@code header}, {@code line pointer 3}, {@code tuple 3} or {@code special area}
     * @param name as in PostgreSQL
     */
    public record Field(String where, String name, String value) {
        @Override
        public String toString() {
            return where + ": " + name + " " + value;
        }
    }

    /** What kind of page it is, in lower case, told from its special area: {@code heap}, {@code btree}, {@code new}, ... */
    public static String kind(byte[] page) {
        return PageKind.of(page).name().toLowerCase(Locale.ROOT);
    }

    /** The fields in their order on the page. */
    public static List<Field> of(byte[] bytes) {
        Page page = new Page(bytes);
        PageKind kind = PageKind.of(bytes);
        List<Field> fields = new ArrayList<>();
        add(fields, "header", page, PageField.HEADER, 0);
        boolean sane =
                page.lower() <= page.upper() && page.upper() <= page.special() && page.special() <= Page.SIZE_BYTES;
        int items = sane ? page.maxOffset() : 0;
        for (int offnum = 1; offnum <= items; offnum++) {
            String place = page.itemFlags(offnum) == Page.LP_REDIRECT
                    ? "redirect to " + page.itemOffset(offnum)
                    : LP_FLAGS.get(page.itemFlags(offnum)) + " at " + page.itemOffset(offnum) + " of "
                            + page.itemLength(offnum);
            fields.add(new Field("line pointer " + offnum, "lp", place));
        }
        List<PageField> tuple = PageField.ofTuple(kind);
        for (int offnum = 1; offnum <= items && !tuple.isEmpty(); offnum++) {
            int at = page.itemOffset(offnum);
            int end = at + tuple.getLast().offset() + tuple.getLast().size();
            boolean stored = page.itemFlags(offnum) == Page.LP_NORMAL || page.itemFlags(offnum) == Page.LP_DEAD;
            if (stored && page.itemLength(offnum) > 0 && at >= Page.HEADER_SIZE_BYTES && end <= Page.SIZE_BYTES) {
                add(fields, "tuple " + offnum, page, tuple, at);
            }
        }
        add(fields, "special area", page, PageField.ofSpecial(kind), 0);
        return fields;
    }

    private static void add(List<Field> to, String where, Page page, List<PageField> fields, int struct) {
        for (PageField field : fields) {
            to.add(new Field(where, field.name(), field.show(page, struct)));
        }
    }
}
