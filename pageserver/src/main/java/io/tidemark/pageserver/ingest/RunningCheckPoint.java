package io.tidemark.pageserver.ingest;

import io.tidemark.pageserver.key.KeyKind;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.pgcontrol.CheckPoint;
import io.tidemark.pageserver.pgpage.SlruPages;
import io.tidemark.wire.wal.LittleEndian;
import java.io.IOException;

/**
 * The checkpoint as a running server would have it in memory after each record, so that a compute can start anywhere.
 *
 * <p>nextXid moves with nearly every transaction and has a key of its own, eight bytes instead of 88; so has the commit time. The rest
 * is written when it changes.
 */
final class RunningCheckPoint {
    private final TimelineHead head;
    private final CheckPoint checkPoint;
    private boolean changed;
    private boolean nextXidChanged;
    private long commitTime;
    private boolean commitTimeChanged;

    private RunningCheckPoint(TimelineHead head, CheckPoint checkPoint, long commitTime) {
        this.head = head;
        this.checkPoint = checkPoint;
        this.commitTime = commitTime;
    }

    /** @throws IOException also when the timeline has no base data */
    static RunningCheckPoint load(TimelineHead head) throws IOException {
        byte[] stored = head.read(Keys.CHECKPOINT);
        if (stored == null || stored.length != CheckPoint.SIZE_BYTES) {
            throw new IOException("the timeline has no checkpoint, so no base data was imported");
        }
        byte[] time = head.read(Keys.COMMIT_TIME);
        CheckPoint current = CheckPoint.current(stored, head.read(Keys.NEXT_XID));
        return new RunningCheckPoint(head, current, time == null ? Long.MIN_VALUE : LittleEndian.i64(time, 0));
    }

    CheckPoint get() {
        return checkPoint;
    }

    /** To be called after changing what {@link #get} returned. */
    void markChanged() {
        changed = true;
    }

    /** A record is of this transaction: the next one is behind it (AdvanceNextFullTransactionIdPastXid). */
    void sawXid(int xid) {
        long nextFull = checkPoint.nextXid();
        int next = (int) nextFull;
        if (Integer.compareUnsigned(xid, SlruPages.FIRST_NORMAL_XID) < 0 || SlruPages.precedes(xid, next)) {
            return;
        }
        int after = xid + 1 == 0 ? SlruPages.FIRST_NORMAL_XID : xid + 1;
        long epoch = nextFull >>> 32;
        if (Integer.compareUnsigned(after, next) < 0) {
            epoch++;
        }
        checkPoint.setNextXid(epoch << 32 | Integer.toUnsignedLong(after));
        nextXidChanged = true;
    }

    /** The 64 bits of a transaction that is not after nextXid. */
    long fullXid(int xid) {
        long next = checkPoint.nextXid();
        long epoch = next >>> 32;
        if (Integer.compareUnsigned(xid, (int) next) > 0) {
            epoch--;
        }
        return epoch << 32 | Integer.toUnsignedLong(xid);
    }

    /** Transactions have committed at this time; the latest so far is what counts, since they do not come in order. */
    void sawCommit(long timeMicros) {
        if (timeMicros > commitTime) {
            commitTime = timeMicros;
            commitTimeChanged = true;
        }
    }

    /** A multixact was made (MultiXactAdvanceNextMXact). */
    void advanceMulti(int nextMulti, int nextOffset) {
        if (SlruPages.precedes(checkPoint.nextMulti(), nextMulti)) {
            checkPoint.setNextMulti(nextMulti);
            changed = true;
        }
        if (SlruPages.precedes(checkPoint.nextMultiOffset(), nextOffset)) {
            checkPoint.setNextMultiOffset(nextOffset);
            changed = true;
        }
    }

    /** A checkpoint of a running server: its counters may be older than what came before it. */
    void mergeOnline(CheckPoint record, int pgMajor) {
        long next = record.nextXid();
        if (Long.compareUnsigned(next, checkPoint.nextXid()) > 0) {
            checkPoint.setNextXid(next);
        }
        advanceMulti(record.nextMulti(), record.nextMultiOffset());
        if (precedesOrUnset(checkPoint.oldestXid(), record.oldestXid())) {
            checkPoint.setOldestXid(record.oldestXid(), record.oldestXidDatabase());
        }
        if (precedesOrUnset(checkPoint.oldestMulti(), record.oldestMulti())) {
            checkPoint.setOldestMulti(record.oldestMulti(), record.oldestMultiDatabase());
        }
        checkPoint.setOldestActiveXid(record.oldestActiveXid());
        mergeBoth(record, pgMajor);
    }

    /** A checkpoint of a server that is alone: its counters are exact, and may be lower, since what was set aside is given back. */
    void mergeShutdown(CheckPoint record, int pgMajor) throws IOException {
        checkPoint.setNextXid(record.nextXid());
        checkPoint.setNextOid(record.nextOid());
        checkPoint.setNextMulti(record.nextMulti());
        checkPoint.setNextMultiOffset(record.nextMultiOffset());
        checkPoint.setOldestXid(record.oldestXid(), record.oldestXidDatabase());
        checkPoint.setOldestMulti(record.oldestMulti(), record.oldestMultiDatabase());
        checkPoint.setOldestActiveXid((int) oldestPreparedOrNext(record.nextXid()));
        mergeBoth(record, pgMajor);
    }

    // The record says 0, but a hot standby that starts here needs to know which transactions are still there: prepared
    // ones.
    private long oldestPreparedOrNext(long nextXid) throws IOException {
        long[] oldest = {nextXid};
        head.scan(
                KeyKind.TWO_PHASE_FILE.range(), (key, file) -> oldest[0] = Math.min(oldest[0], Keys.twoPhaseXid(key)));
        return oldest[0];
    }

    private void mergeBoth(CheckPoint record, int pgMajor) {
        checkPoint.setRedo(record.redo());
        checkPoint.setTime(record.time());
        checkPoint.setFullPageWrites(record.fullPageWrites());
        checkPoint.setCommitTsXids(record.oldestCommitTsXid(), record.newestCommitTsXid());
        if (pgMajor >= 17) {
            checkPoint.setWalLevel(record.walLevel());
        }
        changed = true;
        nextXidChanged = true;
    }

    private static boolean precedesOrUnset(int mine, int other) {
        return mine == 0 || SlruPages.precedes(mine, other);
    }

    /** Puts what the record changed. */
    void flush(Changes changes) {
        if (changed) {
            changes.put(Keys.CHECKPOINT, new Value.Image(checkPoint.toBytes()));
            changed = false;
        }
        if (nextXidChanged) {
            changes.put(Keys.NEXT_XID, image(checkPoint.nextXid()));
            nextXidChanged = false;
        }
        if (commitTimeChanged) {
            changes.put(Keys.COMMIT_TIME, image(commitTime));
            commitTimeChanged = false;
        }
    }

    private static Value image(long number) {
        byte[] bytes = new byte[8];
        LittleEndian.putI64(bytes, 0, number);
        return new Value.Image(bytes);
    }
}
