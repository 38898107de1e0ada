package io.tidemark.junit;

import io.tidemark.cli.cluster.ClusterOptions;
import io.tidemark.cli.storage.BranchTime;
import io.tidemark.cli.storage.Branches;
import io.tidemark.cli.storage.EmbeddedStorage;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.shim.stock.StartListener;
import io.tidemark.shim.stock.StockCompute;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * The storage of one JVM's tests for one major version, in a temporary directory. Safe to use from any thread; one at a time gets through.
 *
 * <p>Tests get it through {@link TidemarkDatabase}; it is public for who has no JUnit.
 */
public final class TestStorage implements AutoCloseable {
    /** System property: the programs of an installed PostgreSQL, instead of those that come with the build. */
    static final String PG_BIN_PROPERTY = "tidemark.junit.pgBin";

    private final Path scratch;
    private final EmbeddedStorage storage;
    private final Branches branches;
    private final Map<Class<? extends Seed>, String> seeded = new HashMap<>();
    private int count;

    private TestStorage(Path scratch, EmbeddedStorage storage) {
        this.scratch = scratch;
        this.storage = storage;
        this.branches = new Branches(storage.directory());
    }

    /**
     * Starts storage; nothing is seeded yet.
     *
     * @param major PostgreSQL's, 14 to 18
     */
    public static TestStorage start(int major) throws IOException, InterruptedException {
        Path scratch = ServerUser.current().scratchDirectory("tidemark-junit-");
        boolean done = false;
        try {
            Optional<Path> pgBin =
                    Optional.ofNullable(System.getProperty(PG_BIN_PROPERTY)).map(Path::of);
            ClusterOptions options = new ClusterOptions(Optional.of(major), pgBin, 0, 1, Map.of(), false);
            TestStorage started = new TestStorage(
                    scratch, EmbeddedStorage.start(StorageDirectory.openOrCreate(scratch.resolve("cluster"), options)));
            done = true;
            return started;
        } finally {
            if (!done) {
                deleteTree(scratch);
            }
        }
    }

    /** A branch with a PostgreSQL on it, until it is closed. The first one of a seed fills a database before. */
    public synchronized RunningBranch branch(Class<? extends Seed> seed)
            throws IOException, InterruptedException, SQLException {
        String parent = seeded.get(seed);
        if (parent == null) {
            parent = fill(seed);
            seeded.put(seed, parent);
        }
        String name = "test_" + ++count;
        branches.create(name, parent, new BranchTime.Head());
        return new RunningBranch(
                name, storage.startCompute(name, 0, StartListener.NONE).postgres());
    }

    private String fill(Class<? extends Seed> seed) throws IOException, InterruptedException, SQLException {
        String name = "seed_" + ++count;
        branches.create(name, StorageDirectory.MAIN, new BranchTime.Head());
        StockCompute compute = storage.startCompute(name, 0, StartListener.NONE);
        boolean done = false;
        try (Connection connection = dataSource(compute.postgres()).getConnection()) {
            Constructor<? extends Seed> constructor = seed.getDeclaredConstructor();
            // Like a test class, a seed need not be public.
            constructor.setAccessible(true);
            constructor.newInstance().fill(connection);
            done = true;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(
                    seed.getName() + " needs a constructor without arguments that can be called", e);
        } finally {
            storage.stopCompute(name);
            if (!done) {
                branches.delete(name);
            }
        }
        return name;
    }

    private static PGSimpleDataSource dataSource(PostgresServer postgres) {
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setUrl(postgres.jdbcUrl("postgres"));
        source.setUser("postgres");
        return source;
    }

    /** One test's branch. */
    public final class RunningBranch implements AutoCloseable {
        private final String name;
        private final PGSimpleDataSource dataSource;

        private RunningBranch(String name, PostgresServer postgres) {
            this.name = name;
            this.dataSource = TestStorage.dataSource(postgres);
        }

        /** As the superuser. */
        public PGSimpleDataSource dataSource() {
            return dataSource;
        }

        @Override
        public void close() throws IOException, InterruptedException {
            synchronized (TestStorage.this) {
                storage.killCompute(name);
                branches.delete(name);
            }
        }
    }

    @Override
    public synchronized void close() throws IOException {
        try {
            storage.close();
        } finally {
            deleteTree(scratch);
        }
    }

    private static void deleteTree(Path root) throws IOException {
        List<Path> deepestFirst;
        try (Stream<Path> paths = Files.walk(root)) {
            deepestFirst = paths.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : deepestFirst) {
            Files.deleteIfExists(path);
        }
    }
}
