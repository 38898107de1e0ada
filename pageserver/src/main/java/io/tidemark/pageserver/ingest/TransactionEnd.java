package io.tidemark.pageserver.ingest;

import io.tidemark.pageserver.redo.RecordData;
import io.tidemark.wire.wal.WalRecord;

/**
 * A COMMIT, ABORT, COMMIT_PREPARED or ABORT_PREPARED record (ParseCommitRecord and ParseAbortRecord in xactdesc.c).
 *
 * <pre>
 *   time(i64) [ xinfo(u32), when xl_info has 0x80 ] and then each part that xinfo announces:
 *   0001 database(u32) tablespace(u32)
 *   0002 n(i32) n * xid(u32)
 *   0004 n(i32) n * { tablespace(u32) database(u32) relation(u32) }      dropped
 *   0100 n(i32) n * statistics item: 12 bytes in 15 to 17, 16 in 18      not in 14
 *   0008 n(i32) n * invalidation(16)                                     of commits
 *   0010 prepared xid(u32), and then with 0080 its name, NUL-terminated
 *   0020 origin LSN(u64) origin time(i64)
 * </pre>
 *
 * @param timeMicros when, microseconds since 2000
 * @param xid the top-level transaction, for prepared ones not the record's
 * @param subxids its subtransactions
 * @param dropped tablespace, database and relation of each dropped relation, one after the other
 * @param prepared whether it was a prepared one
 * @param hasOrigin whether it was replicated from elsewhere
 * @param originLsn and if so, up to where
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record TransactionEnd(
        long timeMicros, int xid, int[] subxids, int[] dropped, boolean prepared, boolean hasOrigin, long originLsn) {
    private static final int HAS_INFO = 0x80;

    private static final int HAS_DATABASE = 0x01;
    private static final int HAS_SUBXACTS = 0x02;
    private static final int HAS_DROPPED_RELATIONS = 0x04;
    private static final int HAS_INVALIDATIONS = 0x08;
    private static final int HAS_TWO_PHASE = 0x10;
    private static final int HAS_ORIGIN = 0x20;
    private static final int HAS_GID = 0x80;
    private static final int HAS_DROPPED_STATISTICS = 0x100;

    private static final int INVALIDATION_BYTES = 16;

    static TransactionEnd read(WalRecord record, RecordData main, int pgMajor) {
        long time = main.i64();
        int info = (record.info() & HAS_INFO) != 0 ? main.i32() : 0;
        int xid = record.xid();
        int[] subxids = {};
        int[] dropped = {};
        if ((info & HAS_DATABASE) != 0) {
            main.skip(8);
        }
        if ((info & HAS_SUBXACTS) != 0) {
            subxids = numbers(main, main.i32(), 1);
        }
        if ((info & HAS_DROPPED_RELATIONS) != 0) {
            dropped = numbers(main, main.i32(), 3);
        }
        if ((info & HAS_DROPPED_STATISTICS) != 0) {
            skipItems(main, pgMajor < 18 ? 12 : 16);
        }
        if ((info & HAS_INVALIDATIONS) != 0) {
            skipItems(main, INVALIDATION_BYTES);
        }
        boolean prepared = (info & HAS_TWO_PHASE) != 0;
        if (prepared) {
            xid = main.i32();
            if ((info & HAS_GID) != 0) {
                skipName(main);
            }
        }
        boolean hasOrigin = (info & HAS_ORIGIN) != 0;
        return new TransactionEnd(time, xid, subxids, dropped, prepared, hasOrigin, hasOrigin ? main.i64() : 0);
    }

    static int[] numbers(RecordData main, int count, int width) {
        long bytes = 4L * width * count;
        if (count < 0 || bytes > main.remaining()) {
            throw new IndexOutOfBoundsException(
                    "it announces " + count + " items, and has " + main.remaining() + " bytes");
        }
        int[] numbers = new int[count * width];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = main.i32();
        }
        return numbers;
    }

    private static void skipItems(RecordData main, int size) {
        int count = main.i32();
        if (count < 0 || (long) count * size > main.remaining()) {
            throw new IndexOutOfBoundsException(
                    "it announces " + count + " items, and has " + main.remaining() + " bytes");
        }
        main.skip(count * size);
    }

    private static void skipName(RecordData main) {
        int next;
        do {
            next = main.u8();
        } while (next != 0);
    }
}
