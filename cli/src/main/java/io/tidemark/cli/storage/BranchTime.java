package io.tidemark.cli.storage;

import io.tidemark.wire.id.Lsn;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A place in the history of a branch, as people name it. */
public sealed interface BranchTime {
    /** Everything that is committed now. */
    record Head() implements BranchTime {}

    /** An LSN. */
    record AtLsn(Lsn lsn) implements BranchTime {}

    /** What was committed at a moment. */
    record AtMoment(Instant moment) implements BranchTime {}

    /** Where pg_create_restore_point was called with a name; the last such place. */
    record AtPoint(String name) implements BranchTime {}

    /** A restore point is named after this, so that its name may look like anything. */
    String POINT = "point:";

    Pattern LSN = Pattern.compile("[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}");
    Pattern AGO = Pattern.compile("-([0-9]{1,9})([smhd])");
    Pattern SHORT_OFFSET = Pattern.compile(".*[+-][0-9]{2}");

    /**
     * Reads {@code head}, {@code 0/16B3748}, {@code 2026-11-26T10:15:30Z}, PostgreSQL's {@code 2026-11-26 10:15:30.5+01}, the same without
     * an offset in the time zone of this machine, {@code -90s}, {@code -10m}, {@code -2h}, {@code -1d} for so long ago, or
     * {@code point:NAME} for a restore point.
     *
     * @throws IllegalArgumentException naming these forms
     */
    static BranchTime parse(String text, Instant now) {
        String stripped = text.strip();
        if (stripped.equalsIgnoreCase("head")) {
            return new Head();
        }
        if (stripped.startsWith(POINT) && stripped.length() > POINT.length()) {
            return new AtPoint(stripped.substring(POINT.length()));
        }
        if (LSN.matcher(stripped).matches()) {
            return new AtLsn(Lsn.parse(stripped.toUpperCase(Locale.ROOT)));
        }
        Matcher ago = AGO.matcher(stripped);
        if (ago.matches()) {
            return new AtMoment(now.minus(length(Long.parseLong(ago.group(1)), ago.group(2))));
        }
        try {
            String iso = stripped.replaceFirst("^(\\d{4}-\\d{2}-\\d{2}) ", "$1T");
            if (iso.contains("T")
                    && SHORT_OFFSET.matcher(iso.substring(iso.indexOf('T'))).matches()) {
                iso += ":00";
            }
            boolean hasOffset = iso.endsWith("Z") || iso.matches(".*T.*[+-].*");
            return new AtMoment(
                    hasOffset
                            ? OffsetDateTime.parse(iso).toInstant()
                            : LocalDateTime.parse(iso)
                                    .atZone(ZoneId.systemDefault())
                                    .toInstant());
        } catch (DateTimeException e) {
            throw new IllegalArgumentException(
                    "neither an LSN (0/16B3748) nor a time (2026-11-26T10:15:30Z, '2026-11-26 10:15:30+01', -10m for ten"
                            + " minutes ago, head) nor a restore point (point:NAME): '" + text + "'",
                    e);
        }
    }

    private static Duration length(long count, String unit) {
        return switch (unit) {
            case "s" -> Duration.ofSeconds(count);
            case "m" -> Duration.ofMinutes(count);
            case "h" -> Duration.ofHours(count);
            default -> Duration.ofDays(count);
        };
    }
}
