package io.tidemark.bench.harness;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProcFilesTest {
    @Test
    void theFieldsOfStatAreCountedAfterTheName() {
        String stat = "42 (a) b 1 2) S 1 42 42 0 -1 4194560 9 8 0 0 150 25 300 1 20 0 1 0 99 1000 10\n";
        assertThat(CpuClock.parse(stat, 14 - 3)).isEqualTo(Duration.ofMillis(1750));
        assertThat(CpuClock.parse(stat, 16 - 3)).isEqualTo(Duration.ofMillis(3010));
    }

    @Test
    void memoryIsInKibibytes() {
        String rollup = "5500-7fff ---p 00000000 00:00 0 [rollup]\nRss:      2048 kB\nPss: 1 kB\nAnonymous:  100 kB\n";
        assertThat(ProcessMemory.parse(rollup)).isEqualTo(new ProcessMemory(2048 * 1024, 100 * 1024));
    }

    @Test
    void aProgramsCpuTimeIsItsOwn() throws Exception {
        String spin = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done";
        Program program = Program.run(List.of("/bin/sh", "-c", spin), Duration.ofSeconds(60));
        assertThat(program.output()).isEqualTo("done\n");
        assertThat(program.cpu())
                .isPositive()
                .isLessThanOrEqualTo(program.wall().plusMillis(20));
        assertThat(CpuClock.ofProcess(ProcessHandle.current().pid())).isPositive();
    }

    @Test
    void whatIsGoneHasUsedNothing() throws Exception {
        Process process = new ProcessBuilder("/bin/true").start();
        process.waitFor();
        assertThat(CpuClock.ofTree(process.pid())).isZero();
    }
}
