package io.tidemark.shim.compute;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.tidemark.shim.libpq.Sockets;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One shim: stands beside one PostgreSQL, proposes its WAL to the safekeepers of one timeline, and confirms what a quorum has.
 *
 * <p>Two threads: the event loop that owns what moves ({@link ComputeOwner}), and a virtual thread that asks, compares and waits
 * ({@link ShimControl}). Safe to use from any thread.
 */
public final class Shim implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Shim.class);
    private static final long CLOSE_SECONDS = 10;

    private final EventLoopGroup group;
    private final ShimControl control;
    private final CompletableFuture<ShimStatus> finished = new CompletableFuture<>();
    // Written by the event loop, read by everybody: the published snapshot.
    private volatile ShimStatus status;

    private Shim(ShimConfig config, PostgresKeeper keeper) {
        status = new ShimStatus(
                ShimState.WAITING_FOR_POSTGRES,
                config.timeline(),
                Term.ZERO,
                Lsn.INVALID,
                Lsn.INVALID,
                Lsn.INVALID,
                0,
                0,
                List.of(),
                "",
                null);
        group = new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("shim"), Sockets.ioHandlerFactory());
        EventLoop loop = group.next();
        control = new ShimControl(loop, config, keeper, this::publish);
    }

    /**
     * Starts a shim, which goes on by itself: it waits for PostgreSQL and for a quorum as long as it takes. Look at {@link #status}, or
     * wait for {@link #finished}.
     *
     * @param keeper told when another compute has won
     */
    public static Shim start(ShimConfig config, PostgresKeeper keeper) {
        Shim shim = new Shim(config, keeper);
        Thread.ofVirtual().name("shim-control").start(() -> {
            try {
                shim.control.run();
            } catch (RuntimeException | Error e) {
                log.error("the shim of {} failed", config.timeline(), e);
                shim.finished.completeExceptionally(e);
            } finally {
                shim.group
                        .shutdownGracefully(0, CLOSE_SECONDS, TimeUnit.SECONDS)
                        .addListener(done -> {
                            shim.finished.complete(shim.status);
                        });
            }
        });
        return shim;
    }

    private void publish(ShimStatus newStatus) {
        status = newStatus;
    }

    /** What it is doing; at most 100 ms old. */
    public ShimStatus status() {
        return status;
    }

    /** Completes with the last status when the shim has ended: fenced, refused or stopped. All connections are closed then. */
    public CompletableFuture<ShimStatus> finished() {
        return finished.copy();
    }

    /** Stops confirming and closes all connections; waits for that. Waiting commits go on waiting until a next shim comes. */
    @Override
    public void close() {
        control.stop();
        try {
            finished.get(CLOSE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            log.debug("closed a shim that had failed", e);
        } catch (TimeoutException e) {
            log.warn("the shim did not end within {}", Duration.ofSeconds(CLOSE_SECONDS));
        }
    }
}
