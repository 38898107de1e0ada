package io.tidemark.pageserver.pgpage;

import io.tidemark.wire.wal.LittleEndian;

/**
 * The layouts of the SLRUs' pages, which have no header (clog.c, multixact.c). Page numbers count through all segments.
 *
 * <pre>
 *   clog      2 bits per xid: page xid / 32768, byte (xid % 32768) / 4, shift (xid % 4) * 2
 *             0 in progress, 1 committed, 2 aborted, 3 sub-committed
 *   offsets   u32 per multixact: page multi / 2048
 *   members   groups of 4 flag bytes and 4 xids, 20 bytes; 409 groups a page; page offset / 1636
 * </pre>
 */
public final class SlruPages {
    public static final int XIDS_PER_CLOG_PAGE = 32_768;
    public static final int MULTIS_PER_OFFSETS_PAGE = 2_048;
    public static final int MEMBERS_PER_PAGE = 1_636;

    public static final int COMMITTED = 1;
    public static final int ABORTED = 2;

    private static final int MEMBERS_PER_GROUP = 4;
    private static final int GROUP_BYTES = 20;

    private SlruPages() {}

    public static int clogPageOf(int xid) {
        return xid >>> 15;
    }

    public static int offsetsPageOf(int multi) {
        return multi >>> 11;
    }

    public static int membersPageOf(int offset) {
        return Integer.divideUnsigned(offset, MEMBERS_PER_PAGE);
    }

    public static int status(byte[] page, int xid) {
        return page[(xid & XIDS_PER_CLOG_PAGE - 1) >> 2] >> (xid & 3) * 2 & 3;
    }

    public static void setStatus(byte[] page, int xid, int status) {
        int at = (xid & XIDS_PER_CLOG_PAGE - 1) >> 2;
        int shift = (xid & 3) * 2;
        page[at] = (byte) (page[at] & ~(3 << shift) | status << shift);
    }

    public static int offset(byte[] page, int multi) {
        return LittleEndian.i32(page, 4 * (multi & MULTIS_PER_OFFSETS_PAGE - 1));
    }

    public static void setOffset(byte[] page, int multi, int offset) {
        LittleEndian.putI32(page, 4 * (multi & MULTIS_PER_OFFSETS_PAGE - 1), offset);
    }

    /** Writes one member. Its flag byte is the status, MultiXactStatus. */
    public static void setMember(byte[] page, int offset, int xid, int flags) {
        int inPage = Integer.remainderUnsigned(offset, MEMBERS_PER_PAGE);
        int group = inPage / MEMBERS_PER_GROUP * GROUP_BYTES;
        int member = inPage % MEMBERS_PER_GROUP;
        page[group + member] = (byte) flags;
        LittleEndian.putI32(page, group + MEMBERS_PER_GROUP + 4 * member, xid);
    }

    // Which pages a truncation removes: PagePrecedes of each SLRU, which compares around the wraparound.

    /** CLOGPagePrecedes. */
    public static boolean clogPagePrecedes(int page, int other) {
        int first = page * XIDS_PER_CLOG_PAGE + FIRST_NORMAL_XID + 1;
        int otherFirst = other * XIDS_PER_CLOG_PAGE + FIRST_NORMAL_XID + 1;
        return precedes(first, otherFirst) && precedes(first, otherFirst + XIDS_PER_CLOG_PAGE - 1);
    }

    /** MultiXactOffsetPagePrecedes. */
    public static boolean offsetsPagePrecedes(int page, int other) {
        int first = page * MULTIS_PER_OFFSETS_PAGE + FIRST_MULTI + 1;
        int otherFirst = other * MULTIS_PER_OFFSETS_PAGE + FIRST_MULTI + 1;
        return precedes(first, otherFirst) && precedes(first, otherFirst + MULTIS_PER_OFFSETS_PAGE - 1);
    }

    /** FirstNormalTransactionId. */
    public static final int FIRST_NORMAL_XID = 3;

    /** FirstMultiXactId. */
    public static final int FIRST_MULTI = 1;

    /** Modulo 2^32, as normal xids, multixacts and their offsets are compared. */
    public static boolean precedes(int a, int b) {
        return a - b < 0;
    }
}
