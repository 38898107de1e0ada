package io.tidemark.pageserver.pgpage;

import io.tidemark.wire.wal.LittleEndian;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * pg_checksum_page (checksum_impl.h): what pd_checksum is in a cluster with data checksums.
 *
 * <pre>
 *   the page, its pd_checksum taken as 0, is 64 rows of 32 words
 *   for each row, then twice with words of 0:   t = lane ^ word; lane = t * 16777619 ^ t >>> 17
 *   checksum = (xor of the 32 lanes ^ block number) mod 65535 + 1, all unsigned: never 0
 * </pre>
 *
 * <p>A page that is new has none.
 */
public final class PageChecksum {
    private static final int LANES = 32;
    private static final int FNV_PRIME = 16777619;

    private static final int[] SEEDS = {
        0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
        0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
        0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
        0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756
    };

    private PageChecksum() {}

    /** The checksum a page that is not new must have at this block number. */
    public static int of(byte[] page, int block) {
        int[] words = new int[Page.SIZE_BYTES / Integer.BYTES];
        ByteBuffer.wrap(page).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(words);
        words[Page.PD_CHECKSUM / Integer.BYTES] &= 0xFFFF0000; // the other half is pd_flags
        int[] lanes = SEEDS.clone();
        for (int row = 0; row < words.length; row += LANES) {
            mix(lanes, words, row);
        }
        int[] zeros = new int[LANES];
        mix(lanes, zeros, 0);
        mix(lanes, zeros, 0);
        int result = 0;
        for (int lane : lanes) {
            result ^= lane;
        }
        return Integer.remainderUnsigned(result ^ block, 65535) + 1;
    }

    // Words and lanes are arrays of int so that the compiler turns this loop into vector instructions.
    private static void mix(int[] lanes, int[] words, int row) {
        for (int lane = 0; lane < LANES; lane++) {
            int mixed = lanes[lane] ^ words[row + lane];
            lanes[lane] = mixed * FNV_PRIME ^ mixed >>> 17;
        }
    }

    /** Writes the right checksum into a page, none into a new one. */
    public static void set(byte[] page, int block) {
        boolean isNew = LittleEndian.u16(page, Page.PD_UPPER) == 0;
        LittleEndian.putU16(page, Page.PD_CHECKSUM, isNew ? 0 : of(page, block));
    }
}
