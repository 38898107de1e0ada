package io.tidemark.cli.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.cluster.ClusterLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FollowedSourceTest {
    @TempDir
    private Path directory = Path.of("unset");

    @Test
    void aBranchFollowsAServerUntilThatIsTakenBack() throws Exception {
        ClusterLayout layout = new ClusterLayout(directory);
        FollowedSource source = new FollowedSource("postgres://me@there:5433/db?sslmode=require", "secret", "slot");
        assertThat(FollowedSource.find(layout, "b")).isEmpty();
        FollowedSource.requireNone(layout, "b");
        source.write(layout, "b");
        source.write(layout, "b");
        assertThat(FollowedSource.find(layout, "b")).contains(source);
        assertThat(FollowedSource.find(layout, "c")).isEmpty();
        assertThat(source.address().password()).isEqualTo("secret");
        assertThat(source.address().port()).isEqualTo(5433);
        assertThatThrownBy(() -> FollowedSource.requireNone(layout, "b"))
                .isInstanceOf(ClusterException.class)
                .hasMessageContaining("postgres://me@there:5433/db")
                .hasMessageNotContaining("secret");
        FollowedSource.remove(layout, "b");
        assertThat(FollowedSource.find(layout, "b")).isEmpty();
        assertThat(layout.importDir("b")).doesNotExist();
    }

    @Test
    void nobodyElseReadsThePassword() throws Exception {
        ClusterLayout layout = new ClusterLayout(directory);
        new FollowedSource("postgres://me@there/", "secret", "slot").write(layout, "b");
        Path file = layout.importDir("b").resolve("source.json");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
    }

    @Test
    void theLagIsWhatTheServerHasAndTheQuorumHasNot() throws Exception {
        assertThat(new FollowStatus("streaming", 1, "0/2000", "0/1000", "").lagBytes())
                .isEqualTo(0x1000);
        assertThat(new FollowStatus("streaming", 1, "0/1000", "0/2000", "").lagBytes())
                .isZero();
        assertThat(new FollowStatus("electing", 1, "0/2000", "0/0", "").lagBytes())
                .isZero();
        Path importDir = directory.resolve("i");
        FollowStatus status = new FollowStatus("streaming", 1, "0/2000", "0/1000", "");
        status.write(importDir);
        assertThat(FollowStatus.read(importDir)).isEmpty();
        Files.createDirectory(importDir);
        status.write(importDir);
        assertThat(FollowStatus.read(importDir)).contains(status);
        Files.writeString(importDir.resolve("status.json"), "{\"state\": \"str");
        assertThat(FollowStatus.read(importDir)).isEmpty();
    }
}
