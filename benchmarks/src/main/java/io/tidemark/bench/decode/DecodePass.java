package io.tidemark.bench.decode;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalRecord;
import io.tidemark.wire.wal.WalRecordReader;
import io.tidemark.wire.wal.WalSource;
import java.io.IOException;

/**
 * One pass over WAL that does what {@code pg_waldump --stats} does: every record is checked and decoded, and counted by resource
 * manager and operation with the length of its images.
 */
final class DecodePass {
    private static final int SLOTS = 256 * 16;

    private final long[] counts = new long[SLOTS];
    private final long[] recordBytes = new long[SLOTS];
    private final long[] imageBytes = new long[SLOTS];

    /** Returns how many records there were. */
    long run(WalSource source, int segmentSizeBytes, Lsn startLsn) throws IOException, InvalidWalException {
        WalRecordReader reader = new WalRecordReader(source, 0, segmentSizeBytes, startLsn);
        long records = 0;
        while (true) {
            WalRecord record = reader.next();
            if (record == null) {
                return records;
            }
            int slot = record.rmgrId() << 4 | record.info() >> 4;
            int images = record.imageLength();
            counts[slot]++;
            recordBytes[slot] += record.totalLength() - images;
            imageBytes[slot] += images;
            records++;
        }
    }

    /** A number that depends on everything that was counted. */
    long checksum() {
        long sum = 0;
        for (int i = 0; i < SLOTS; i++) {
            sum = sum * 31 + counts[i] + recordBytes[i] + imageBytes[i];
        }
        return sum;
    }
}
