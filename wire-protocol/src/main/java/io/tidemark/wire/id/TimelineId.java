package io.tidemark.wire.id;

/**
 * The id of a timeline, one branch of a tenant's history. PostgreSQL's own timeline number, {@code tli}, is another thing and always 1. 16 bytes, text form 32 lower-case hex digits.
 *
 * @param high the first 8 bytes, big endian
 * @param low the last 8 bytes, big endian
 */
public record TimelineId(long high, long low) {
    /** Reads 32 hex digits; throws {@link IllegalArgumentException} otherwise. */
    public static TimelineId parse(String text) {
        try {
            if (text.length() == 32) {
                return new TimelineId(Hex.parseUnsigned(text, 0, 16), Hex.parseUnsigned(text, 16, 32));
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("not a timeline id: '" + text + "' (expected 32 hex digits)", e);
        }
        throw new IllegalArgumentException("not a timeline id: '" + text + "' (expected 32 hex digits)");
    }

    @Override
    public String toString() {
        return Hex.fixed(high) + Hex.fixed(low);
    }
}
