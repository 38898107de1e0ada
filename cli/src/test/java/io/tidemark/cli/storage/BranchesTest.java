package io.tidemark.cli.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BranchesTest {
    @TempDir
    private Path root = Path.of("unset");

    private FakeStorage storage;

    @BeforeEach
    void open() throws IOException {
        storage = new FakeStorage(root);
    }

    @AfterEach
    void close() throws IOException {
        storage.close();
    }

    private Branches branches() {
        return new Branches(storage.directory);
    }

    private Branches.Created create(String name) throws IOException {
        return branches().create(name, "main", new BranchTime.Head());
    }

    @Test
    void aBranchIsTwoQuestionsToThePageserverAndOneToEachSafekeeper() throws Exception {
        storage.branch("main");
        create("b");
        assertThat(storage.pageserverAsked).containsExactly("GET", "POST");
        assertThat(storage.safekeepers).allSatisfy(one -> assertThat(one.asked).containsExactly("GET"));
        assertThat(storage.unnamed()).isEmpty();
    }

    @Test
    void whatWasDeletedCostsTheNextBranchNothing() throws Exception {
        storage.branch("main");
        storage.branch("gone");
        assertThat(branches().delete("gone")).isEmpty();
        assertThat(storage.unnamed()).isEmpty();
        storage.pageserverAsked.clear();
        create("b");
        assertThat(storage.pageserverAsked).containsExactly("GET", "POST");
    }

    @Test
    void whatWasRefusedIsForgotten() throws Exception {
        storage.branch("main");
        storage.creationStatus = 406;
        assertThatThrownBy(() -> create("b"))
                .isInstanceOf(ClusterException.class)
                .hasMessageContaining("as the test wants");
        assertThat(storage.unnamed()).isEmpty();
        assertThat(storage.directory.branches().find("b")).isEmpty();
    }

    @Test
    void whatWasNotAnsweredStaysWrittenDownUntilNobodyCanBeMakingIt() throws Exception {
        storage.branch("main");
        storage.creationStatus = 0;
        assertThatThrownBy(() -> create("b")).isNotInstanceOf(ClusterException.class);
        assertThat(storage.unnamed()).hasSize(1);
        branches().sweep();
        assertThat(storage.unnamed()).hasSize(1);
        FileTime longAgo = FileTime.from(Instant.now().minus(Duration.ofHours(2)));
        Files.setLastModifiedTime(storage.unnamed().getFirst(), longAgo);
        branches().sweep();
        assertThat(storage.unnamed()).isEmpty();
    }

    @Test
    void ofWhatThePageserverHasForgottenOnlySafekeepersAreAsked() throws Exception {
        storage.branch("gone");
        storage.safekeepers.get(1).silent = true;
        assertThat(branches().delete("gone")).containsExactly("safekeeper-2");
        assertThat(storage.unnamed()).hasSize(1);
        storage.pageserverAsked.clear();
        branches().sweep();
        assertThat(storage.unnamed()).hasSize(1);
        storage.safekeepers.get(1).silent = false;
        branches().sweep();
        assertThat(storage.unnamed()).isEmpty();
        assertThat(storage.pageserverAsked).isEmpty();
    }

    @Test
    void aSafekeeperThatHasDiedIsDoneWithout() throws Exception {
        Branch main = storage.branch("main");
        storage.safekeepers.get(0).silent = true;
        storage.safekeepers.get(1).flushLsn = Lsn.of(0x2000);
        storage.safekeepers.get(1).commitLsn = Lsn.of(0x2000);
        storage.safekeepers.get(2).flushLsn = Lsn.of(0x1800);
        storage.safekeepers.get(2).commitLsn = Lsn.of(0x1800);
        assertThat(branches().head(main)).isEqualTo(Lsn.of(0x2000));
    }

    @Test
    void whoeverWritesIsNotFencedForTheSakeOfABranch() throws Exception {
        Branch main = storage.branch("main");
        for (FakeStorage.Safekeeper safekeeper : storage.safekeepers) {
            safekeeper.flushLsn = Lsn.of(0x3000);
            safekeeper.commitLsn = Lsn.of(0x2000);
            safekeeper.writers = 1;
            safekeeper.wal.setSoTimeout(1);
        }
        assertThat(branches().head(main)).isEqualTo(Lsn.of(0x2000));
        assertThat(storage.safekeepers)
                .allSatisfy(safekeeper ->
                        assertThatThrownBy(safekeeper.wal::accept).isInstanceOf(SocketTimeoutException.class));
    }
}
