package io.tidemark.bench.start;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BranchCreationTest {
    @Test
    void percentileIsAValueThatEnoughOthersDoNotExceed() {
        double[] sorted = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
        assertThat(BranchCreation.percentile(sorted, 0.9)).isEqualTo(9);
        assertThat(BranchCreation.percentile(sorted, 0.5)).isEqualTo(5);
        assertThat(BranchCreation.percentile(new double[] {7}, 0.9)).isEqualTo(7);
    }
}
