package io.tidemark.runtime.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class TimeSourceTest {
    @Test
    void fakeTimeMovesOnlyWhenTold() {
        FakeTimeSource time = new FakeTimeSource(Instant.EPOCH);
        assertThat(time.monotonicNanos()).isZero();
        time.advance(Duration.ofMillis(1500));
        assertThat(time.monotonicMillis()).isEqualTo(1500);
        assertThat(time.now()).isEqualTo(Instant.EPOCH.plusMillis(1500));
        assertThatThrownBy(() -> time.advance(Duration.ofNanos(-1))).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void systemTimeNeverGoesBack() {
        TimeSource time = TimeSource.system();
        long before = time.monotonicNanos();
        assertThat(time.monotonicNanos()).isGreaterThanOrEqualTo(before).isNotNegative();
        assertThat(Duration.between(time.now(), Instant.now()).abs()).isLessThan(Duration.ofSeconds(5));
    }
}
