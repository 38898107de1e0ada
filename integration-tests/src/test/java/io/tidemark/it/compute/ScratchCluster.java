package io.tidemark.it.compute;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.cli.cluster.ClusterOptions;
import io.tidemark.cli.storage.EmbeddedStorage;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.it.CommandRun;
import io.tidemark.pageserver.timeline.RetentionConfig;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Comparator;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A directory that each test method has for itself, with room for one storage cluster. When the method is over, every process of that cluster is
 * stopped, and the directory goes.
 */
public final class ScratchCluster implements BeforeEachCallback, AfterEachCallback {
    private final String name;
    private Path scratch = Path.of("unset");

    /** @param name of the test, for those who look at directories */
    public ScratchCluster(String name) {
        this.name = name;
    }

    @Override
    public void beforeEach(ExtensionContext context) throws IOException {
        make();
    }

    private void make() throws IOException {
        scratch = ServerUser.current().scratchDirectory("tidemark-" + name + "-");
    }

    /** Ends everything and begins anew, within one method. */
    public void renew() throws IOException {
        remove();
        make();
    }

    @Override
    public void afterEach(ExtensionContext context) throws IOException {
        remove();
    }

    private void remove() throws IOException {
        if (StorageDirectory.exists(directory())) {
            run("stop");
        }
        try (Stream<Path> paths = Files.walk(scratch)) {
            paths.sorted(Comparator.reverseOrder())
                    .forEach(path -> path.toFile().delete());
        }
    }

    /** Something else in the method's directory. */
    public Path resolve(String other) {
        return scratch.resolve(other);
    }

    /** Where the cluster is, if there is one. */
    public Path directory() {
        return scratch.resolve("cluster");
    }

    public StorageDirectory open() throws IOException {
        return StorageDirectory.open(directory());
    }

    /** A new cluster, of which nothing runs. */
    public StorageDirectory make(int major) throws IOException, InterruptedException {
        return StorageDirectory.openOrCreate(
                directory(), ClusterOptions.defaults().withPgMajor(major).withAnyPorts());
    }

    /** Its servers in this process. */
    public EmbeddedStorage embedded(int major) throws IOException, InterruptedException {
        return EmbeddedStorage.start(make(major));
    }

    /** The same, with a pageserver that keeps more or less of the past. */
    public EmbeddedStorage embedded(int major, RetentionConfig retention) throws IOException, InterruptedException {
        return EmbeddedStorage.start(make(major), retention);
    }

    /** A command about the cluster, to its end. */
    public CommandRun run(String... words) {
        return CommandRun.of(Stream.concat(Stream.of(words), Stream.of("--dir=" + directory()))
                .toArray(String[]::new));
    }

    /** One that must succeed; answers what it printed. */
    public String succeed(String... words) {
        CommandRun run = run(words);
        assertThat(run.exitCode()).as(run.toString()).isZero();
        return run.out();
    }

    /** One that must fail; answers what it said about that. */
    public String refused(String... words) {
        CommandRun run = run(words);
        assertThat(run.exitCode()).as(run.toString()).isOne();
        assertThat(run.out()).isEmpty();
        return run.err();
    }

    /** What {@code compute list} says of the compute of this name; empty for the one that writes. */
    public JsonNode computeRow(String computeName) {
        for (JsonNode row : JsonMapper.shared().readTree(succeed("compute", "list", "--json"))) {
            if (row.get("name").asString().equals(computeName)) {
                return row;
            }
        }
        throw new AssertionError("no compute " + computeName);
    }

    /** The port in what {@code compute start --json} prints. */
    public static int port(String started) {
        return JsonMapper.shared().readTree(started).get("port").asInt();
    }

    public static Connection connect(PostgresServer server) throws SQLException {
        return connect(server.port());
    }

    /** As the superuser, to the database that is always there. */
    public static Connection connect(int port) throws SQLException {
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + port + "/postgres", "postgres", "");
    }
}
