package io.tidemark.wire.id;

/** PostgreSQL's system identifier, made by initdb and stamped into WAL. Printed as an unsigned decimal; 0 is "unknown". */
public record SystemId(long value) {
    public static final SystemId UNKNOWN = new SystemId(0);

    public static SystemId of(long value) {
        return value == 0 ? UNKNOWN : new SystemId(value);
    }

    /** Reads an unsigned decimal, as IDENTIFY_SYSTEM answers it; throws {@link NumberFormatException} otherwise. */
    public static SystemId parse(String text) {
        return of(Long.parseUnsignedLong(text));
    }

    public boolean isKnown() {
        return value != 0;
    }

    @Override
    public String toString() {
        return Long.toUnsignedString(value);
    }
}
