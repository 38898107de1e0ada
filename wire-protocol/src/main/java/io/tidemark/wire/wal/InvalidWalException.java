package io.tidemark.wire.wal;

import io.tidemark.wire.id.Lsn;

/** Bytes that are not valid WAL: where, which rule they break, and the values that break it. */
public final class InvalidWalException extends Exception {
    private static final long serialVersionUID = 1L;

    /** The rule that the bytes break. */
    public enum Reason {
        /** A scan was asked to start where no record can start: unaligned, or inside a page header. */
        NOT_A_RECORD_BOUNDARY,
        /** Zeros where a page or a record should start. In a segment file this is the ordinary end of WAL. */
        NO_RECORD,
        /** A valid page of an earlier position: the file is a recycled segment. In pg_wal an ordinary end of WAL. */
        STALE_PAGE,
        /** xlp_magic, xlp_info, xlp_pageaddr, or the sizes in a long header. */
        PAGE_HEADER,
        /** A page's contrecord flag or xlp_rem_len disagrees with the record under way. */
        CONTINUATION,
        /** xl_tot_len outside of 24 bytes to 1020 MiB. */
        RECORD_LENGTH,
        /** xl_prev does not name an earlier record, or not the one before this. */
        PREV_LINK,
        /** xl_crc differs from the CRC of the bytes. */
        RECORD_CRC,
        /** xl_rmid names a resource manager that the version does not have. */
        RESOURCE_MANAGER,
        /** Block references or data lengths inside a record contradict each other. */
        RECORD_BODY,
        /** A full page image that cannot be restored. */
        IMAGE;

        /** Whether a directory of segments ends like this when nothing is wrong with it. */
        public boolean isEndOfWal() {
            return this == NO_RECORD || this == STALE_PAGE;
        }
    }

    private final Lsn lsn;
    private final Reason reason;

    public InvalidWalException(Lsn lsn, Reason reason, String detail) {
        super("invalid WAL at " + lsn + ": " + detail);
        this.lsn = lsn;
        this.reason = reason;
    }

    /** The page or record that is wrong. */
    public Lsn lsn() {
        return lsn;
    }

    public Reason reason() {
        return reason;
    }
}
