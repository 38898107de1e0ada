package io.tidemark.cli.compute;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class CopyProgressBarTest {
    private static final long MB = 1 << 20;

    private final StringWriter said = new StringWriter();

    @Test
    void theBarSaysWhatShareOfTheEstimateIsThere() {
        assertThat(CopyProgressBar.text(12 * MB, 30 * MB))
                .isEqualTo("[############..................] 40%  12 of 30 MB copied");
        assertThat(CopyProgressBar.text(0, 30 * MB)).contains(" 0%");
        assertThat(CopyProgressBar.text(31 * MB, 30 * MB))
                .isEqualTo("[##############################] 100%  31 of 31 MB copied");
        assertThat(CopyProgressBar.text(5 * MB, 0)).isEqualTo("5 MB copied");
    }

    @Test
    void aTerminalGetsOneLineThatIsGoneInTheEnd() {
        try (CopyProgressBar bar = new CopyProgressBar(new PrintWriter(said), true)) {
            bar.phase("asking");
            bar.copied(MB, 2 * MB);
        }
        assertThat(said.toString())
                .contains("\rasking")
                .contains("\r[####")
                .endsWith("\r\u001b[K")
                .doesNotContain("\n");
    }

    @Test
    void aFileGetsWholeLinesAndNotAllOfThem() {
        try (CopyProgressBar bar = new CopyProgressBar(new PrintWriter(said), false)) {
            bar.phase("asking");
            for (int i = 0; i < 1000; i++) {
                bar.copied(i * MB, 1000 * MB);
            }
        }
        assertThat(said.toString())
                .startsWith("asking" + System.lineSeparator())
                .doesNotContain("\r[");
        assertThat(said.toString().lines().count()).isLessThan(100);
    }
}
