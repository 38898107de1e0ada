package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.ingest.IngestException;
import io.tidemark.pageserver.ingest.WalIngest;
import io.tidemark.pageserver.receiver.WalTarget;
import io.tidemark.runtime.time.TimeSource;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.replication.PageserverFeedback;
import io.tidemark.wire.replication.PostgresTime;
import io.tidemark.wire.wal.WalRecord;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A timeline as the end of a stream of WAL. For one thread: the WAL receiver's.
 *
 * <p>A connection that breaks in the middle of a batch leaves whole records that were put: they are published before the next begins.
 * What is remembered of the head ({@link WalIngest}) is thrown away with every connection, since it may be ahead of what was put.
 */
public final class TimelineIngest implements WalTarget {
    private static final Duration ANCESTOR_PATIENCE = Duration.ofSeconds(1);

    private final Timeline timeline;
    private final TimeSource time;
    private @Nullable WalIngest ingest;
    private Lsn lastEnd = Lsn.INVALID;
    private Lsn lastStart = Lsn.INVALID;

    public TimelineIngest(Timeline timeline, TimeSource time) {
        this.timeline = timeline;
        this.time = time;
    }

    @Override
    public TenantTimelineId id() {
        return timeline.metadata().id();
    }

    @Override
    public SystemId systemId() {
        return timeline.metadata().systemId();
    }

    @Override
    public int pgMajor() {
        return timeline.metadata().pgMajor();
    }

    @Override
    public int walSegmentSizeBytes() {
        return timeline.metadata().walSegmentSizeBytes();
    }

    @Override
    public boolean isUntouched() {
        return timeline.metadata().ancestor().isPresent()
                && timeline.lastRecordLsn().equals(timeline.metadata().startLsn());
    }

    @Override
    public Lsn resume() throws IOException {
        timeline.requireAncestor(ANCESTOR_PATIENCE);
        if (lastEnd.isAfter(timeline.lastRecordLsn())) {
            // Whole records of committed WAL, whatever ended the connection. The store does not go back behind a put,
            // so neither may the stream.
            timeline.writer().publish(lastEnd, lastStart, time.monotonicNanos());
        }
        timeline.writer().abandon();
        ingest = new WalIngest(timeline.writer(), timeline.metadata().rules());
        return timeline.lastRecordLsn();
    }

    @Override
    public void ingest(WalRecord record) throws IngestException, IOException {
        WalIngest current = ingest;
        if (current == null) {
            throw new IllegalStateException("resume comes first");
        }
        current.ingest(record);
        lastEnd = record.end();
        lastStart = record.start();
    }

    @Override
    public void endBatch() throws IOException {
        if (lastEnd.isValid()) {
            timeline.writer().publish(lastEnd, lastStart, time.monotonicNanos());
        } else {
            timeline.writer().publish(timeline.lastRecordLsn(), timeline.prevRecordLsn(), time.monotonicNanos());
        }
    }

    @Override
    public boolean awaitRoom() throws IOException {
        return timeline.writer().awaitRoom();
    }

    @Override
    public PageserverFeedback feedback() {
        // There is no object store behind it yet: WAL must be kept as long as this disk is the only place of the
        // layers.
        return new PageserverFeedback(
                0,
                timeline.lastRecordLsn(),
                timeline.diskConsistentLsn(),
                Lsn.INVALID,
                PostgresTime.ofInstant(time.now()),
                0,
                false);
    }

    @Override
    public void stopped(IngestException cause) {
        timeline.writer().abandon();
        timeline.fail(cause.getMessage() + "");
    }
}
