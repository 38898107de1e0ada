package io.tidemark.cli.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WalEqualityTest {
    private static final int SEGMENT = 1 << 20;
    private static final Lsn START = Lsn.of(SEGMENT + 1_000);
    private static final Lsn END = Lsn.of(3L * SEGMENT - 5);

    @TempDir
    private Path directory = Path.of("unset");

    private Path left = Path.of("unset");
    private Path right = Path.of("unset");

    @BeforeEach
    void writeTwoSegmentsTwice() throws IOException {
        left = Files.createDirectory(directory.resolve("pg_wal"));
        right = Files.createDirectory(directory.resolve("safekeeper"));
        Random random = new Random(42);
        for (int segment = 1; segment <= 2; segment++) {
            byte[] bytes = new byte[SEGMENT];
            random.nextBytes(bytes);
            Files.write(left.resolve(name(segment)), bytes);
            Files.write(right.resolve(segment == 2 ? name(segment) + ".partial" : name(segment)), bytes);
        }
    }

    private static String name(int segment) {
        return String.format("0000000100000000%08X", segment);
    }

    @Test
    void equalWalIsEqualOverSegmentsAndInAPartialOne() throws IOException {
        assertThat(new WalEquality(left, right, SEGMENT).requireEqual(START, END))
                .isEqualTo(END.minus(START));
    }

    @Test
    void oneDifferentByteIsFoundAndNamed() throws IOException {
        flip(right.resolve(name(2) + ".partial"), 777_777);

        assertThatThrownBy(() -> new WalEquality(left, right, SEGMENT).requireEqual(START, END))
                .isInstanceOf(ClusterException.class)
                .hasMessageContaining("WAL differs at " + Lsn.of(2L * SEGMENT + 777_777));
    }

    @Test
    void whatIsOutsideTheRangeDoesNotMatter() throws IOException {
        flip(right.resolve(name(1)), 999);
        flip(right.resolve(name(2) + ".partial"), SEGMENT - 5);

        assertThat(new WalEquality(left, right, SEGMENT).requireEqual(START, END))
                .isEqualTo(END.minus(START));
    }

    @Test
    void aMissingSegmentIsADifference() throws IOException {
        Files.delete(right.resolve(name(1)));

        assertThatThrownBy(() -> new WalEquality(left, right, SEGMENT).requireEqual(START, END))
                .isInstanceOf(ClusterException.class)
                .hasMessageContaining("no segment " + name(1));
    }

    private static void flip(Path file, int offset) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[offset] ^= 1;
        Files.write(file, bytes);
    }
}
