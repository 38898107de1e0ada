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
                long place = arena.find(VersionArena.place(newest, VERSIONS), at);
                int found = VersionArena.addressOf(place);
                var expected = model.floorEntry(at);
                if (expected == null) {
                    assertThat(place).isZero();
                } else {
                    assertThat(arena.lsn(found)).isEqualTo(expected.getKey());
                    assertThat(VersionArena.depthOf(place))
                            .isEqualTo(model.headMap(at, true).size());
                    byte[] bytes = new byte[arena.length(found)];
                    assertThat(arena.copyTo(found, bytes, 0)).isEqualTo(bytes.length);
                    assertThat(bytes).isEqualTo(expected.getValue());
                }
            }
        }
    }

    @Test
    void aRunIsTheVersionsOneBehindTheOther() {
        SplittableRandom random = new SplittableRandom(6);
        try (VersionArena arena = new VersionArena()) {
            int[] addresses = new int[VERSIONS + 1];
            int jump = 0;
            for (int depth = 1; depth <= VERSIONS; depth++) {
                jump = arena.jumpInFrontOf(addresses[depth - 1], jump, depth - 1);
                addresses[depth] = arena.append(addresses[depth - 1], jump, depth, false, new byte[3], 0, 3);
            }
            VersionRun run = new VersionRun();
            for (int i = 0; i < 5000; i++) {
                int depth = i < 300 ? i + 1 : 1 + random.nextInt(VERSIONS);
                int atMost = 1 + random.nextInt(2 * VersionRun.MOST);
                long behind = run.collect(arena, VersionArena.place(addresses[depth], depth), atMost);
                int count = Math.min(depth, Math.min(atMost, VersionRun.MOST));
                assertThat(run.count()).isEqualTo(count);
                for (int at = 0; at < count; at++) {
                    assertThat(run.address(at))
                            .as("version " + at + " of " + count + " from " + depth + " on")
                            .isEqualTo(addresses[depth - at]);
                }
                long expected = depth == count ? 0 : VersionArena.place(addresses[depth - count], depth - count);
                assertThat(behind).isEqualTo(expected);
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
