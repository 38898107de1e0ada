package io.tidemark.bench.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PgbenchDatabaseTest {
    @Test
    void scaleGrowsWithTheSizeAndIsNeverNone() {
        assertThat(PgbenchDatabase.scaleOf(1)).isEqualTo(1);
        assertThat(PgbenchDatabase.scaleOf(100)).isEqualTo(5);
        assertThat(PgbenchDatabase.scaleOf(1000)).isEqualTo(62);
        assertThat(PgbenchDatabase.scaleOf(5000)).isEqualTo(317);
    }
}
