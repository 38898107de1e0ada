package io.tidemark.bench.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class PgbenchTest {
    private static final String OUTPUT = """
            number of transactions actually processed: 1000
            number of failed transactions: 0 (0.000%)
            latency average = 1.234 ms
            initial connection time = 2.345 ms
            tps = 810.372771 (without initial connection time)
            """;

    @Test
    void readsWhatPgbenchPrints() throws Exception {
        assertThat(Pgbench.result(OUTPUT)).isEqualTo(new Pgbench.Result(810.372771, 1.234));
    }

    @Test
    void aRunWithFailedTransactionsIsNoMeasurement() {
        assertThatThrownBy(() -> Pgbench.result(OUTPUT.replace("failed transactions: 0", "failed transactions: 3")))
                .isInstanceOf(IOException.class);
    }
}
