package io.tidemark.pageserver.layer;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.wire.id.Lsn;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class RetentionTest {
    @Test
    void coversEverythingFromTheCutoffOnAndWhatIsRetained() {
        Retention retention = new Retention(Lsn.of(50), List.of(Lsn.of(20), Lsn.of(10), Lsn.of(20)));
        assertThat(retention.retained()).containsExactly(Lsn.of(10), Lsn.of(20));
        assertThat(retention.covers(Lsn.of(50))).isTrue();
        assertThat(retention.covers(Lsn.of(20))).isTrue();
        assertThat(retention.covers(Lsn.of(49))).isFalse();
    }

    /** A version is needed exactly when the chain of some readable LSN contains it. */
    @Test
    void needsIsExact() {
        for (long seed = 0; seed < 3000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int end = 24;
            List<Lsn> retained = new ArrayList<>();
            for (int i = random.nextInt(4); i > 0; i--) {
                retained.add(Lsn.of(1 + random.nextInt(end)));
            }
            Retention retention = new Retention(Lsn.of(random.nextInt(end)), retained);
            boolean[] present = new boolean[end];
            boolean[] base = new boolean[end];
            for (int lsn = 1; lsn < end; lsn++) {
                present[lsn] = random.nextBoolean();
                base[lsn] = random.nextInt(3) == 0;
            }
            boolean[] needed = new boolean[end];
            for (int at = 0; at < end + 2; at++) {
                if (retention.covers(Lsn.of(at))) {
                    for (int lsn = Math.min(at, end - 1); lsn > 0; lsn--) {
                        needed[lsn] |= present[lsn];
                        if (present[lsn] && base[lsn]) {
                            break;
                        }
                    }
                }
            }
            long newerBase = -1;
            for (int lsn = end - 1; lsn > 0; lsn--) {
                if (present[lsn]) {
                    assertThat(retention.needs(lsn, newerBase))
                            .as("seed %d, version %d, %s", seed, lsn, retention)
                            .isEqualTo(needed[lsn]);
                    newerBase = base[lsn] ? lsn : newerBase;
                }
            }
        }
    }
}
