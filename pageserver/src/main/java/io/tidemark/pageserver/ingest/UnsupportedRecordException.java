package io.tidemark.pageserver.ingest;

/** A record of something that is not supported; becomes an {@link IngestException} where the record is known. */
final class UnsupportedRecordException extends Exception {
    private static final long serialVersionUID = 1;

    UnsupportedRecordException(String message) {
        super(message);
    }
}
