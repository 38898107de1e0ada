package io.tidemark.wire.tar;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;

class TarHeaderTest {
    private static final TarHeader FILE = TarHeader.file("base/5/16384_fsm.1", 1L << 30, 1_700_000_000L);

    @Test
    void whatIsWrittenIsReadBack() throws Exception {
        for (TarHeader header : new TarHeader[] {
            FILE, TarHeader.directory("pg_wal/archive_status", 1), TarHeader.file("x".repeat(100), 0, 0)
        }) {
            assertThat(TarHeader.decode(header.encode())).isEqualTo(header);
        }
        assertThat(TarHeader.isEnd(new byte[512])).isTrue();
        assertThat(TarHeader.isEnd(FILE.encode())).isFalse();
        assertThat(TarHeader.paddingBytes(513)).isEqualTo(511);
        assertThat(TarHeader.paddingBytes(1024)).isZero();
    }

    @Test
    void theBytesAreThoseOfGnuTar() {
        String block = new String(FILE.encode(), ISO_8859_1);
        assertThat(block.substring(100, 108)).isEqualTo("0000600\0");
        assertThat(block.substring(108, 124)).isEqualTo("\0".repeat(16));
        assertThat(block.substring(124, 136)).isEqualTo("10000000000\0");
        assertThat(block.charAt(156)).isEqualTo('\0');
        assertThat(block.substring(257, 265)).isEqualTo("ustar  \0");
        assertThat(new String(TarHeader.directory("base", 0).encode(), ISO_8859_1).charAt(156))
                .isEqualTo('5');
    }

    @Test
    void whatDoesNotFitIsRefused() {
        for (TarHeader header : new TarHeader[] {
            TarHeader.file("y".repeat(101), 0, 0), TarHeader.file("", 0, 0), TarHeader.file("a", 1L << 33, 0)
        }) {
            assertThatThrownBy(header::encode).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void damagedBytesAreAnErrorOrAHeader() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int refused = 0;
        for (int i = 0; i < 5_000; i++) {
            byte[] block = FILE.encode();
            block[random.nextInt(block.length)] ^= (byte) (1 + random.nextInt(255));
            try {
                assertThat(TarHeader.decode(block).name()).isNotNull();
            } catch (InvalidTarException e) {
                refused++;
            }
        }
        // One changed byte changes the sum, so none gets through but those in the checksum that mean the same.
        assertThat(refused).as("seed %d", seed).isGreaterThan(4_900);
    }
}
