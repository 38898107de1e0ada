package io.tidemark.pageserver.basebackup;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.WalSegmentName;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/**
 * The file backup_label, as PostgreSQL reads it (read_backup_label): where recovery begins, and with which checkpoint.
 *
 * <p>It says that the backup is one of a standby: then the data is consistent at pg_control's minRecoveryPoint, and PostgreSQL waits for no
 * record that ends a backup, which nobody wrote.
 */
final class BackupLabel {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss 'UTC'", Locale.ROOT)
            .withZone(ZoneOffset.UTC);

    private BackupLabel() {}

    /**
     * Its text.
     *
     * @param checkPoint where the checkpoint record starts
     * @param redo of that checkpoint
     */
    static String text(Lsn checkPoint, Lsn redo, int tli, int segmentSizeBytes, long nowSeconds) {
        return "START WAL LOCATION: " + redo + " (file "
                + WalSegmentName.holding(redo, segmentSizeBytes).fileName() + ")\n"
                + "CHECKPOINT LOCATION: " + checkPoint + "\n"
                + "BACKUP METHOD: streamed\n"
                + "BACKUP FROM: standby\n"
                + "START TIME: " + TIME.format(Instant.ofEpochSecond(nowSeconds)) + "\n"
                + "LABEL: tidemark\n"
                + "START TIMELINE: " + tli + "\n";
    }
}
