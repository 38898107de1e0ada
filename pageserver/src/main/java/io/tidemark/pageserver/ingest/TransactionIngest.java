package io.tidemark.pageserver.ingest;

import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.pgpage.SlruPages;
import io.tidemark.pageserver.redo.RecordData;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.rel.SlruKind;
import io.tidemark.wire.wal.LittleEndian;
import io.tidemark.wire.wal.WalRecord;
import java.io.IOException;
import java.util.Arrays;

/** Ends of transactions, prepared transactions, transaction status, replication origins. */
final class TransactionIngest {
    /** DoNotReplicateId: no origin, but not to be replicated. */
    private static final int DO_NOT_REPLICATE = 0xFFFF;

    private final IngestContext context;

    TransactionIngest(IngestContext context) {
        this.context = context;
    }

    void end(WalRecord record, RecordData main, boolean committed) throws IOException {
        TransactionEnd end = TransactionEnd.read(record, main, context.pgMajor());
        context.checkPoint().sawXid(end.xid());
        for (int subxid : end.subxids()) {
            context.checkPoint().sawXid(subxid);
        }
        setStatus(end.xid(), end.subxids(), committed ? SlruPages.COMMITTED : SlruPages.ABORTED);
        if (committed) {
            context.checkPoint().sawCommit(end.timeMicros());
        }
        drop(end.dropped());
        if (end.prepared()) {
            context.changes().put(Keys.twoPhaseFile(context.checkPoint().fullXid(end.xid())), Value.REMOVED);
        }
        if (end.hasOrigin()) {
            advanceOrigin(record.originId(), end.originLsn());
        }
    }

    // Subtransactions come in order, so that all of one page are neighbours, but for a wraparound; then the changes are
    // merged.
    private void setStatus(int xid, int[] subxids, int status) throws IOException {
        int[] all = new int[subxids.length + 1];
        all[0] = xid;
        System.arraycopy(subxids, 0, all, 1, subxids.length);
        int start = 0;
        for (int i = 1; i <= all.length; i++) {
            int page = SlruPages.clogPageOf(all[start]);
            if (i == all.length || SlruPages.clogPageOf(all[i]) != page) {
                int[] run = start == 0 && i == all.length ? all : Arrays.copyOfRange(all, start, i);
                context.slrus().change(SlruKind.CLOG, page, new Value.TransactionStatus(status, run));
                start = i;
            }
        }
    }

    private void drop(int[] dropped) throws IOException {
        for (int i = 0; i < dropped.length; i += 3) {
            for (Fork fork : Fork.values()) {
                context.relations().drop(new RelTag(dropped[i], dropped[i + 1], dropped[i + 2], fork));
            }
        }
    }

    /**
     * A transaction is prepared: its state file is the record's main data.
     *
     * <pre>
     *   14:    ... 28 nsubxacts(i32) ... 46 gidlen(u16) 48 origin_lsn(u64) 56 origin_timestamp(i64) 64
     *   15 on: ... 28 nsubxacts(i32) ... 54 gidlen(u16) 56 origin_lsn(u64) 64 origin_timestamp(i64) 72
     *   then gid, then the subxids, each aligned to 8
     * </pre>
     */
    void prepare(WalRecord record, RecordData main) {
        int header = context.pgMajor() < 15 ? 64 : 72;
        int subxacts = main.seek(28).i32();
        int gidLength = main.seek(header - 18).u16();
        long originLsn = main.i64();
        int[] subxids = TransactionEnd.numbers(main.seek(header + align8(gidLength)), subxacts, 1);
        context.checkPoint().sawXid(record.xid());
        for (int subxid : subxids) {
            context.checkPoint().sawXid(subxid);
        }
        if (record.originId() != 0) {
            advanceOrigin(record.originId(), originLsn);
        }
        context.changes()
                .put(Keys.twoPhaseFile(context.checkPoint().fullXid(record.xid())), new Value.Image(record.mainData()));
    }

    private static int align8(int length) {
        return length + 7 & -8;
    }

    private void advanceOrigin(int origin, long lsn) {
        if (origin != 0 && origin != DO_NOT_REPLICATE) {
            byte[] bytes = new byte[8];
            LittleEndian.putI64(bytes, 0, lsn);
            context.changes().put(Keys.replicationOrigin(origin), new Value.Image(bytes));
        }
    }

    /** XLOG_REPLORIGIN_SET: {@code remote_lsn(u64) node_id(u16) force(u8)}. */
    void setOrigin(RecordData main) {
        long lsn = main.i64();
        advanceOrigin(main.u16(), lsn);
    }

    /** XLOG_REPLORIGIN_DROP: {@code node_id(u16)}. */
    void dropOrigin(RecordData main) {
        context.changes().put(Keys.replicationOrigin(main.u16()), Value.REMOVED);
    }

    /** CLOG_ZEROPAGE: the page's number, i32 until 16, i64 from 17 on. */
    void zeroClogPage(RecordData main) throws IOException {
        context.slrus().change(SlruKind.CLOG, pageNumber(main), Value.ZERO_PAGE);
    }

    /** CLOG_TRUNCATE: {@code page(i32, i64 from 17 on) oldestXact(u32) oldestXactDb(u32)}. */
    void truncateClog(RecordData main) throws IOException {
        int cutoff = pageNumber(main);
        int oldestXid = main.i32();
        context.checkPoint().get().setOldestXid(oldestXid, main.i32());
        context.checkPoint().markChanged();
        int latest = SlruPages.clogPageOf((int) context.checkPoint().get().nextXid());
        if (!SlruPages.clogPagePrecedes(latest, cutoff)) {
            context.slrus().dropWhere(SlruKind.CLOG, page -> SlruPages.clogPagePrecedes(page, cutoff));
        }
    }

    private int pageNumber(RecordData main) {
        return readPageNumber(main, context.pgMajor());
    }

    static int readPageNumber(RecordData main, int pgMajor) {
        return pgMajor < 17 ? main.i32() : (int) main.i64();
    }

    /**
     * XLOG_RUNNING_XACTS: {@code xcnt(i32) subxcnt(i32) subxid_overflow(u8) 12 nextXid(u32) oldestRunningXid(u32)
     * latestCompletedXid(u32) xids}.
     */
    void running(RecordData main) {
        int nextXid = main.seek(12).i32();
        int oldestRunning = main.i32();
        context.checkPoint().sawXid(nextXid - 1);
        if (context.checkPoint().get().oldestActiveXid() != oldestRunning) {
            context.checkPoint().get().setOldestActiveXid(oldestRunning);
            context.checkPoint().markChanged();
        }
    }
}
