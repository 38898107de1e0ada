package io.tidemark.cli.wal;

import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalRecord;
import java.io.IOException;

/** What happens to each record of a dump. */
interface RecordSink {
    /** Called in order of LSN; the record is valid during the call only. */
    void accept(WalRecord record) throws IOException, InvalidWalException;

    /** Called once, after the last record. */
    void finish() throws IOException;
}
