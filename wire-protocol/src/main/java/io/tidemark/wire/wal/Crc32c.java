package io.tidemark.wire.wal;

/**
 * Arithmetic on CRC-32C values (Castagnoli, reflected polynomial 82F63B78) that {@link java.util.zip.CRC32C} lacks: joining
 * the CRCs of two adjacent byte ranges. With it a CRC can be carried from one received buffer to the next as a plain int.
 */
public final class Crc32c {
    private static final int POLYNOMIAL = 0x82F63B78;

    /** x^(2^k) modulo the polynomial, for k up to the bit length of a byte count plus 3. */
    private static final int[] SQUARES = squares(40);

    private Crc32c() {}

    /**
     * The CRC of A followed by B.
     *
     * @param crcA CRC of A; 0 for an empty A
     * @param crcB CRC of B
     * @param lengthB length of B in bytes, from 0 to 2^36
     */
    public static int combine(int crcA, int crcB, long lengthB) {
        if (crcA == 0) {
            return crcB;
        }
        int shift = 1 << 31; // x^0
        int k = 3; // a byte is x^(2^3)
        for (long n = lengthB; n != 0; n >>>= 1, k++) {
            if ((n & 1) != 0) {
                shift = multiply(SQUARES[k], shift);
            }
        }
        return multiply(shift, crcA) ^ crcB;
    }

    private static int[] squares(int count) {
        int[] table = new int[count];
        int p = 1 << 30; // x^1
        for (int k = 0; k < count; k++) {
            table[k] = p;
            p = multiply(p, p);
        }
        return table;
    }

    /** a(x) * b(x) modulo the polynomial; bit 31 is the coefficient of x^0. */
    private static int multiply(int a, int b) {
        int product = 0;
        int factor = b;
        for (int bit = 1 << 31; bit != 0; bit >>>= 1) {
            if ((a & bit) != 0) {
                product ^= factor;
            }
            factor = (factor & 1) != 0 ? factor >>> 1 ^ POLYNOMIAL : factor >>> 1;
        }
        return product;
    }
}
