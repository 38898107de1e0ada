package io.tidemark.wire.wal;

/**
 * Decompression of pglz, PostgreSQL's own LZ variant.
 *
 * <pre>
 *   control byte, then for each of its bits, lowest first:
 *     0: one literal byte
 *     1: two bytes: high nibble of the first and the second make the distance back (1 to 4095), low nibble of the first
 *        plus 3 the length (3 to 18); a length of 18 is followed by a byte that is added to it
 * </pre>
 */
final class Pglz {
    private static final int MAX_SHORT_MATCH = 18;

    private Pglz() {}

    /**
     * Decompresses all of the input into exactly {@code outLength} bytes.
     *
     * @return whether input and output ended together and every match lay inside the output; false leaves rubbish in out
     */
    static boolean decompress(byte[] in, int inOffset, int inLength, byte[] out, int outOffset, int outLength) {
        int from = inOffset;
        final int inEnd = inOffset + inLength;
        int to = outOffset;
        final int outEnd = outOffset + outLength;
        while (from < inEnd && to < outEnd) {
            int control = in[from++];
            for (int bit = 0; bit < 8 && from < inEnd && to < outEnd; bit++, control >>= 1) {
                if ((control & 1) == 0) {
                    out[to++] = in[from++];
                    continue;
                }
                if (inEnd - from < 2) {
                    return false;
                }
                int length = (in[from] & 0x0F) + 3;
                int distance = (in[from] & 0xF0) << 4 | in[from + 1] & 0xFF;
                from += 2;
                if (length == MAX_SHORT_MATCH) {
                    if (from == inEnd) {
                        return false;
                    }
                    length += in[from++] & 0xFF;
                }
                if (distance == 0 || distance > to - outOffset) {
                    return false;
                }
                // A match may run past the end of the output: PostgreSQL's decompressor cuts it there, so do we.
                for (int end = Math.min(to + length, outEnd); to < end; to++) {
                    out[to] = out[to - distance];
                }
            }
        }
        return from == inEnd && to == outEnd;
    }
}
