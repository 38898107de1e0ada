package io.tidemark.cli.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServerProcessTest {
    private static final List<String> SLEEPER = List.of("sleep", "600");

    @TempDir
    private Path directory = Path.of("unset");

    private ServerProcess process = new ServerProcess("unset", new ClusterLayout(Path.of("unset")));

    @BeforeEach
    void layOut() throws IOException {
        ClusterLayout layout = new ClusterLayout(directory);
        layout.createDirectories();
        process = new ServerProcess("sleeper", layout);
    }

    @AfterEach
    void leaveNothingRunning() throws Exception {
        process.kill();
    }

    @Test
    void aStartedProcessIsFoundByAnotherObject() throws Exception {
        process.start(SLEEPER);

        ServerProcess again = new ServerProcess("sleeper", new ClusterLayout(directory));
        assertThat(again.handle()).isEqualTo(process.handle()).isPresent();
        assertThatThrownBy(() -> again.start(SLEEPER))
                .isInstanceOf(ClusterException.class)
                .hasMessageContaining("already runs");
        assertThat(again.stop(Duration.ofSeconds(20))).as("ended by SIGTERM").isTrue();
        assertThat(process.isRunning()).isFalse();
    }

    @Test
    void whatIgnoresSigtermIsKilled() throws Exception {
        process.start(List.of("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 600; done"));
        while (!Files.readString(process.logFile()).contains("ready")) {
            Thread.onSpinWait();
        }

        assertThat(process.stop(Duration.ofMillis(300))).as("ended by SIGTERM").isFalse();
        assertThat(process.isRunning()).isFalse();
    }

    @Test
    void aPidFileThatACrashLeftIsNoProcess() throws Exception {
        process.start(SLEEPER);
        ProcessHandle handle = process.handle().orElseThrow();
        String pidFile = Files.readString(new ClusterLayout(directory).pidFile("sleeper"));
        process.kill();
        assertThat(handle.isAlive()).isFalse();

        Files.writeString(new ClusterLayout(directory).pidFile("sleeper"), pidFile);
        assertThat(process.isRunning()).isFalse();
    }

    @Test
    void aProcessIdThatBelongsToAnotherNowIsNotOurs() throws Exception {
        // This JVM's process id, with a start time that is not its own.
        Files.writeString(
                new ClusterLayout(directory).pidFile("sleeper"),
                ProcessHandle.current().pid() + " 12345\n");

        assertThat(process.isRunning()).isFalse();
    }
}
