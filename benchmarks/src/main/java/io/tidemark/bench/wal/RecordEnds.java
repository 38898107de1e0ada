package io.tidemark.bench.wal;

import io.tidemark.cli.wal.SegmentFiles;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalRecord;
import io.tidemark.wire.wal.WalRecordReader;
import java.io.IOException;
import java.util.Arrays;

/** Where the records of a sample end: a safekeeper's flush_lsn is such a position, not that of a chunk that cuts a record. */
public final class RecordEnds {
    private final long[] ends;

    private RecordEnds(long[] ends) {
        this.ends = ends;
    }

    /** Reads the sample. */
    public static RecordEnds of(WalSample sample) throws IOException, InvalidWalException {
        try (SegmentFiles files = SegmentFiles.at(sample.directory())) {
            WalRecordReader reader = new WalRecordReader(files, 0, files.segmentSizeBytes(), sample.startLsn());
            long[] ends = new long[Math.toIntExact(sample.records() + 1)];
            ends[0] = sample.startLsn().value();
            for (int i = 1; i < ends.length; i++) {
                WalRecord record = reader.next();
                if (record == null) {
                    throw new IOException("the WAL in " + sample.directory() + " has become shorter");
                }
                ends[i] = record.end().value();
            }
            return new RecordEnds(ends);
        }
    }

    /** The last record end at or before a position; the start of the sample when there is none. */
    public Lsn floor(Lsn lsn) {
        int found = Arrays.binarySearch(ends, lsn.value());
        return Lsn.of(ends[Math.max(0, found >= 0 ? found : -found - 2)]);
    }
}
