package io.tidemark.shim.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.tidemark.shim.libpq.ScriptedServer;
import io.tidemark.shim.libpq.Sockets;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyHandler;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.replication.WalReceiverMessage;
import io.tidemark.wire.replication.WalSenderMessage;
import io.tidemark.wire.server.PgServerConnection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who gives WAL to a lagging safekeeper may fall silent; it must not lag for ever then. */
@Timeout(120)
class SilentDonorTest {
    private static final Duration PATIENCE = Duration.ofSeconds(40);
    private static final Lsn START = Lsn.parse("0/1000028");

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, Sockets.ioHandlerFactory());
    private final EventLoop loop = group.next();
    private final List<WalReceiverMessage> heard = new CopyOnWriteArrayList<>();
    private final CompletableFuture<String> failure = new CompletableFuture<>();
    private final WalFeed.Listener listener = new WalFeed.Listener() {
        @Override
        public void walArrived(WalFeed from) {}

        @Override
        public void failed(WalFeed from, String reason) {
            failure.complete(reason);
        }
    };

    @AfterEach
    void stop() {
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }

    /** Enters COPY and writes down what comes. */
    private void listen(PgServerConnection connection) {
        connection.startCopyBoth(new CopyHandler() {
            @Override
            public void onCopyData(ByteBuf data) {
                heard.add(WalReceiverMessage.decode(data));
            }

            @Override
            public void onCopyEnd(CopyEnd end) {}
        });
    }

    private void tickEach20Millis(WalFeed feed, long silenceLimitMillis) {
        var _ = loop.scheduleAtFixedRate(() -> feed.tick(silenceLimitMillis), 0, 20, TimeUnit.MILLISECONDS);
    }

    @Test
    void aDonorThatTakesTheCommandAndSendsNothingIsGivenUp() {
        try (ScriptedServer donor = new ScriptedServer((connection, sql) -> listen(connection))) {
            long begun = System.nanoTime();
            tickEach20Millis(WalFeed.fromDonor(loop, donor.address(), START, Term.of(3), listener), 300);
            assertThat(failure).succeedsWithin(PATIENCE).asString().contains("has not said a word for");
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isGreaterThanOrEqualTo(Duration.ofMillis(290));
            assertThat(heard).as("a donor is told nothing").isEmpty();
        }
    }

    @Test
    void aDonorThatDoesNotEvenAnswerTheCommandIsGivenUp() {
        try (ScriptedServer donor = new ScriptedServer((connection, sql) -> {})) {
            tickEach20Millis(WalFeed.fromDonor(loop, donor.address(), START, Term.of(3), listener), 300);
            assertThat(failure).succeedsWithin(PATIENCE).asString().contains("has not said a word for");
        }
    }

    @Test
    void aDonorThatHasNothingToSendButIsAliveIsKept() {
        AtomicInteger sent = new AtomicInteger();
        try (ScriptedServer donor = new ScriptedServer((connection, sql) -> {
            listen(connection);
            var _ = connection
                    .channel()
                    .eventLoop()
                    .scheduleAtFixedRate(
                            () -> {
                                ScriptedServer.send(connection, new WalSenderMessage.Keepalive(START, 0, true));
                                sent.incrementAndGet();
                            },
                            0,
                            100,
                            TimeUnit.MILLISECONDS);
        })) {
            tickEach20Millis(WalFeed.fromDonor(loop, donor.address(), START, Term.of(3), listener), 2_000);
            await().atMost(PATIENCE).until(() -> sent.get() >= 45);
            assertThat(failure).isNotDone();
        }
    }

    @Test
    void aPostgresThatHasNothingToSendIsAskedAtHalfTime() {
        CompletableFuture<PgServerConnection> came = new CompletableFuture<>();
        try (ScriptedServer postgres = new ScriptedServer((connection, sql) -> {
            listen(connection);
            came.complete(connection);
        })) {
            tickEach20Millis(WalFeed.fromPostgres(loop, postgres.address(), START, listener), 1_000);
            for (int questions = 1; questions <= 3; questions++) {
                int expected = questions;
                await().atMost(PATIENCE).until(() -> heard.size() == expected);
                assertThat(heard.getLast())
                        .isInstanceOfSatisfying(
                                WalReceiverMessage.StandbyStatus.class,
                                status -> assertThat(status.replyRequested()).isTrue());
                ScriptedServer.send(came.join(), new WalSenderMessage.Keepalive(START, 0, false));
            }
            assertThat(failure).isNotDone();
            // And when it does not answer, it is gone.
            assertThat(failure).succeedsWithin(PATIENCE).asString().contains("has not said a word for");
        }
    }
}
