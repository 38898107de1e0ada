package io.tidemark.pageserver.pgpage;

import io.tidemark.wire.wal.LittleEndian;
import java.util.Arrays;

/**
 * A page of 8192 bytes with PostgreSQL's page header (PageHeaderData in bufpage.h), changed in place.
 *
 * <pre>
 *   0 pd_lsn high(u32) low(u32) | 8 pd_checksum(u16) | 10 pd_flags(u16) | 12 pd_lower(u16) | 14 pd_upper(u16)
 *   16 pd_special(u16) | 18 pd_pagesize_version(u16) | 20 pd_prune_xid(u32) | 24 line pointers(u32 each) ...
 *   line pointer: bits 0-14 lp_off, 15-16 lp_flags, 17-31 lp_len
 * </pre>
 *
 * <p>Item numbers (offnum) are 1-based, as in PostgreSQL. A flyweight: {@link #wrap} makes it look at another array.
 */
public final class Page {
    public static final int SIZE_BYTES = 8192;
    public static final int HEADER_SIZE_BYTES = 24;

    public static final int PD_LSN = 0;
    public static final int PD_CHECKSUM = 8;
    public static final int PD_FLAGS = 10;
    public static final int PD_LOWER = 12;
    public static final int PD_UPPER = 14;
    public static final int PD_SPECIAL = 16;
    public static final int PD_PAGESIZE_VERSION = 18;
    public static final int PD_PRUNE_XID = 20;

    public static final int PD_HAS_FREE_LINES = 0x0001;
    public static final int PD_PAGE_FULL = 0x0002;
    public static final int PD_ALL_VISIBLE = 0x0004;

    /** The page size with the layout version 4 in its low byte. */
    public static final int PAGESIZE_VERSION = SIZE_BYTES | 4;

    public static final int LP_UNUSED = 0;
    public static final int LP_NORMAL = 1;
    public static final int LP_REDIRECT = 2;
    public static final int LP_DEAD = 3;

    /** MaxHeapTuplesPerPage. */
    public static final int MAX_HEAP_TUPLES = 291;

    static final int ITEM_SIZE_BYTES = 4;

    private byte[] bytes;

    /** @param bytes exactly {@link #SIZE_BYTES} long */
    public Page(byte[] bytes) {
        this.bytes = check(bytes);
    }

    public void wrap(byte[] other) {
        bytes = check(other);
    }

    private static byte[] check(byte[] bytes) {
        if (bytes.length != SIZE_BYTES) {
            throw new IllegalArgumentException("a page has " + SIZE_BYTES + " bytes, not " + bytes.length);
        }
        return bytes;
    }

    /** The bytes themselves. */
    public byte[] bytes() {
        return bytes;
    }

    // Plain access.

    public int u8(int at) {
        return bytes[at] & 0xFF;
    }

    public int u16(int at) {
        return LittleEndian.u16(bytes, at);
    }

    public int i32(int at) {
        return LittleEndian.i32(bytes, at);
    }

    public long i64(int at) {
        return LittleEndian.i64(bytes, at);
    }

    public void putU8(int at, int value) {
        bytes[at] = (byte) value;
    }

    public void putU16(int at, int value) {
        LittleEndian.putU16(bytes, at, value);
    }

    public void putI32(int at, int value) {
        LittleEndian.putI32(bytes, at, value);
    }

    public void putI64(int at, long value) {
        LittleEndian.putI64(bytes, at, value);
    }

    public void put(int at, byte[] from, int offset, int length) {
        System.arraycopy(from, offset, bytes, at, length);
    }

    // The header.

    /** pd_lsn; the high word comes first on the page. */
    public long lsn() {
        return (long) i32(PD_LSN) << 32 | Integer.toUnsignedLong(i32(PD_LSN + 4));
    }

    public void setLsn(long lsn) {
        putI32(PD_LSN, (int) (lsn >>> 32));
        putI32(PD_LSN + 4, (int) lsn);
    }

