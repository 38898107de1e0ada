package io.tidemark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TidemarkCommandTest {
    @TempDir
    private Path directory = Path.of("unset");

    @Test
    void wrongCommandLinesExitWithTwo() {
        assertThat(TidemarkCommand.run("demo", "--pg", "13")).isEqualTo(2);
        assertThat(TidemarkCommand.run("demo", "--port", "70000")).isEqualTo(2);
        assertThat(TidemarkCommand.run("no-such-command")).isEqualTo(2);
        assertThat(TidemarkCommand.run("status", "--no-such-flag")).isEqualTo(2);
    }

    @Test
    void aDirectoryWithoutAClusterExitsWithOne() {
        assertThat(TidemarkCommand.run("status", "--dir", directory.toString())).isEqualTo(1);
        assertThat(TidemarkCommand.run("stop", "--dir", directory.toString())).isEqualTo(1);
    }

    @Test
    void columnsAreAsWideAsTheirWidestCell() {
        assertThat(Terminal.table(List.of(List.of("A", "B"), List.of("long", ""), List.of("", "x"))))
                .containsExactly("A     B", "long", "      x");
    }
}
