package io.tidemark.pageserver.pgcontrol;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.LittleEndian;
import org.jspecify.annotations.Nullable;

/**
 * PostgreSQL's struct CheckPoint (catalog/pg_control.h): 88 bytes in 14 to 18, changed in place.
 *
 * <pre>
 *   0 redo(u64) | 8 ThisTimeLineID(u32) | 12 PrevTimeLineID(u32) | 16 fullPageWrites(u8) | 20 wal_level(i32, from 17 on)
 *  24 nextXid(u64) | 32 nextOid(u32) | 36 nextMulti(u32) | 40 nextMultiOffset(u32) | 44 oldestXid(u32) | 48 oldestXidDB(u32)
 *  52 oldestMulti(u32) | 56 oldestMultiDB(u32) | 64 time(i64, seconds since 1970) | 72 oldestCommitTsXid(u32)
 *  76 newestCommitTsXid(u32) | 80 oldestActiveXid(u32)
 * </pre>
 */
public final class CheckPoint {
    public static final int SIZE_BYTES = 88;

    private static final int REDO = 0;
    private static final int THIS_TIMELINE_ID = 8;
    private static final int PREV_TIMELINE_ID = 12;
    private static final int FULL_PAGE_WRITES = 16;
    private static final int WAL_LEVEL = 20;
    private static final int NEXT_XID = 24;
    private static final int NEXT_OID = 32;
    private static final int NEXT_MULTI = 36;
    private static final int NEXT_MULTI_OFFSET = 40;
    private static final int OLDEST_XID = 44;
    private static final int OLDEST_XID_DB = 48;
    private static final int OLDEST_MULTI = 52;
    private static final int OLDEST_MULTI_DB = 56;
    private static final int TIME = 64;
    private static final int OLDEST_COMMIT_TS_XID = 72;
    private static final int NEWEST_COMMIT_TS_XID = 76;
    private static final int OLDEST_ACTIVE_XID = 80;

    private final byte[] bytes;

    private CheckPoint(byte[] bytes) {
        this.bytes = bytes;
    }

    /**
     * Copies one out of an array.
     *
     * @throws IndexOutOfBoundsException when the array ends before it does
     */
    public static CheckPoint copyOf(byte[] array, int offset) {
        byte[] bytes = new byte[SIZE_BYTES];
        System.arraycopy(array, offset, bytes, 0, SIZE_BYTES);
        return new CheckPoint(bytes);
    }

    /**
     * The checkpoint as it is at an LSN, of the two keys that keep it there.
     *
     * @param checkPoint the value of {@code Keys.CHECKPOINT}
     * @param nextXid the value of {@code Keys.NEXT_XID}; null when there is none
     */
    public static CheckPoint current(byte[] checkPoint, byte @Nullable [] nextXid) {
        CheckPoint current = copyOf(checkPoint, 0);
        if (nextXid != null) {
            current.setNextXid(LittleEndian.i64(nextXid, 0));
        }
        return current;
    }

    /** A copy of the bytes. */
    public byte[] toBytes() {
        return bytes.clone();
    }

    void copyTo(byte[] array, int offset) {
        System.arraycopy(bytes, 0, array, offset, SIZE_BYTES);
    }

    /** Where recovery from this checkpoint starts. */
    public Lsn redo() {
        return Lsn.of(LittleEndian.i64(bytes, REDO));
    }

    public void setRedo(Lsn redo) {
        LittleEndian.putI64(bytes, REDO, redo.value());
    }

    /** PostgreSQL's own timeline. */
    public int tli() {
        return LittleEndian.i32(bytes, THIS_TIMELINE_ID);
    }

    /** Sets ThisTimeLineID and PrevTimeLineID. */
    public void setTli(int tli) {
        LittleEndian.putI32(bytes, THIS_TIMELINE_ID, tli);
        LittleEndian.putI32(bytes, PREV_TIMELINE_ID, tli);
    }

    public boolean fullPageWrites() {
        return bytes[FULL_PAGE_WRITES] != 0;
    }

    public void setFullPageWrites(boolean on) {
        bytes[FULL_PAGE_WRITES] = (byte) (on ? 1 : 0);
    }

    /** 0 minimal, 1 replica, 2 logical; 14 to 16 have garbage here. */
    public int walLevel() {
        return LittleEndian.i32(bytes, WAL_LEVEL);
    }

    public void setWalLevel(int level) {
        LittleEndian.putI32(bytes, WAL_LEVEL, level);
    }

    /** The next transaction id with its epoch. */
    public long nextXid() {
        return LittleEndian.i64(bytes, NEXT_XID);
    }

    public void setNextXid(long fullXid) {
        LittleEndian.putI64(bytes, NEXT_XID, fullXid);
    }

    public int nextOid() {
        return LittleEndian.i32(bytes, NEXT_OID);
    }

    public void setNextOid(int oid) {
        LittleEndian.putI32(bytes, NEXT_OID, oid);
    }

    public int nextMulti() {
        return LittleEndian.i32(bytes, NEXT_MULTI);
    }

    public void setNextMulti(int multi) {
        LittleEndian.putI32(bytes, NEXT_MULTI, multi);
    }

    public int nextMultiOffset() {
        return LittleEndian.i32(bytes, NEXT_MULTI_OFFSET);
    }

    public void setNextMultiOffset(int offset) {
        LittleEndian.putI32(bytes, NEXT_MULTI_OFFSET, offset);
    }

    public int oldestXid() {
        return LittleEndian.i32(bytes, OLDEST_XID);
    }

    public int oldestXidDatabase() {
        return LittleEndian.i32(bytes, OLDEST_XID_DB);
    }

    public void setOldestXid(int xid, int database) {
        LittleEndian.putI32(bytes, OLDEST_XID, xid);
        LittleEndian.putI32(bytes, OLDEST_XID_DB, database);
    }

    public int oldestMulti() {
        return LittleEndian.i32(bytes, OLDEST_MULTI);
    }

    public int oldestMultiDatabase() {
        return LittleEndian.i32(bytes, OLDEST_MULTI_DB);
    }

    public void setOldestMulti(int multi, int database) {
        LittleEndian.putI32(bytes, OLDEST_MULTI, multi);
        LittleEndian.putI32(bytes, OLDEST_MULTI_DB, database);
    }

    /** Seconds since 1970. */
    public long time() {
        return LittleEndian.i64(bytes, TIME);
    }

    public void setTime(long secondsSince1970) {
        LittleEndian.putI64(bytes, TIME, secondsSince1970);
    }

    public int oldestCommitTsXid() {
        return LittleEndian.i32(bytes, OLDEST_COMMIT_TS_XID);
    }

    public int newestCommitTsXid() {
        return LittleEndian.i32(bytes, NEWEST_COMMIT_TS_XID);
    }

    public void setCommitTsXids(int oldest, int newest) {
        LittleEndian.putI32(bytes, OLDEST_COMMIT_TS_XID, oldest);
        LittleEndian.putI32(bytes, NEWEST_COMMIT_TS_XID, newest);
    }

    /** The oldest transaction that was running; 0 when a shutdown checkpoint is meant. */
    public int oldestActiveXid() {
        return LittleEndian.i32(bytes, OLDEST_ACTIVE_XID);
    }

    public void setOldestActiveXid(int xid) {
        LittleEndian.putI32(bytes, OLDEST_ACTIVE_XID, xid);
    }
}