    /** PageIsNew: never initialised. */
    public boolean isNew() {
        return u16(PD_UPPER) == 0;
    }

    public int flags() {
        return u16(PD_FLAGS);
    }

    public void setFlags(int flags) {
        putU16(PD_FLAGS, flags);
    }

    public void clearFlags(int flags) {
        putU16(PD_FLAGS, flags() & ~flags);
    }

    public int lower() {
        return u16(PD_LOWER);
    }

    public void setLower(int lower) {
        putU16(PD_LOWER, lower);
    }

    public int upper() {
        return u16(PD_UPPER);
    }

    public void setUpper(int upper) {
        putU16(PD_UPPER, upper);
    }

    public int special() {
        return u16(PD_SPECIAL);
    }

    /** PageInit: all zeros but the header, with a special area of the given size. */
    public void init(int specialSizeBytes) {
        Arrays.fill(bytes, (byte) 0);
        int special = SIZE_BYTES - align8(specialSizeBytes);
        setLower(HEADER_SIZE_BYTES);
        setUpper(special);
        putU16(PD_SPECIAL, special);
        putU16(PD_PAGESIZE_VERSION, PAGESIZE_VERSION);
    }

    /** PageSetPrunable: remembers the oldest xid whose tuples may be pruned, compared modulo 2^32. */
    public void setPrunable(int xid) {
        int current = i32(PD_PRUNE_XID);
        if (current == 0 || precedes(xid, current)) {
            putI32(PD_PRUNE_XID, xid);
        }
    }

    /** TransactionIdPrecedes. */
    private static boolean precedes(int xid, int other) {
        boolean bothNormal = Integer.compareUnsigned(xid, 3) >= 0 && Integer.compareUnsigned(other, 3) >= 0;
        return bothNormal ? xid - other < 0 : Integer.compareUnsigned(xid, other) < 0;
    }

    /** Throws unless pd_lower, pd_upper and pd_special can be those of an initialised page. */
    public void requireSaneHeader() {
        int lower = lower();
        int upper = upper();
        int special = special();
        if (lower < HEADER_SIZE_BYTES || lower > upper || upper > special || special > SIZE_BYTES) {
            throw new PageException(
                    "corrupted page pointers: lower " + lower + ", upper " + upper + ", special " + special);
        }
    }

    // Line pointers.

    /** PageGetMaxOffsetNumber: how many line pointers there are. */
    public int maxOffset() {
        int lower = lower();
        return lower <= HEADER_SIZE_BYTES ? 0 : (lower - HEADER_SIZE_BYTES) / ITEM_SIZE_BYTES;
    }

    static int itemAt(int offnum) {
        return HEADER_SIZE_BYTES + ITEM_SIZE_BYTES * (offnum - 1);
    }

    /** The raw line pointer. */
    public int item(int offnum) {
        return i32(itemAt(offnum));
    }

    public void setItem(int offnum, int item) {
        putI32(itemAt(offnum), item);
    }

    public void setItem(int offnum, int offset, int lpFlags, int length) {
        setItem(offnum, makeItem(offset, lpFlags, length));
    }

    static int makeItem(int offset, int lpFlags, int length) {
        return offset | lpFlags << 15 | length << 17;
    }

    /** lp_off. */
    public int itemOffset(int offnum) {
        return item(offnum) & 0x7FFF;
    }

    /** lp_flags. */
    public int itemFlags(int offnum) {
        return item(offnum) >>> 15 & 3;
    }

    /** lp_len. */
    public int itemLength(int offnum) {
        return item(offnum) >>> 17;
    }

    /** Where the tuple with this number starts; throws unless the line pointer exists, is normal and lies on the page. */
    public int requireNormal(int offnum) {
        requireItem(offnum);
        int item = item(offnum);
        if ((item >>> 15 & 3) != LP_NORMAL) {
            throw new PageException("line pointer " + offnum + " is not a normal one: " + describe(offnum));
        }
        return item & 0x7FFF;
    }

