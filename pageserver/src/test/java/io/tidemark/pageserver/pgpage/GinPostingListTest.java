package io.tidemark.pageserver.pgpage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

class GinPostingListTest {
    private static final int ROUNDS = 2000;

    /** (0,1) (0,2) (1,1) (1,130): the differences are 1, 2047 and 129. */
    private static final byte[] KNOWN = {
        0,
        0,
        0,
        0,
        1,
        0, // first
        5,
        0, // nbytes
        1,
        (byte) 0xFF,
        0x0F,
        (byte) 0x81,
        1, // differences
        0 // padding
    };

    private static final long[] KNOWN_NUMBERS = {1, 2, 2049, 2048 + 130};

    @Test
    void knownSegment() {
        byte[] into = filled(64);
        assertThat(GinPostingList.encode(KNOWN_NUMBERS, into, 3, 64)).isEqualTo(KNOWN.length);
        assertThat(Arrays.copyOfRange(into, 3, 3 + KNOWN.length)).isEqualTo(KNOWN);
        assertThat(into[2]).isEqualTo((byte) 0xAA);
        assertThat(into[3 + KNOWN.length]).isEqualTo((byte) 0xAA);
        assertThat(GinPostingList.size(KNOWN, 0, KNOWN.length)).isEqualTo(KNOWN.length);
        assertThat(GinPostingList.decode(KNOWN, 0, KNOWN.length)).isEqualTo(KNOWN_NUMBERS);
    }

    @Test
    void highestBlockAndWidestDifference() {
        long last = 0xFFFF_FFFFL << 11 | 291;
        byte[] into = filled(64);
        int size = GinPostingList.encode(new long[] {1, last}, into, 0, 64);
        assertThat(size).isEqualTo(8 + 8);
        assertThat(into[6]).isEqualTo((byte) 7);
        assertThat(GinPostingList.decode(into, 0, size)).containsExactly(1, last);
    }

    @Test
    void encodingIsMinimalAndDecodesToTheSame() {
        long seed = ThreadLocalRandom.current().nextLong();
        Random random = new Random(seed);
        for (int round = 0; round < ROUNDS; round++) {
            long[] numbers = randomNumbers(random);
            byte[] into = filled(8192);
            int at = random.nextInt(50);
            int size = GinPostingList.encode(numbers, into, at, into.length);
            assertThat(size).as("seed %d", seed).isEqualTo(8 + Page.align2(expectedBytes(numbers)));
            assertThat(GinPostingList.size(into, at, into.length))
                    .as("seed %d", seed)
                    .isEqualTo(size);
            assertThat(GinPostingList.decode(into, at, at + size))
                    .as("seed %d", seed)
                    .isEqualTo(numbers);
            if (expectedBytes(numbers) % 2 == 1) {
                assertThat(into[at + size - 1]).as("pad byte, seed %d", seed).isZero();
            }
            assertThat(into[at + size]).as("behind the segment, seed %d", seed).isEqualTo((byte) 0xAA);
        }
    }

    @Test
    void exactlyTheSegmentsSizeIsEnoughRoom() {
        long seed = ThreadLocalRandom.current().nextLong();
        Random random = new Random(seed);
        for (int round = 0; round < ROUNDS; round++) {
            long[] numbers = randomNumbers(random);
            int size = GinPostingList.encode(numbers, new byte[8192], 0, 8192);
            assertThat(GinPostingList.encode(numbers, new byte[size], 0, size))
                    .as("seed %d", seed)
                    .isEqualTo(size);
            assertThatThrownBy(() -> GinPostingList.encode(numbers, new byte[size - 1], 0, size - 1))
                    .as("seed %d", seed)
                    .isInstanceOf(PageException.class);
        }
    }

    @Test
    void anyBytesGiveItemsOrAPageException() {
        long seed = ThreadLocalRandom.current().nextLong();
        Random random = new Random(seed);
        int decoded = 0;
        for (int round = 0; round < 20 * ROUNDS; round++) {
            byte[] bytes = new byte[random.nextInt(40)];
            random.nextBytes(bytes);
            if (bytes.length > 7) {
                bytes[5] &= 7;
                bytes[6] &= 31;
                bytes[7] = 0;
            }
            try {
                long[] numbers = GinPostingList.decode(bytes, 0, bytes.length);
                assertThat(numbers).as("seed %d", seed).isSorted();
                decoded++;
            } catch (PageException e) {
                assertThat(e).as("seed %d", seed).hasMessageMatching(".*(segment|difference|ascending|high).*");
            }
        }
        assertThat(decoded).as("seed %d", seed).isPositive();
    }

    @Test
    void refusesWhatTheServerNeverWrites() {
        byte[] endless = KNOWN.clone();
        endless[12] = (byte) 0x81;
        assertThatThrownBy(() -> GinPostingList.decode(endless, 0, endless.length))
                .hasMessageContaining("does not end");
        byte[] twice = KNOWN.clone();
        twice[8] = 0;
        assertThatThrownBy(() -> GinPostingList.decode(twice, 0, twice.length)).hasMessageContaining("ascending");
        assertThatThrownBy(() -> GinPostingList.decode(KNOWN, 0, KNOWN.length - 1))
                .isInstanceOf(PageException.class);
        assertThatThrownBy(() -> GinPostingList.encode(new long[] {2, 2}, new byte[64], 0, 64))
                .hasMessageContaining("ascending");
        assertThatThrownBy(() -> GinPostingList.toNumber(new byte[] {0, 0, 0, 0, 0, 8}, 0))
                .hasMessageContaining("2048");
    }

    private static long[] randomNumbers(Random random) {
        int count = 1 + random.nextInt(150);
        long number = Integer.toUnsignedLong(random.nextInt()) / 2 << 11 | 1 + random.nextInt(291);
        long[] numbers = new long[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = number;
            long step = random.nextLong(1L << random.nextInt(1, 33)) + 1;
            number = Math.min(number + step, (1L << 43) - (count - i));
        }
        return Arrays.stream(numbers).distinct().toArray();
    }

    private static int expectedBytes(long[] numbers) {
        int bytes = 0;
        for (int i = 1; i < numbers.length; i++) {
            for (long rest = numbers[i] - numbers[i - 1]; rest != 0; rest >>>= 7) {
                bytes++;
            }
        }
        return bytes;
    }

    private static byte[] filled(int length) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) 0xAA);
        return bytes;
    }
}
