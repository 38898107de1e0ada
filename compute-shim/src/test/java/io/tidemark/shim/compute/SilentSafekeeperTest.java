package io.tidemark.shim.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.tidemark.shim.libpq.Sockets;
import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.shim.link.WalBuffer;
import io.tidemark.shim.link.WalFeed;
import io.tidemark.shim.proposer.Proposer;
import io.tidemark.shim.proposer.ProposerConfig;
import io.tidemark.shim.proposer.ProposerEffect;
import io.tidemark.shim.proposer.SafekeeperStatus.Phase;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.walpush.WalPushVersion;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The links to safekeepers that are connected and silent, with real sockets and short periods. */
@Timeout(120)
class SilentSafekeeperTest {
    private static final Duration PATIENCE = Duration.ofSeconds(40);
    private static final long RESPONSE_TIMEOUT_MILLIS = 1_500;
    private static final ProposerConfig.Limits SHORT =
            new ProposerConfig.Limits(100, RESPONSE_TIMEOUT_MILLIS, 100, 1 << 20, 1 << 17);
    private static final TenantTimelineId TIMELINE = new TenantTimelineId(new TenantId(1, 2), new TimelineId(3, 4));
    private static final Lsn START = Lsn.parse("0/1000028");

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, Sockets.ioHandlerFactory());
    private final EventLoop loop = group.next();
    private final WalBuffer buffer = new WalBuffer(PooledByteBufAllocator.DEFAULT, WalBuffer.MIN_CAPACITY_BYTES);
    private final FakeSafekeeper first = new FakeSafekeeper(1);
    private final FakeSafekeeper second = new FakeSafekeeper(2);
    private final CompletableFuture<Term> elected = new CompletableFuture<>();
    private ServerSocket mute;
    private @Nullable ProposerDriver driver;
    private List<SafekeeperAddress> addresses = List.of();

    @BeforeEach
    void listen() throws IOException {
        mute = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        mute.setSoTimeout((int) PATIENCE.toMillis());
    }

    @AfterEach
    void stop() throws Exception {
        loop.submit(() -> {
                    if (driver != null) {
                        driver.close();
                    }
                    buffer.close();
                })
                .syncUninterruptibly();
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
        mute.close();
        first.close();
        second.close();
    }

    private void startProposing(SafekeeperAddress third) {
        addresses = List.of(first.address(), second.address(), third);
        Proposer proposer = new Proposer(new ProposerConfig(
                TIMELINE,
                3,
                ProposerConfig.Membership.CONFIGURED_LIST,
                ProposerConfig.Mode.STREAM,
                new ProposerConfig.WalOrigin(PgVersion.of(170_000), new SystemId(7), 16 << 20),
                START,
                SHORT));
        loop.submit(() -> {
                    driver = new ProposerDriver(
                            loop,
                            proposer,
                            Endpoints.safekeepers(addresses, TIMELINE, "test"),
                            WalPushVersion.V3,
                            buffer,
                            new Listener());
                    driver.start();
                })
                .syncUninterruptibly();
    }

    private ShimStatus.Safekeeper status(int index) {
        return loop.submit(() -> {
                    if (driver == null) {
                        throw new IllegalStateException("not started");
                    }
                    return driver.snapshot(addresses, START).get(index);
                })
                .syncUninterruptibly()
                .getNow();
    }

    @Test
    void aSafekeeperThatAcceptsAndSaysNothingIsLetGoAndTriedAgain() throws Exception {
        startProposing(new SafekeeperAddress("127.0.0.1", mute.getLocalPort()));
        assertThat(elected).as("the other two are a quorum").succeedsWithin(PATIENCE);
        for (int attempt = 0; attempt < 2; attempt++) {
            try (Socket connection = mute.accept()) {
                long begun = System.nanoTime();
                connection.setSoTimeout((int) PATIENCE.toMillis());
                byte[] said = connection.getInputStream().readAllBytes(); // ends when the shim lets go
                long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun);
                assertThat(said).as("its startup message").isNotEmpty();
                // The first one was accepted after the shim had begun to wait.
                assertThat(millis).isLessThan(PATIENCE.toMillis());
                if (attempt > 0) {
                    assertThat(millis).isBetween(RESPONSE_TIMEOUT_MILLIS / 2, 10 * RESPONSE_TIMEOUT_MILLIS);
                }
            }
        }
        assertThat(status(2).problem()).contains("no message for").contains("CONNECTING");
        assertThat(status(0).phase()).isEqualTo(Phase.ACTIVE);
        assertThat(status(1).phase()).isEqualTo(Phase.ACTIVE);
    }

    @Test
    void aSafekeeperThatStopsAnsweringInTheMiddleIsLetGoAndTakenBackWhenItAnswers() {
        try (FakeSafekeeper third = new FakeSafekeeper(3)) {
            startProposing(third.address());
            await().atMost(PATIENCE).until(() -> status(2).phase() == Phase.ACTIVE);
            third.setSilent(true);
            await().atMost(PATIENCE).until(() -> status(2).problem().contains("no message for"));
            third.setSilent(false);
            await().atMost(PATIENCE).until(() -> status(2).phase() == Phase.ACTIVE);

            // The same when it does not even read.
            third.setDeaf(true);
            await().atMost(PATIENCE).until(() -> status(2).problem().contains("no message for"));
            third.setDeaf(false);
            await().atMost(PATIENCE).until(() -> status(2).phase() == Phase.ACTIVE);
            assertThat(elected).isCompleted();
            assertThat(status(0).problem()).isEmpty();
        }
    }

    private final class Listener implements ProposerDriver.Listener {

        @Override
        public void proposedTerm(Term term) {}

        @Override
        public void elected(ProposerEffect.Elected how) {
            buffer.restartAt(how.startLsn());
            elected.complete(how.term());
        }

        @Override
        public void commitAdvanced(Lsn commitLsn) {}

        @Override
        public void walSent() {}

        @Override
        public void fenced(ProposerEffect.Fenced fenced) {
            elected.completeExceptionally(new AssertionError("fenced: " + fenced));
        }

        @Override
        public void restart(String reason) {
            elected.completeExceptionally(new AssertionError("restart: " + reason));
        }

        @Override
        public void syncFinished(Lsn lsn) {}

        @Override
        public void ticked() {}

        @Override
        public @Nullable WalFeed openSourceFeed(Lsn beginLsn, WalFeed.Listener feedListener) {
            return null;
        }
    }
}
