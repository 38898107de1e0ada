package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.key.Keys;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.LittleEndian;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The LSN at which a timeline was as it was at a moment: the last one whose newest commit is not after it.
 *
 * <p>Found by halving: the newest commit time so far is a versioned key, so it can be asked for at any LSN, and it only grows.
 */
public final class LsnByTimestamp {
    private static final Instant POSTGRES_EPOCH = Instant.parse("2000-01-01T00:00:00Z");

    private LsnByTimestamp() {}

    /** What was found. */
    public enum Kind {
        /** There are commits on both sides of the moment. */
        PRESENT,

        /** The moment is after the newest commit; the LSN is the newest. */
        FUTURE,

        /** The moment is before everything that is kept; the LSN is the lowest. */
        PAST,

        /** Nothing was ever committed. */
        NODATA
    }

    /** An LSN and what it means. */
    public record Answer(Lsn lsn, Kind kind) {}

    /** Searches between the gc cutoff and last_record_lsn. */
    public static Answer find(Timeline timeline, Instant instant) throws ReadException {
        TimelineReader reader = timeline.reader();
        Duration since = Duration.between(POSTGRES_EPOCH, instant);
        long wanted = Math.addExact(Math.multiplyExact(since.getSeconds(), 1_000_000L), since.getNano() / 1_000);
        // Multiples of 8, the alignment of records.
        long low = timeline.minReadableLsn().value() >>> 3;
        long high = timeline.lastRecordLsn().value() >>> 3;
        Long newest = commitTime(reader, Lsn.of(high << 3));
        if (newest == null) {
            return new Answer(Lsn.of(high << 3), Kind.NODATA);
        }
        if (newest <= wanted) {
            return new Answer(timeline.lastRecordLsn(), Kind.FUTURE);
        }
        Long oldest = commitTime(reader, Lsn.of(low << 3));
        if (oldest != null && oldest > wanted) {
            return new Answer(Lsn.of(low << 3), Kind.PAST);
        }
        boolean foundOlder = oldest != null;
        while (low + 1 < high) {
            long middle = low + high >>> 1;
            Long time = commitTime(reader, Lsn.of(middle << 3));
            if (time == null || time <= wanted) {
                low = middle;
                foundOlder |= time != null;
            } else {
                high = middle;
            }
        }
        return new Answer(Lsn.of(low << 3), foundOlder ? Kind.PRESENT : Kind.PAST);
    }

    private static @Nullable Long commitTime(TimelineReader reader, Lsn at) throws ReadException {
        byte[] value = reader.find(Keys.COMMIT_TIME, at);
        return value == null ? null : LittleEndian.i64(value, 0);
    }
}
