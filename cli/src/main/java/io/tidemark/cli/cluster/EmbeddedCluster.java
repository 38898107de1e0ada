package io.tidemark.cli.cluster;

import io.tidemark.shim.compute.Shim;
import io.tidemark.shim.compute.ShimConfig;
import io.tidemark.shim.compute.ShimState;
import io.tidemark.shim.compute.ShimStatus;
import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.shim.postgres.PostgresException;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.source.PostgresAddress;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A local cluster whose safekeepers and shim run in this process; PostgreSQL is a process of its own, as always. They talk through
 * sockets, as anywhere.
 *
 * <p>Stopping a safekeeper here is orderly. To see one die, run {@link ProcessCluster}.
 */
public final class EmbeddedCluster implements AutoCloseable {
    private static final Duration STREAMING_DEADLINE = Duration.ofSeconds(60);
    private static final Duration STOP_DEADLINE = Duration.ofSeconds(15);
    private static final Duration POLL = Duration.ofMillis(20);

    private final ClusterDirectory directory;
    private final EmbeddedSafekeepers safekeepers;
    private @Nullable Shim shim;

    private EmbeddedCluster(ClusterDirectory directory) {
        this.directory = directory;
        this.safekeepers =
                new EmbeddedSafekeepers(directory.layout(), directory.config().safekeepers());
    }

    /**
     * Starts everything and waits until commits go through.
     *
     * @throws ClusterException when something of it runs already, or does not come up; then all is stopped again
     */
    public static EmbeddedCluster start(ClusterDirectory directory) throws IOException, InterruptedException {
        directory.requireNothingRuns();
        EmbeddedCluster cluster = new EmbeddedCluster(directory);
        try {
            cluster.safekeepers.startAll();
            directory.postgres().start();
            cluster.startShim();
            return cluster;
        } catch (IOException | InterruptedException | RuntimeException e) {
            cluster.close();
            throw e;
        }
    }

    private void startShim() throws IOException, InterruptedException {
        ClusterConfig config = directory.config();
        PostgresAddress address =
                PostgresAddress.parse("postgres://postgres@127.0.0.1:" + config.postgresPort() + "/postgres");
        ShimConfig shimConfig =
                ShimConfig.of(address, SafekeeperAddress.parseList(config.safekeeperList()), config.timeline());
        Shim started = Shim.start(shimConfig, report -> stopFenced());
        shim = started;
        long deadline = System.nanoTime() + STREAMING_DEADLINE.toNanos();
        while (started.status().state() != ShimState.STREAMING) {
            ShimStatus status = started.status();
            if (status.state().isFinal() || System.nanoTime() > deadline) {
                throw new ClusterException("the shim does not stream: it is " + status.state()
                        + (status.problem().isEmpty() ? "" : ", " + status.problem()));
            }
            Thread.sleep(POLL);
        }
    }

    private void stopFenced() {
        try {
            directory.postgres().stop(PostgresServer.Shutdown.IMMEDIATE, STOP_DEADLINE);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Those that run here; each can be stopped and started. */
    public EmbeddedSafekeepers safekeepers() {
        return safekeepers;
    }

    public ClusterDirectory directory() {
        return directory;
    }

    /** What the shim sees: the quorum's commit_lsn, and each safekeeper's LSN and term. */
    public ShimStatus status() {
        if (shim == null) {
            throw new IllegalStateException("not started");
        }
        return shim.status();
    }

    /** Stops all of it, PostgreSQL first: its fast shutdown waits until the shim has confirmed its last WAL. */
    @Override
    public void close() throws IOException {
        try {
            stopPostgres();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            if (shim != null) {
                shim.close();
            }
            safekeepers.close();
        }
    }

    private void stopPostgres() throws IOException, InterruptedException {
        try {
            // Without a quorum its last WAL is never confirmed, and it would wait for ever.
            directory
                    .postgres()
                    .stop(
                            safekeepers.areQuorum() ? PostgresServer.Shutdown.FAST : PostgresServer.Shutdown.IMMEDIATE,
                            STOP_DEADLINE);
        } catch (PostgresException slow) {
            directory.postgres().stop(PostgresServer.Shutdown.IMMEDIATE, STOP_DEADLINE);
        }
    }
}
