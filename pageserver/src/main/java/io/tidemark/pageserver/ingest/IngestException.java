package io.tidemark.pageserver.ingest;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalRecord;
import java.util.Locale;

/**
 * A record that cannot be ingested: the timeline stops before it, and stays readable up to it. Streaming it again gives the same answer;
 * a person has to look.
 */
public final class IngestException extends Exception {
    private static final long serialVersionUID = 1;

    /** Which kind of trouble. */
    public enum Reason {
        /** No such resource manager or opcode in this version. */
        UNKNOWN_RECORD,
        /** Something that this pageserver does not support, such as user tablespaces. */
        UNSUPPORTED,
        /** The record's bytes contradict themselves or what came before. */
        INVALID_RECORD
    }

    private final Reason reason;
    private final Lsn recordLsn;
    private final int rmgrId;
    private final int info;

    IngestException(Reason reason, WalRecord record, int pgMajor, String detail) {
        super(describe(record, pgMajor) + ": " + detail);
        this.reason = reason;
        this.recordLsn = record.start();
        this.rmgrId = record.rmgrId();
        this.info = record.info();
    }

    IngestException(Reason reason, WalRecord record, int pgMajor, Exception cause) {
        super(describe(record, pgMajor) + ": " + cause.getMessage(), cause);
        this.reason = reason;
        this.recordLsn = record.start();
        this.rmgrId = record.rmgrId();
        this.info = record.info();
    }

    private static String describe(WalRecord record, int pgMajor) {
        String opcode = ResourceManagers.opcodeOf(record.rmgrId(), record.info(), pgMajor);
        return String.format(
                Locale.ROOT,
                "cannot ingest the record at %s (PostgreSQL %d, resource manager %d %s, info %02X%s)",
                record.start(),
                pgMajor,
                record.rmgrId(),
                ResourceManagers.nameOf(record.rmgrId()),
                record.info(),
                opcode == null ? "" : " " + opcode);
    }

    public Reason reason() {
        return reason;
    }

    /** Where the record starts. */
    public Lsn recordLsn() {
        return recordLsn;
    }

    /** xl_rmid. */
    public int rmgrId() {
        return rmgrId;
    }

    /** xl_info. */
    public int info() {
        return info;
    }
}