    /** Throws unless there is a line pointer of this number whose tuple, if any, lies inside the page. */
    public void requireItem(int offnum) {
        if (offnum < 1 || offnum > maxOffset()) {
            throw new PageException("no line pointer " + offnum + ", the page has " + maxOffset());
        }
        if (itemLength(offnum) != 0 && itemOffset(offnum) + itemLength(offnum) > SIZE_BYTES) {
            throw new PageException("line pointer " + offnum + " leads outside: " + describe(offnum));
        }
    }

    private String describe(int offnum) {
        return "lp_off " + itemOffset(offnum) + ", lp_flags " + itemFlags(offnum) + ", lp_len " + itemLength(offnum);
    }

    // Adding tuples.

    /**
     * PageAddItemExtended for an index page: no overwriting, no limit but the space.
     *
     * @param offnum where; 0 chooses as PostgreSQL does
     * @return the number the tuple got
     */
    public int addItem(byte[] from, int offset, int length, int offnum) {
        return addItem(from, offset, length, offnum, false, false);
    }

    /**
     * PageAddItemExtended. The bytes that alignment adds behind the tuple keep what was there.
     *
     * @param overwrite the line pointer may exist when it is unused
     * @param heapLimit no number above {@link #MAX_HEAP_TUPLES}
     */
    public int addItem(byte[] from, int offset, int length, int offnum, boolean overwrite, boolean heapLimit) {
        int chosen = allocate(length, offnum, overwrite, heapLimit);
        System.arraycopy(from, offset, bytes, itemOffset(chosen), length);
        return chosen;
    }

    /**
     * PageAddItemExtended as redo of the heap calls it, without the copy: the caller writes the tuple where this says.
     *
     * @param offnum a new number, or one whose line pointer is unused
     * @return where on the page the tuple's {@code length} bytes belong
     */
    public int addHeapItem(int offnum, int length) {
        if (offnum < 1) {
            throw new PageException("a heap tuple needs a number");
        }
        return itemOffset(allocate(length, offnum, true, true));
    }

    private int allocate(int length, int offnum, boolean overwrite, boolean heapLimit) {
        requireSaneHeader();
        int limit = maxOffset() + 1;
        int chosen = offnum == 0 ? freeItem(limit) : offnum;
        boolean exists = offnum != 0 && offnum < limit;
        if (exists && overwrite && (itemFlags(offnum) != LP_UNUSED || itemLength(offnum) != 0)) {
            throw new PageException("line pointer " + offnum + " is in use: " + describe(offnum));
        }
        boolean shuffle = exists && !overwrite;
        if (chosen > limit || heapLimit && chosen > MAX_HEAP_TUPLES) {
            throw new PageException("line pointer " + chosen + " is too high, the page has " + (limit - 1));
        }
        int newLower = chosen == limit || shuffle ? lower() + ITEM_SIZE_BYTES : lower();
        int newUpper = upper() - align8(length);
        if (newLower > newUpper) {
            throw new PageException("no room for " + length + " bytes: lower " + lower() + ", upper " + upper());
        }
        if (shuffle) {
            System.arraycopy(bytes, itemAt(chosen), bytes, itemAt(chosen + 1), (limit - chosen) * ITEM_SIZE_BYTES);
        }
        setItem(chosen, newUpper, LP_NORMAL, length);
        setLower(newLower);
        setUpper(newUpper);
        return chosen;
    }

    private int freeItem(int limit) {
        if ((flags() & PD_HAS_FREE_LINES) == 0) {
            return limit;
        }
        for (int offnum = 1; offnum < limit; offnum++) {
            if (itemFlags(offnum) == LP_UNUSED && itemLength(offnum) == 0) {
                return offnum;
            }
        }
        clearFlags(PD_HAS_FREE_LINES);
        return limit;
    }

    public static int align8(int length) {
        return length + 7 & ~7;
    }

    public static int align2(int length) {
        return length + 1 & ~1;
    }
}
