package io.tidemark.pageserver.layer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class VersionArenaTest {
    private static final int VERSIONS = 20_000;
    private static final int LOG_OF_VERSIONS = 15;

    @Test
    void findsAnyLsnOfALongListAndGivesTheBytesBack() {
        SplittableRandom random = new SplittableRandom(5);
        try (VersionArena arena = new VersionArena()) {
            TreeMap<Long, byte[]> model = new TreeMap<>();
            int newest = 0;
            int jump = 0;
            long lsn = 0;
            for (int i = 0; i < VERSIONS; i++) {
                lsn += 1 + random.nextInt(5);
                int limit = i % 5000 == 0 ? 9 << 20 : 100;
                byte[] bytes = VersionModel.randomBytes(random, limit);
                jump = arena.jumpInFrontOf(newest, jump, i);
                newest = arena.append(newest, jump, lsn, i % 10 == 0, bytes, 0, bytes.length);
                assertThat(jumpsToTheEnd(arena, newest)).isLessThanOrEqualTo(2 * LOG_OF_VERSIONS);
                model.put(lsn, bytes);
            }
            for (int i = 0; i < 2000; i++) {
                long at = random.nextLong(lsn + 10);
                int found = arena.find(newest, at);
                var expected = model.floorEntry(at);
                if (expected == null) {
                    assertThat(found).isZero();
                } else {
                    assertThat(arena.lsn(found)).isEqualTo(expected.getKey());
                    byte[] bytes = new byte[arena.length(found)];
                    arena.copyTo(found, bytes);
                    assertThat(bytes).isEqualTo(expected.getValue());
                }
            }
        }
    }

    private static int jumpsToTheEnd(VersionArena arena, int newest) {
        int jumps = 0;
        for (int at = newest; at != 0; at = arena.jump(at)) {
            jumps++;
        }
        return jumps;
    }
}
