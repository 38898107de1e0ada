package io.tidemark.pageserver.basebackup;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A command that asks for a backup.
 *
 * <pre>
 *   basebackup TENANT TIMELINE [LSN | latest] [--gzip] [--replica]      flags in any order, each once
 *   fullbackup TENANT TIMELINE [LSN [PREV_LSN]] [--standby]             the flag is ours, Neon's page service does not know it
 * </pre>
 *
 * @param lsn null: the last one
 * @param prev null: whatever is known
 */
public record BackupRequest(
        TenantTimelineId id,
        BackupKind kind,
        @Nullable Lsn lsn,
        @Nullable Lsn prev,
        boolean gzip) {
    private static final String BASE = "basebackup";
    private static final String FULL = "fullbackup";
    private static final String STANDBY = "--standby";

    /**
     * Reads a command.
     *
     * @param words the command, cut at white space
     * @return empty when it is another command
     * @throws IllegalArgumentException when it is one of these, but wrong
     */
    public static Optional<BackupRequest> parse(List<String> words) {
        return switch (words.getFirst().toLowerCase(Locale.ROOT)) {
            case BASE -> Optional.of(base(words));
            case FULL -> Optional.of(full(words));
            default -> Optional.empty();
        };
    }

    private static BackupRequest base(List<String> words) {
        TenantTimelineId id = id(words, "basebackup TENANT_ID TIMELINE_ID [LSN | latest] [--gzip] [--replica]");
        boolean gzip = false;
        boolean replica = false;
        Lsn lsn = null;
        for (int i = 3; i < words.size(); i++) {
            String word = words.get(i);
            if (word.equals("--gzip") && !gzip) {
                gzip = true;
            } else if (word.equals("--replica") && !replica) {
                replica = true;
            } else if (i == 3 && !word.startsWith("--")) {
                lsn = word.equalsIgnoreCase("latest") ? null : Lsn.parse(word);
            } else {
                throw new IllegalArgumentException("'" + word + "' is unknown, or not expected there, in " + BASE);
            }
        }
        return new BackupRequest(id, replica ? BackupKind.REPLICA : BackupKind.COMPUTE, lsn, null, gzip);
    }

    private static BackupRequest full(List<String> all) {
        String usage = "fullbackup TENANT_ID TIMELINE_ID [LSN [PREV_LSN]] [--standby]";
        boolean standby = all.getLast().equals(STANDBY);
        List<String> words = standby ? all.subList(0, all.size() - 1) : all;
        TenantTimelineId id = id(words, usage);
        if (words.size() > 5) {
            throw new IllegalArgumentException("usage: " + usage);
        }
        Lsn lsn = words.size() > 3 ? Lsn.parse(words.get(3)) : null;
        Lsn prev = words.size() > 4 ? Lsn.parse(words.get(4)) : null;
        return new BackupRequest(id, standby ? BackupKind.STANDBY : BackupKind.FULL, lsn, prev, false);
    }

    private static TenantTimelineId id(List<String> words, String usage) {
        if (words.size() < 3) {
            throw new IllegalArgumentException("usage: " + usage);
        }
        return new TenantTimelineId(TenantId.parse(words.get(1)), TimelineId.parse(words.get(2)));
    }
}
