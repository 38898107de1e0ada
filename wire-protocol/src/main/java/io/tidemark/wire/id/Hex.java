package io.tidemark.wire.id;

/** Strict hexadecimal numbers: digits only, no sign, no white space. */
final class Hex {
    private Hex() {}

    /** Reads 1 to 16 hex digits of {@code text[start, end)}; throws {@link NumberFormatException} otherwise. */
    static long parseUnsigned(String text, int start, int end) {
        if (end - start < 1 || end - start > 16) {
            throw new NumberFormatException("expected 1 to 16 hex digits, got " + (end - start));
        }
        long value = 0;
        for (int i = start; i < end; i++) {
            char c = text.charAt(i);
            int digit = c < 128 ? Character.digit(c, 16) : -1;
            if (digit < 0) {
                throw new NumberFormatException("not a hex digit at " + i);
            }
            value = value << 4 | digit;
        }
        return value;
    }

    /** 16 lower-case digits. */
    static String fixed(long value) {
        String digits = Long.toHexString(value);
        return "0".repeat(16 - digits.length()) + digits;
    }
}
