package io.tidemark.it.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.cli.wal.SegmentFiles;
import io.tidemark.pageserver.ingest.WalIngest;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalRecord;
import io.tidemark.wire.wal.WalRecordReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** What the tests of ingest share: a scratch directory that PostgreSQL can reach, and WAL from pg_wal. */
final class IngestedCluster implements AutoCloseable {
    private final Path scratch;

    IngestedCluster() throws IOException {
        scratch = ServerUser.current().scratchDirectory("tidemark-ingest-");
    }

    Path dataDir() {
        return scratch.resolve("pg");
    }

    /**
     * Ingests the WAL files of a server from a record boundary to a position, or to their end.
     *
     * @return where the last record ends
     */
    static Lsn ingest(Path dataDir, int pgMajor, Lsn from, Lsn to, WalIngest ingest) throws Exception {
        Lsn end = from;
        try (SegmentFiles wal = SegmentFiles.at(dataDir.resolve("pg_wal"))) {
            WalRecordReader reader = new WalRecordReader(wal, pgMajor, wal.segmentSizeBytes(), from);
            while (end.isBefore(to)) {
                WalRecord record;
                try {
                    record = reader.next();
                } catch (InvalidWalException e) {
                    assertThat(e.reason().isEndOfWal()).as(e.getMessage()).isTrue();
                    break;
                }
                if (record == null) {
                    break;
                }
                ingest.ingest(record);
                end = record.end();
            }
        }
        return end;
    }

    @Override
    public void close() throws IOException {
        try (Stream<Path> files = Files.walk(scratch)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
