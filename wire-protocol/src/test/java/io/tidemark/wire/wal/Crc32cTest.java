package io.tidemark.wire.wal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

class Crc32cTest {
    private static int crc(byte[] bytes, int from, int to) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, from, to - from);
        return (int) crc.getValue();
    }

    @Test
    void combineEqualsTheCrcOfTheWhole() {
        Random random = new Random(1);
        byte[] bytes = new byte[100_000];
        random.nextBytes(bytes);
        int whole = crc(bytes, 0, bytes.length);
        for (int i = 0; i < 2000; i++) {
            int cut = i < 100 ? i : random.nextInt(bytes.length + 1);
            assertThat(Crc32c.combine(crc(bytes, 0, cut), crc(bytes, cut, bytes.length), bytes.length - cut))
                    .as("cut at %d", cut)
                    .isEqualTo(whole);
        }
    }

    @Test
    void combineWorksBeyondTwoGigabytesOfZeros() {
        CRC32C crc = new CRC32C();
        byte[] zeros = new byte[1 << 20];
        crc.update(new byte[] {1, 2, 3});
        int prefix = (int) crc.getValue();
        CRC32C tail = new CRC32C();
        for (int i = 0; i < 2100; i++) {
            crc.update(zeros);
            tail.update(zeros);
        }
        assertThat(Crc32c.combine(prefix, (int) tail.getValue(), 2100L << 20)).isEqualTo((int) crc.getValue());
    }
}
