package io.tidemark.wire.id;

/**
 * A PostgreSQL version as PG_VERSION_NUM has it, e.g. 170002; 0 is "unknown".
 *
 * @param number PG_VERSION_NUM
 */
public record PgVersion(int number) {
    public static final PgVersion UNKNOWN = new PgVersion(0);
    public static final int OLDEST_MAJOR = 14;
    public static final int NEWEST_MAJOR = 18;

    public static PgVersion of(int number) {
        return number == 0 ? UNKNOWN : new PgVersion(number);
    }

    public boolean isKnown() {
        return number != 0;
    }

    /** 14 to 18 for a supported version. */
    public int major() {
        return number / 10_000;
    }

    public boolean isSupported() {
        return major() >= OLDEST_MAJOR && major() <= NEWEST_MAJOR && number > 0;
    }

    @Override
    public String toString() {
        return number == 0 ? "unknown" : major() + "." + number % 10_000;
    }
}
