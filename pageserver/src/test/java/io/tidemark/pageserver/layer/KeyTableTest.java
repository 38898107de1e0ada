package io.tidemark.pageserver.layer;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.pageserver.key.Key;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class KeyTableTest {
    @Test
    void findsAndOrdersLikeATreeMapWhateverTheOrderOfInserts() {
        for (long seed = 0; seed < 20; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            KeyTable table = new KeyTable();
            TreeMap<Key, Integer> model = new TreeMap<>();
            TreeMap<Key, Integer> versions = new TreeMap<>();
            int range = 1 << (4 + random.nextInt(14));
            long run = 0;
            for (int i = 1; i < 20_000; i++) {
                run = random.nextInt(8) == 0 ? random.nextInt(range) : run + 1;
                Key key = new Key(random.nextInt(100) == 0 ? -1 : run >>> 8, run << 56 | run);
                if (model.putIfAbsent(key, i) == null) {
                    assertThat(table.find(key.high(), key.low())).isZero();
                    table.insert(key.high(), key.low(), i, 3L * i);
                } else {
                    int known = table.find(key.high(), key.low());
                    int depth = VersionArena.depthOf(table.newest(known)) + 1;
                    table.setNewest(known, VersionArena.place(i, depth), -i, 3L * i);
                    versions.merge(key, 1, Integer::sum);
                    model.put(key, i);
                }
            }
            assertThat(table.count()).isEqualTo(model.size());
            List<Key> order = new ArrayList<>();
            for (int key = table.first(); key != 0; key = table.next(key)) {
                order.add(new Key(table.high(key), table.low(key)));
                int newest = model.getOrDefault(order.getLast(), 0);
                int depth = 1 + versions.getOrDefault(order.getLast(), 0);
                assertThat(table.newest(key)).isEqualTo(VersionArena.place(newest, depth));
                assertThat(table.newestLsn(key)).isEqualTo(3L * newest);
                assertThat(table.newestJump(key)).isEqualTo(depth == 1 ? 0 : -newest);
            }
            assertThat(order).as("seed " + seed).isEqualTo(List.copyOf(model.keySet()));
            for (int i = 0; i < 1000; i++) {
                Key key = new Key(random.nextInt(range) >>> 8, random.nextLong());
                Key expected = model.ceilingKey(key);
                int found = table.ceiling(key.high(), key.low());
                assertThat(found == 0 ? null : new Key(table.high(found), table.low(found)))
                        .isEqualTo(expected);
            }
        }
    }

    /** Keys come in right below the one that is asked for, which must be the answer all the same. */
    @Test
    void aKeyThatComesInMeanwhileIsNotTakenForOneBehindIt() throws Exception {
        for (int round = 0; round < 50; round++) {
            KeyTable table = new KeyTable();
            int last = table.insert(1, 0, 1, 1);
            Thread writer = Thread.ofPlatform().start(() -> {
                for (int i = 0; i < 20_000; i++) {
                    table.insert(0, i, 1, 1);
                }
            });
            int wrong = 0;
            while (writer.isAlive()) {
                wrong += table.ceiling(1, 0) == last ? 0 : 1;
            }
            writer.join();
            assertThat(wrong).as("answers below what was asked for").isZero();
        }
    }
}
