package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.ingest.TimelineHead;
import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyKind;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.key.ValueFormat;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Writes a timeline: puts versions, then publishes the LSN up to which they are complete. For one thread at a time.
 *
 * <p>What has been put and not yet published can be read only here. From the first put to the publishing the writer holds a lock, so that
 * somebody else may ask for a flush: layers are sealed between published LSNs only.
 */
public final class TimelineWriter implements TimelineHead {
    private static final Duration ROOM_CHECK = Duration.ofSeconds(1);

    private final Timeline timeline;
    private final ReentrantLock writing = new ReentrantLock();
    private @Nullable TimelineReader reader;
    private Lsn lastPut = Lsn.INVALID;
    private Lsn frozen;

    /** Up to where reads here see what was put: as {@link #lastPut}, but not a part of a record that was given up. */
    private Lsn head = Lsn.INVALID;

    TimelineWriter(Timeline timeline) {
        this.timeline = timeline;
        this.frozen = timeline.lastRecordLsn();
    }

    @Override
    public void put(Key key, Lsn lsn, Value value) throws IOException {
        if (!writing.isHeldByCurrentThread()) {
            writing.lock();
        }
        byte[] bytes = ValueFormat.encode(value);
        timeline.store().put(key, lsn, value.isBase(), bytes, 0, bytes.length);
        lastPut = lsn;
        head = lsn;
        KeyKind kind = KeyKind.of(key);
        if (kind == KeyKind.RELATION_BLOCK) {
            timeline.pages().changed(key, lsn);
        } else if (kind == KeyKind.RELATION_SIZE) {
            timeline.sizes().changed(key, lsn);
        }
    }

    @Override
    public byte @Nullable [] read(Key key) throws IOException {
        try {
            return reader().find(key, head());
        } catch (ReadException e) {
            throw new IOException(e.text(), e);
        }
    }

    @Override
    public void scan(KeyRange range, Visitor visitor) throws IOException {
        IOException[] failure = {null};
        try {
            reader().scan(range, head(), (key, value) -> {
                try {
                    if (failure[0] == null) {
                        visitor.visit(key, value);
                    }
                } catch (IOException e) {
                    failure[0] = e;
                }
            });
        } catch (ReadException e) {
            throw new IOException(e.text(), e);
        }
        if (failure[0] != null) {
            throw failure[0];
        }
    }

    private TimelineReader reader() {
        TimelineReader existing = reader;
        if (existing == null) {
            existing = timeline.reader();
            reader = existing;
        }
        return existing;
    }

    private Lsn head() {
        return head.max(timeline.lastRecordLsn());
    }

    /**
     * Everything up to {@code lsn}, a record's end, has been put: lets everybody read it. Freezes the open layer when it is time.
     *
     * @param prev where the record that ends there starts
     */
    public void publish(Lsn lsn, Lsn prev, long nowNanos) throws IOException {
        if (!writing.isHeldByCurrentThread()) {
            writing.lock();
        }
        try {
            timeline.pages().settle();
            timeline.publish(lsn, prev);
            if (lastPut.isAtMost(lsn)) { // else a part of the next record is there already
                if (timeline.store().isFreezeDue(lsn, nowNanos)) {
                    freeze(lsn);
                }
            }
        } finally {
            writing.unlock();
        }
    }

    // With the layer, what a base backup after a restart will have to know of the record that ends there.
    private void freeze(Lsn end) throws IOException {
        Timeline.Position last = timeline.lastRecord();
        if (end.isAfter(frozen) && last.end().equals(end) && last.start().isValid()) {
            byte[] bytes = ValueFormat.encode(new Value.Image(Keys.lastRecord(end, last.start())));
            timeline.store().put(Keys.LAST_RECORD, end, true, bytes, 0, bytes.length);
        }
        timeline.store().freeze(end);
        frozen = end;
    }

    /** Gives up the part of a record that was put before its writing failed: it is put again from the same WAL, or never seen. */
    public void abandon() {
        head = Lsn.INVALID;
        if (writing.isHeldByCurrentThread()) {
            writing.unlock();
        }
    }

    /**
     * Waits, when flushing or compaction has fallen behind, until there is room for more.
     *
     * @return false when there is none yet; call again
     */
    public boolean awaitRoom() throws IOException {
        return timeline.store().awaitRoom(ROOM_CHECK);
    }

    /** Makes everything that was published durable: seals it and waits for the flush. From any thread. */
    void flush() throws IOException {
        writing.lock();
        try {
            Lsn published = timeline.lastRecordLsn();
            if (lastPut.isAfter(published)) {
                throw new IOException(
                        "timeline " + timeline.metadata().id() + " stands still in the middle of a record above "
                                + published + ": " + timeline.ingestStatus());
            }
            freeze(published);
        } finally {
            writing.unlock();
        }
        timeline.store().flush();
    }
}
