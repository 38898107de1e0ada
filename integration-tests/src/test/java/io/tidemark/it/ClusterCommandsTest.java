package io.tidemark.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.cli.storage.StorageProcesses;
import io.tidemark.shim.postgres.ServerUser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code tidemark start}, {@code status} and {@code stop}, with the processes that they are about. */
@Timeout(240)
class ClusterCommandsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final List<String> SERVERS =
            List.of("safekeeper-1", "safekeeper-2", "safekeeper-3", "pageserver", "compute-main");

    private Path scratch = Path.of("unset");
    private Path directory = Path.of("unset");

    @BeforeEach
    void makeScratch() throws Exception {
        scratch = ServerUser.current().scratchDirectory("tidemark-it-commands-");
        directory = scratch.resolve("cluster");
    }

    @AfterEach
    void removeScratch() throws Exception {
        if (StorageDirectory.exists(directory)) {
            run("stop");
        }
        try (Stream<Path> paths = Files.walk(scratch)) {
            paths.sorted(Comparator.reverseOrder())
                    .forEach(path -> path.toFile().delete());
        }
    }

    @Test
    void aClusterIsStartedLookedAtAndStopped() throws Exception {
        CommandRun started = run("start", "--pg", "17", "--port", Integer.toString(freePort()));
        assertThat(started.exitCode()).as(started.toString()).isZero();
        assertThat(started.out())
                .contains("Storage runs in " + directory)
                .contains("takes commits")
                .contains("psql -h")
                .contains("jdbc:postgresql://")
                .contains("Logs: ");

        assertStates(run("status"), 0, List.of("running", "running", "running", "running", "running"));
        assertJsonIsTheSame();
        List<List<String>> before = processes(run("status"));

        // What runs stays.
        CommandRun second = run("start");
        assertThat(second.exitCode()).as(second.toString()).isZero();
        assertThat(processes(run("status"))).hasSize(6).isEqualTo(before);

        killOneSafekeeper();
        CommandRun repaired = run("start");
        assertThat(repaired.exitCode()).as(repaired.toString()).isZero();
        assertStates(run("status"), 0, List.of("running", "running", "running", "running", "running"));

        CommandRun stopped = run("stop");
        assertThat(stopped.exitCode()).as(stopped.toString()).isZero();
        assertThat(stopped.out()).isEqualToIgnoringNewLines("Stopped.");
        assertStates(run("status"), 1, List.of("down", "down", "down", "down", "down"));
        assertThat(run("stop").exitCode()).as("nothing to stop is no failure").isZero();

        CommandRun again = run("start");
        assertThat(again.exitCode()).as(again.toString()).isZero();
        assertStates(run("status"), 0, List.of("running", "running", "running", "running", "running"));
        CommandRun last = run("stop");
        assertThat(last.out()).as(last.toString()).isEqualToIgnoringNewLines("Stopped.");
    }

    // Name, state, pid and address of each server, below a heading; terms and LSNs may go on.
    private static List<List<String>> processes(CommandRun status) {
        return status.out()
                .lines()
                .skip(1)
                .map(line -> Stream.of(line.split(" +")).limit(4).toList())
                .toList();
    }

    private void killOneSafekeeper() throws Exception {
        ProcessHandle victim = new StorageProcesses(StorageDirectory.open(directory))
                .safekeeper(2)
                .handle()
                .orElseThrow();
        assertThat(victim.destroyForcibly()).isTrue();
        await().atMost(PATIENCE).until(() -> !victim.isAlive());
        CommandRun status = run("status");
        assertStates(status, 1, List.of("running", "down", "running", "running", "running"));
        assertThat(row(status, "safekeeper-2")).doesNotContain(Long.toString(victim.pid()));
        JsonNode json = JsonMapper.shared().readTree(run("status", "--json").out());
        assertThat(json.get("servers").get(1).get("state").asString()).isEqualTo("down");
        assertThat(json.get("servers").get(1).get("pid").asString()).isEmpty();
    }

    private void assertJsonIsTheSame() {
        CommandRun answer = run("status", "--json");
        assertThat(answer.exitCode()).isZero();
        JsonNode json = JsonMapper.shared().readTree(answer.out());
        assertThat(json.get("branch").asString()).isEqualTo("main");
        assertThat(json.get("directory").asString()).isEqualTo(directory.toString());
        List<String> names = new ArrayList<>();
        for (JsonNode server : json.get("servers")) {
            names.add(server.get("name").asString());
            assertThat(server.get("state").asString()).isEqualTo("running");
            long pid = Long.parseLong(server.get("pid").asString());
            assertThat(ProcessHandle.of(pid)).as("process of %s", server).isPresent();
        }
        assertThat(names).isEqualTo(SERVERS);
        assertThat(json.get("servers").get(0).get("flushLsn").asString()).matches("[0-9A-F]+/[0-9A-F]+");
        assertThat(json.get("servers").get(3).get("lsn").asString()).matches("[0-9A-F]+/[0-9A-F]+");
    }

    private static void assertStates(CommandRun status, int exitCode, List<String> states) {
        assertThat(status.exitCode()).as(status.toString()).isEqualTo(exitCode);
        assertThat(status.out()).contains("branch main").contains("SERVER").contains("FLUSH_LSN");
        for (int i = 0; i < SERVERS.size(); i++) {
            assertThat(row(status, SERVERS.get(i)).split("\\s+", -1)[1])
                    .as("%s in %s", SERVERS.get(i), status)
                    .isEqualTo(states.get(i));
        }
    }

    private static String row(CommandRun status, String server) {
        return status.out()
                .lines()
                .filter(line -> line.startsWith(server + " "))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no row of " + server + " in " + status));
    }

    @Test
    void whereThereIsNoClusterStatusAndStopFail() {
        for (String command : List.of("status", "stop")) {
            CommandRun answer = run(command);
            assertThat(answer.exitCode()).as(answer.toString()).isEqualTo(1);
            assertThat(answer.err()).startsWith("tidemark " + command + ": ").contains(directory.toString());
            assertThat(answer.out()).isEmpty();
        }
        assertThat(directory).doesNotExist();
    }

    @Test
    void wrongCommandLinesAreTwo() {
        for (String[] arguments : List.of(
                new String[] {"start", "--pg", "13"},
                new String[] {"start", "--port", "70000"},
                new String[] {"start", "--xyz"},
                new String[] {"status", "--nonsense"},
                new String[] {"stop", "now"})) {
            CommandRun answer = run(arguments);
            assertThat(answer.exitCode()).as(answer.toString()).isEqualTo(2);
            assertThat(answer.err()).contains("Usage: tidemark");
        }
        assertThat(directory).doesNotExist();
    }

    private CommandRun run(String... arguments) {
        List<String> whole = new ArrayList<>(List.of(arguments));
        whole.add("--dir=" + directory);
        return CommandRun.of(whole.toArray(String[]::new));
    }

    private static int freePort() throws Exception {
        try (java.net.ServerSocket socket = new java.net.ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
