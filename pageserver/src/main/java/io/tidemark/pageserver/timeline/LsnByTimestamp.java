package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.key.Keys;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.LittleEndian;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The LSN at which a timeline was as it was at a moment: the last one whose newest commit is not after it.
 *
 * <p>Found by halving: the newest commit time so far is a versioned key, so it can be asked for at any LSN, and it only grows. A branch has
 * its ancestor's newest commit at the branch point; what is before that is not its history.
 */
public final class LsnByTimestamp {
    private static final Instant POSTGRES_EPOCH = Instant.parse("2000-01-01T00:00:00Z");

    /** Records end at multiples of it. */
    private static final int ALIGNMENT_SHIFT = 3;

    private LsnByTimestamp() {}

    /** What was found. */
    public enum Kind {
        /** There are commits on both sides of the moment. */
        PRESENT,

        /** The moment is after the newest commit; the LSN is the newest. */
        FUTURE,

        /** The moment is before everything that is kept; the LSN is the lowest. */
        PAST,

        /** Nothing was ever committed; the LSN is the lowest. */
        NODATA
    }

    /** An LSN and what it means. */
    public record Answer(Lsn lsn, Kind kind) {}

    /** Searches between the first readable LSN and last_record_lsn. */
    public static Answer find(Timeline timeline, Instant instant) throws ReadException {
        TimelineReader reader = timeline.reader();
        long wanted = microseconds(instant);
        // Read once: a cutoff that moves meanwhile makes the read at the lower end fail, and nothing wrong.
        Lsn head = timeline.lastRecordLsn();
        Lsn lowest = timeline.minReadableLsn().min(head);
        Long newest = commitTime(reader, head);
        if (newest == null) {
            return new Answer(lowest, Kind.NODATA);
        }
        if (newest <= wanted) {
            return new Answer(head, Kind.FUTURE);
        }
        Long oldest = commitTime(reader, lowest);
        if (oldest != null && oldest > wanted) {
            return new Answer(lowest, Kind.PAST);
        }
        boolean foundOlder = oldest != null;
        // In units of the alignment; low is right, high is too new.
        long low = aligned(lowest);
        long high = aligned(head);
        while (low + 1 < high) {
            long middle = low + high >>> 1;
            Long time = commitTime(reader, Lsn.of(middle << ALIGNMENT_SHIFT));
            if (time == null || time <= wanted) {
                low = middle;
                foundOlder |= time != null;
            } else {
                high = middle;
            }
        }
        Lsn found = Lsn.of(low << ALIGNMENT_SHIFT).min(head);
        return foundOlder ? new Answer(found, Kind.PRESENT) : new Answer(lowest, Kind.PAST);
    }

    private static long aligned(Lsn lsn) {
        return lsn.value() + (1 << ALIGNMENT_SHIFT) - 1 >>> ALIGNMENT_SHIFT;
    }

    /** The newest commit at or before an LSN that can be read; empty when there is none. */
    public static Optional<Instant> commitTimeAt(Timeline timeline, Lsn lsn) throws ReadException {
        Long time = commitTime(timeline.reader(), lsn);
        return time == null ? Optional.empty() : Optional.of(POSTGRES_EPOCH.plus(time, ChronoUnit.MICROS));
    }

    private static long microseconds(Instant instant) throws ReadException {
        Duration since = Duration.between(POSTGRES_EPOCH, instant);
        try {
            return Math.addExact(Math.multiplyExact(since.getSeconds(), 1_000_000L), since.getNano() / 1_000);
        } catch (ArithmeticException | DateTimeException e) {
            throw new ReadException(ReadException.Kind.BAD_REQUEST, instant + " is no time of PostgreSQL's", e);
        }
    }

    private static @Nullable Long commitTime(TimelineReader reader, Lsn at) throws ReadException {
        byte[] value = reader.find(Keys.COMMIT_TIME, at);
        return value == null ? null : LittleEndian.i64(value, 0);
    }
}
