package io.tidemark.pageserver.ingest;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.redo.RecordData;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.LittleEndian;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;

/**
 * A place in a history that somebody named with pg_create_restore_point. The later of two with one name is the one that is meant.
 *
 * <pre>
 *   time(i64, microseconds since 2000) lsn(u64) name
 * </pre>
 *
 * @param lsn the end of its record: what pg_create_restore_point answered
 * @param time by the server's clock
 * @param nameBytes without the NUL at its end, in the server's encoding
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record RestorePoint(Lsn lsn, Instant time, byte[] nameBytes) {
    private static final Instant POSTGRES_EPOCH = Instant.parse("2000-01-01T00:00:00Z");

    /** MAXFNAMELEN. */
    private static final int NAME_FIELD_BYTES = 64;

    private static final int HEADER_BYTES = 16;

    /** Reads the main data of XLOG_RESTORE_POINT. */
    static RestorePoint readRecord(RecordData main, Lsn end) {
        long time = main.i64();
        int from = main.take(NAME_FIELD_BYTES);
        int to = from;
        while (to < from + NAME_FIELD_BYTES && main.array()[to] != 0) {
            to++;
        }
        return new RestorePoint(end, at(time), Arrays.copyOfRange(main.array(), from, to));
    }

    /** The value of its key. */
    Value image() {
        byte[] bytes = new byte[HEADER_BYTES + nameBytes.length];
        LittleEndian.putI64(bytes, 0, ChronoUnit.MICROS.between(POSTGRES_EPOCH, time));
        LittleEndian.putI64(bytes, 8, lsn.value());
        System.arraycopy(nameBytes, 0, bytes, HEADER_BYTES, nameBytes.length);
        return new Value.Image(bytes);
    }

    /**
     * Reads the value of a restore point's key.
     *
     * @throws IndexOutOfBoundsException when it is none
     */
    public static RestorePoint read(byte[] value) {
        if (value.length < HEADER_BYTES) {
            throw new IndexOutOfBoundsException("a restore point of " + value.length + " bytes");
        }
        return new RestorePoint(
                Lsn.of(LittleEndian.i64(value, 8)),
                at(LittleEndian.i64(value, 0)),
                Arrays.copyOfRange(value, HEADER_BYTES, value.length));
    }

    private static Instant at(long microseconds) {
        return POSTGRES_EPOCH.plus(microseconds, ChronoUnit.MICROS);
    }

    /** Its name as UTF-8, which is what nearly all servers use. */
    public String name() {
        return new String(nameBytes, UTF_8);
    }
}
