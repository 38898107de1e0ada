package io.tidemark.bench.start;

import io.tidemark.bench.cluster.StorageCluster;
import io.tidemark.bench.harness.Metric;
import io.tidemark.bench.harness.Sample;
import io.tidemark.cli.storage.BranchTime;
import io.tidemark.shim.postgres.PostgresServer;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;

/** A branch at the head of another one, and the nearest that a stock PostgreSQL has: a copy of a database in the same server. */
final class BranchCreation {
    static final String BRANCH = "branch create";
    static final String TEMPLATE = "CREATE DATABASE ... TEMPLATE";

    private static final Metric MEDIAN = new Metric("creation, median", "ms", 1);
    private static final Metric NINETIETH = new Metric("creation, 90th percentile", "ms", 1);
    private static final double NINETY_PERCENT = 0.9;

    private final StorageCluster storage;
    private final PostgresServer source;
    private final int count;

    /** @param count branches of one turn, at least 1 */
    BranchCreation(StorageCluster storage, PostgresServer source, int count) {
        this.storage = storage;
        this.source = source;
        this.count = count;
    }

    Sample branches() throws IOException, InterruptedException {
        double[] millis = new double[count];
        for (int i = 0; i < count; i++) {
            long begun = System.nanoTime();
            storage.branches().create("created" + i, Starts.MAIN, new BranchTime.Head());
            millis[i] = (System.nanoTime() - begun) / 1e6;
        }
        for (int i = 0; i < count; i++) {
            storage.branches().delete("created" + i);
        }
        storage.awaitQuiet();
        Arrays.sort(millis);
        return Sample.of(MEDIAN, percentile(millis, 0.5)).and(NINETIETH, percentile(millis, NINETY_PERCENT));
    }

    /** What these databases of a branch have in relations, as the pageserver answers. */
    long bytes(List<Integer> databases) throws IOException, InterruptedException {
        storage.branches().create("sized", Starts.MAIN, new BranchTime.Head());
        long bytes = storage.databaseBytes("sized", databases);
        storage.branches().delete("sized");
        return bytes;
    }

    /** The smallest value that at least this share of them does not exceed. */
    static double percentile(double[] sorted, double share) {
        return sorted[Math.max(0, (int) Math.ceil(share * sorted.length) - 1)];
    }

    /** One copy, since it is one that takes long. */
    Sample template() throws SQLException {
        // Nobody may be connected to the database that is copied.
        try (Connection connection = DriverManager.getConnection(source.jdbcUrl("template1"), "postgres", "");
                Statement statement = connection.createStatement()) {
            long begun = System.nanoTime();
            statement.execute("CREATE DATABASE copied TEMPLATE postgres STRATEGY file_copy");
            double millis = (System.nanoTime() - begun) / 1e6;
            statement.execute("DROP DATABASE copied");
            return Sample.of(MEDIAN, millis);
        }
    }
}
