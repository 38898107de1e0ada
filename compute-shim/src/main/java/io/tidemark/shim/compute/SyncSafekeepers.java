package io.tidemark.shim.compute;

import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.tidemark.shim.libpq.Questions;
import io.tidemark.shim.libpq.Sockets;
import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.shim.link.WalBuffer;
import io.tidemark.shim.link.WalFeed;
import io.tidemark.shim.proposer.Proposer;
import io.tidemark.shim.proposer.ProposerConfig;
import io.tidemark.shim.proposer.ProposerEffect;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.client.PgServerException;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.WalPushVersion;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Wins a term only to level the safekeepers' logs and to learn where the timeline ends: what a compute asks before it builds its data
 * directory. A shim that is streaming is fenced by it.
 */
public final class SyncSafekeepers {
    private static final Logger log = LoggerFactory.getLogger(SyncSafekeepers.class);
    private static final int SEGMENT_BYTES = 16 << 20;
    private static final long RESTART_MILLIS = 200;
    private static final long ASK_SECONDS = 3;

    /** How a safekeeper, Neon's too, says that it does not know a timeline. */
    private static final String NOT_FOUND = "was not found";

    private final EventLoop loop;
    private final List<SafekeeperAddress> safekeepers;
    private final TenantTimelineId timeline;
    private final WalPushVersion version;
    private final CompletableFuture<Lsn> result = new CompletableFuture<>();
    private final WalBuffer buffer = new WalBuffer(PooledByteBufAllocator.DEFAULT, WalBuffer.MIN_CAPACITY_BYTES);
    private @Nullable ProposerDriver driver;
    private String problem = "no quorum of safekeepers answers";

    private SyncSafekeepers(
            EventLoop loop, List<SafekeeperAddress> safekeepers, TenantTimelineId timeline, WalPushVersion version) {
        this.loop = loop;
        this.safekeepers = safekeepers;
        this.timeline = timeline;
        this.version = version;
    }

    /**
     * Levels and answers the last committed LSN; invalid for a timeline without WAL. When a majority of the safekeepers does not know the
     * timeline nothing can have been committed, and no term is raised: there is nobody to fence.
     *
     * @throws IOException when it was not done in time, with the last reason
     */
    public static Lsn run(
            List<SafekeeperAddress> safekeepers, TenantTimelineId timeline, WalPushVersion version, Duration timeout)
            throws IOException, InterruptedException {
        EventLoopGroup group =
                new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("sync"), Sockets.ioHandlerFactory());
        SyncSafekeepers sync = new SyncSafekeepers(group.next(), safekeepers, timeline, version);
        try {
            if (sync.isUnknownToMajority()) {
                return Lsn.INVALID;
            }
            sync.loop.execute(sync::campaign);
            return sync.result.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new IOException("not synced within " + timeout.toSeconds() + " s: " + sync.lastProblem(), e);
        } catch (ExecutionException e) {
            throw new IOException(e.getCause());
        } finally {
            sync.loop.execute(sync::close);
            group.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly();
        }
    }

    private boolean isUnknownToMajority() {
        List<CompletableFuture<Boolean>> unknown =
                Endpoints.safekeepers(safekeepers, timeline, "sync-safekeepers").stream()
                        .map(this::isUnknownTo)
                        .toList();
        return unknown.stream().filter(CompletableFuture::join).count() > safekeepers.size() / 2;
    }

    private CompletableFuture<Boolean> isUnknownTo(PgClientConfig safekeeper) {
        CompletableFuture<Boolean> answer = new CompletableFuture<>();
        Thread.ofVirtual().name("sync-ask").start(() -> {
            try (Questions questions = Questions.open(loop, safekeeper)) {
                questions.ask("IDENTIFY_SYSTEM");
                answer.complete(false);
            } catch (PgServerException said) {
                answer.complete(String.valueOf(said.getMessage()).contains(NOT_FOUND));
            } catch (IOException | RuntimeException e) {
                log.debug("safekeeper {} did not answer: {}", safekeeper, e.getMessage());
                answer.complete(false);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                answer.complete(false);
            }
        });
        return answer.completeOnTimeout(false, ASK_SECONDS, TimeUnit.SECONDS);
    }

    private String lastProblem() {
        return CompletableFuture.supplyAsync(() -> problem, loop).join();
    }

    private void close() {
        if (driver != null) {
            driver.close();
            driver = null;
        }
        buffer.close();
    }

    private void campaign() {
        if (result.isDone()) {
            return;
        }
        close();
        Proposer proposer = new Proposer(new ProposerConfig(
                timeline,
                safekeepers.size(),
                ProposerConfig.Membership.CONFIGURED_LIST,
                ProposerConfig.Mode.SYNC,
                new ProposerConfig.WalOrigin(PgVersion.UNKNOWN, SystemId.UNKNOWN, SEGMENT_BYTES),
                Lsn.INVALID,
                ProposerConfig.Limits.DEFAULT));
        driver = new ProposerDriver(
                loop,
                proposer,
                Endpoints.safekeepers(safekeepers, timeline, "sync-safekeepers"),
                version,
                buffer,
                new Steps());
        driver.start();
    }

    private final class Steps implements ProposerDriver.Listener {
        @Override
        public void proposedTerm(Term term) {
            log.debug("campaigning in term {}", term);
        }

        @Override
        public void elected(ProposerEffect.Elected elected) {
            problem = "elected in term " + elected.term() + ", but the log is not level up to " + elected.startLsn();
            buffer.restartAt(elected.startLsn());
        }

        @Override
        public void commitAdvanced(Lsn commitLsn) {
            log.debug("level up to {} on a quorum", commitLsn);
        }

        @Override
        public void walSent() {
            // All of it comes from donors.
        }

        @Override
        public void fenced(ProposerEffect.Fenced fenced) {
            restart("term " + fenced.higherTerm() + " was seen");
        }

        @Override
        public void restart(String reason) {
            problem = reason;
            var _ = loop.schedule(SyncSafekeepers.this::campaign, RESTART_MILLIS, TimeUnit.MILLISECONDS);
        }

        @Override
        public void syncFinished(Lsn lsn) {
            result.complete(lsn);
        }

        @Override
        public void ticked() {
            // Nothing is published.
        }

        @Override
        public @Nullable WalFeed openSourceFeed(Lsn beginLsn, WalFeed.Listener feedListener) {
            return null;
        }
    }
}
