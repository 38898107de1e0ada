package io.tidemark.cli.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.cli.cluster.ClusterException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BranchCatalogueTest {
    @TempDir
    Path directory = Path.of("unset");

    private static Branch branch(String name) {
        return new Branch(name, "0".repeat(31) + "1", 17, 0);
    }

    @Test
    void whatIsAddedIsThereForTheNextCommand() throws Exception {
        Path file = directory.resolve("branches.json");
        new BranchCatalogue(file).add(branch("main"));
        new BranchCatalogue(file).add(branch("b"));
        new BranchCatalogue(file).replace("b", old -> old.withComputePort(5));
        assertThat(new BranchCatalogue(file).all())
                .containsExactly(branch("main"), branch("b").withComputePort(5));
        new BranchCatalogue(file).remove("main");
        assertThat(new BranchCatalogue(file).find("main")).isEmpty();
        assertThatThrownBy(() -> new BranchCatalogue(file).require("main"))
                .isInstanceOf(ClusterException.class)
                .hasMessage("there is no branch 'main'; there are [b]");
        assertThatThrownBy(() -> new BranchCatalogue(file).add(branch("b"))).hasMessageContaining("already");
    }

    @Test
    void commandsBesideEachOtherLoseNothing() throws Exception {
        Path file = directory.resolve("branches.json");
        List<Callable<Void>> adds = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            String name = "b" + i;
            adds.add(() -> {
                new BranchCatalogue(file).add(branch(name));
                return null;
            });
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            for (Future<Void> done : threads.invokeAll(adds)) {
                done.get();
            }
        }
        assertThat(new BranchCatalogue(file).all()).hasSize(8);
    }

    @Test
    void aDamagedFileIsNamed() throws Exception {
        Path file = directory.resolve("branches.json");
        Files.writeString(file, "[{\"name\":");
        assertThatThrownBy(() -> new BranchCatalogue(file).all())
                .isInstanceOf(ClusterException.class)
                .hasMessageContaining("branches.json is damaged");
    }

    @Test
    void namesThatAreNoDirectoryNamesAreRefused() {
        for (String name : List.of("", ".", "..", "a/b", "-x", "ä", "a b", "x".repeat(64))) {
            assertThatThrownBy(() -> branch(name)).hasMessageContaining("not a branch name");
        }
    }
}
