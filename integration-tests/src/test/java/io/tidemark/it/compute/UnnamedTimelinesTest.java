package io.tidemark.it.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.cluster.JvmCommand;
import io.tidemark.cli.cluster.SafekeeperProbe;
import io.tidemark.cli.storage.BranchTime;
import io.tidemark.cli.storage.Branches;
import io.tidemark.cli.storage.EmbeddedStorage;
import io.tidemark.cli.storage.PageserverClient.TimelineInfo;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.shim.stock.StartListener;
import io.tidemark.shim.stock.StockCompute;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A command that is killed between what it does to the servers and what it writes into the catalogue leaves nothing behind for ever. */
@Timeout(300)
class UnnamedTimelinesTest {
    private static final String MAIN = StorageDirectory.MAIN;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @RegisterExtension
    final ScratchCluster cluster = new ScratchCluster("unnamed");

    @Test
    void aBranchThatWasHalfMadeIsMadeAnewAndTheHalfGoes() throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(15)) {
            List<TimelineId> before = timelines(storage);
            TimelineId half = killBeforeTheCatalogueHears(storage, "create", "b");
            assertThat(storage.directory().branches().find("b")).isEmpty();

            cluster.succeed("branch", "create", "b");
            TimelineId made = storage.directory().branches().require("b").timelineId();
            assertThat(made).isNotEqualTo(half);
            assertThat(timelines(storage)).containsExactlyInAnyOrderElementsOf(with(before, made));
            assertThat(cluster.succeed("branch", "list")).contains("b ");
            assertNothingIsWrittenDown();

            // The same for a branch that is to be as it was.
            TimelineId restored = killBeforeTheCatalogueHears(storage, "restore", "b");
            assertThat(storage.directory().branches().require("b").timelineId()).isEqualTo(made);
            assertThat(timelines(storage)).contains(restored);
            new Branches(storage.directory()).sweep();
            assertThat(timelines(storage)).containsExactlyInAnyOrderElementsOf(with(before, made));
            assertNothingIsWrittenDown();
        }
    }

    @Test
    void aStartOfTheClusterTidiesUp() throws Exception {
        List<TimelineId> before;
        try (EmbeddedStorage storage = cluster.embedded(17)) {
            before = timelines(storage);
            killBeforeTheCatalogueHears(storage, "create", "b");
            assertThat(timelines(storage)).hasSize(before.size() + 1);
        }
        try (EmbeddedStorage storage = EmbeddedStorage.start(cluster.open())) {
            assertThat(timelines(storage)).containsExactlyInAnyOrderElementsOf(before);
            assertNothingIsWrittenDown();
        }
    }

    @Test
    void whatACommandIsJustMakingIsLeftAlone() throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(14)) {
            List<TimelineId> before = timelines(storage);
            Process command;
            TimelineId half;
            try (FileChannel channel = catalogueLock();
                    FileLock held = channel.lock()) {
                assertThat(held.isValid()).isTrue();
                command = command("branch", "create", "b");
                half = awaitNew(storage, before);
                new Branches(storage.directory()).sweep();
                assertThat(timelines(storage)).contains(half);
            }
            assertThat(command.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
            assertThat(command.exitValue()).isZero();
            assertThat(storage.directory().branches().require("b").timelineId()).isEqualTo(half);
            assertNothingIsWrittenDown();
        }
    }

    @Test
    void walOnASafekeeperThatWasAwayGoesWhenItIsBack() throws Exception {
        try (EmbeddedStorage storage = cluster.embedded(18)) {
            new Branches(storage.directory()).create("b", MAIN, new BranchTime.Head());
            TimelineId id = storage.directory().branches().require("b").timelineId();
            StockCompute compute = storage.startCompute("b", 0, StartListener.NONE);
            try (Connection connection = ScratchCluster.connect(compute.postgres())) {
                SqlDigest.run(connection, "CREATE TABLE t AS SELECT 1 AS n");
            }
            await().atMost(PATIENCE).until(() -> havingWal(storage, id).size() == 3);
            storage.stopCompute("b");
            storage.safekeepers().stop(2);
            assertThat(new Branches(storage.directory()).delete("b")).containsExactly("safekeeper-2");
            assertThat(havingWal(storage, id)).isEmpty();
            storage.safekeepers().start(2);
            assertThat(havingWal(storage, id)).containsExactly(2L);
            new Branches(storage.directory()).create("c", MAIN, new BranchTime.Head());
            assertThat(havingWal(storage, id)).isEmpty();
        }
    }

    private List<Long> havingWal(EmbeddedStorage storage, TimelineId id) throws IOException {
        StorageDirectory directory = storage.directory();
        List<Long> having = new ArrayList<>();
        for (SafekeeperPlace place : directory.config().safekeepers()) {
            if (storage.safekeepers().isRunning(place.id())
                    && new SafekeeperProbe(place.httpAddress())
                            .timeline(new TenantTimelineId(directory.config().tenantId(), id))
                            .isPresent()) {
                having.add(place.id());
            }
        }
        return having;
    }

    private static List<TimelineId> timelines(EmbeddedStorage storage) throws IOException {
        return storage.directory().pageserver().all().stream()
                .map(TimelineInfo::id)
                .toList();
    }

    private static List<TimelineId> with(List<TimelineId> some, TimelineId more) {
        List<TimelineId> all = new ArrayList<>(some);
        all.add(more);
        return all;
    }

    private void assertNothingIsWrittenDown() throws IOException {
        assertThat(cluster.open().layout().unnamedDir()).isEmptyDirectory();
    }

    private FileChannel catalogueLock() throws IOException {
        return FileChannel.open(
                cluster.directory().resolve("branches.json.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    }

    /** Holds the catalogue, so that the command stops where it wants to write there, and kills it then; answers the timeline that it made. */
    private TimelineId killBeforeTheCatalogueHears(EmbeddedStorage storage, String verb, String branch)
            throws Exception {
        List<TimelineId> before = timelines(storage);
        try (FileChannel channel = catalogueLock();
                FileLock held = channel.lock()) {
            assertThat(held.isValid()).isTrue();
            Process command = verb.equals("restore")
                    ? command("branch", verb, branch, "--at", "head")
                    : command("branch", verb, branch);
            TimelineId half = awaitNew(storage, before);
            assertThat(command.isAlive()).isTrue();
            command.destroyForcibly();
            assertThat(command.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
            return half;
        }
    }

    private Process command(String word, String... words) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(words));
        arguments.add("--dir=" + cluster.directory());
        Path log = cluster.resolve("command.log");
        return new ProcessBuilder(JvmCommand.of(word, arguments))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
    }

    private TimelineId awaitNew(EmbeddedStorage storage, List<TimelineId> before) {
        return await().atMost(PATIENCE)
                .until(
                        () -> timelines(storage).stream()
                                .filter(id -> !before.contains(id))
                                .toList(),
                        made -> made.size() == 1)
                .getFirst();
    }
}
