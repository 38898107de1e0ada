package io.tidemark.safekeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.Unpooled;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.replication.WalReceiverMessage;
import io.tidemark.wire.walpush.AcceptorMessage.AppendResponse;
import io.tidemark.wire.walpush.WalPushVersion;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Peers that are connected and say nothing: as when their machine has lost its power, which sends no end of anything. */
@Timeout(120)
class SilentPeersTest {
    private static final Duration IDLE_TIMEOUT = Duration.ofSeconds(3);
    private static final Duration PATIENCE = Duration.ofSeconds(40);
    private static final TenantTimelineId TTID = TestSafekeeper.ttid(1);
    private static final Lsn START = Lsn.parse("0/1000028");

    @TempDir
    private Path directory;

    private TestSafekeeper safekeeper;

    @BeforeEach
    void start() throws Exception {
        safekeeper = new TestSafekeeper(directory, config -> config.withIdleTimeout(IDLE_TIMEOUT));
    }

    @AfterEach
    void stop() {
        safekeeper.close();
    }

    @Test
    void whoConnectsAndSaysNothingIsLetGo() throws Exception {
        long begun = System.nanoTime();
        try (Socket socket = new Socket(
                InetAddress.getLoopbackAddress(),
                safekeeper.server().pgAddress().getPort())) {
            socket.setSoTimeout((int) PATIENCE.toMillis());
            assertThat(socket.getInputStream().read()).as("end of the stream").isEqualTo(-1);
        }
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isGreaterThan(IDLE_TIMEOUT.minusMillis(200));
    }

    @Test
    void aSilentProposerIsLetGoAndOneThatBeatsStays() throws Exception {
        try (TestProposer silent = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3);
                TestProposer beating = TestProposer.connect(safekeeper, TestSafekeeper.ttid(2), WalPushVersion.V3)) {
            silent.greet();
            beating.elect(START);
            assertThat(safekeeper.metric("safekeeper_wal_receivers")).isEqualTo(2);
            long begun = System.nanoTime();
            while (!isDoneWithin(silent.end(), Duration.ofMillis(200))) {
                beating.append(START, Unpooled.buffer(0), Lsn.INVALID);
                beating.receive(AppendResponse.class);
                assertThat(System.nanoTime() - begun).isLessThan(PATIENCE.toNanos());
            }
            assertThat(beating.end()).isNotDone();
            await().atMost(PATIENCE).until(() -> safekeeper.metric("safekeeper_wal_receivers") == 1);
        }
    }

    private static boolean isDoneWithin(CompletableFuture<CopyEnd> end, Duration time) throws Exception {
        try {
            end.get(time.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        }
    }

    @Test
    void aReaderThatLeavesKeepalivesUnansweredIsLetGoAndOneThatAnswersStays() throws Exception {
        try (TestProposer proposer = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3)) {
            proposer.elect(START);
        }
        try (TestReader answering = TestReader.start(safekeeper, TTID, "standby", START, "");
                TestReader silent = TestReader.start(safekeeper, TTID, "standby", START, "")) {
            for (int i = 0; i < 6 || !silent.end().isDone(); i++) {
                assertThat(i).as("keepalives before the silent reader is gone").isLessThan(20);
                answering.awaitKeepalives(1);
                answering.say(new WalReceiverMessage.StandbyStatus(START, START, START, 0, false));
            }
            assertThat(answering.end()).isNotDone();
            await().atMost(PATIENCE)
                    .until(() ->
                            safekeeper.metric("safekeeper_wal_readers{kind=\"committed\",target=\"standby\"}") == 1);
        }
    }
}
