package io.tidemark.pageserver.receiver;

import static org.assertj.core.api.Assertions.assertThat;

import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.tidemark.pageserver.ingest.IngestException;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DurableFile;
import io.tidemark.runtime.durable.RealDisk;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.replication.PageserverFeedback;
import io.tidemark.wire.wal.WalRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WalReceiverTest {
    private static final Duration DEADLINE = Duration.ofSeconds(30);

    private final EventLoops loops = new EventLoops("test");
    private final FakeSafekeeper safekeeper = new FakeSafekeeper(loops);

    @TempDir
    private Path directory = Path.of("unset");

    @AfterEach
    void close() {
        safekeeper.close();
        loops.close();
    }

    private WalReceiver receiver(WalTarget target) {
        return receiver(target, WalReceiverConfig.DEFAULT);
    }

    private WalReceiver receiver(WalTarget target, WalReceiverConfig config) {
        return new WalReceiver(
                target,
                () -> List.of(safekeeper.address()),
                new Connections(loops),
                null,
                config,
                new WalReceiverMetrics(new PrometheusRegistry()));
    }

    @Test
    void closingLeavesTheFilesThatItReadsOpenForOthers() throws Exception {
        Files.write(directory.resolve("layer"), new byte[100]);
        safekeeper.hasTimeline = true;
        try (DurableFile file = new RealDisk(directory).open(Path.of("layer"), Disk.Mode.READ)) {
            CountDownLatch reading = new CountDownLatch(1);
            CountDownLatch closing = new CountDownLatch(1);
            WalReceiver receiver = receiver(new Target(() -> {
                reading.countDown();
                awaitQuietly(closing);
                // Whatever close does to this thread has happened, or happens while it reads.
                for (int i = 0; i < 1000; i++) {
                    file.read(ByteBuffer.allocate(10), 0);
                }
            }));
            reading.await();
            Thread closer = Thread.ofVirtual().start(receiver::close);
            Awaitility.await()
                    .atMost(DEADLINE)
                    .until(() -> closer.getState() == Thread.State.TIMED_WAITING
                            || closer.getState() == Thread.State.WAITING
                            || closer.getState() == Thread.State.TERMINATED);
            closing.countDown();
            closer.join();
            assertThat(file.read(ByteBuffer.allocate(10), 0)).isEqualTo(10);
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        boolean interrupted = false;
        while (true) {
            try {
                latch.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void aStreamIsLeftAtOnceWhenItCloses() {
        safekeeper.hasTimeline = true;
        WalReceiver receiver = receiver(new Target(() -> {}));
        Awaitility.await().atMost(DEADLINE).until(() -> receiver.currentSafekeeper() != null);
        assertThat(receiver.isUnwritten()).isFalse();
        receiver.close();
        assertThat(receiver.currentSafekeeper()).isNull();
    }

    @Test
    void aTimelineThatNoSafekeeperHasIsWaitedForAndThenStreamed() {
        try (WalReceiver receiver = receiver(new Target(() -> {}))) {
            Awaitility.await().atMost(DEADLINE).until(() -> receiver.isUnwritten() && safekeeper.questions() > 3);
            assertThat(safekeeper.streams()).isZero();
            safekeeper.hasTimeline = true;
            receiver.nudge();
            Awaitility.await().atMost(DEADLINE).until(() -> receiver.currentSafekeeper() != null);
            assertThat(receiver.isUnwritten()).isFalse();
        }
    }

    @Test
    void aBranchThatNobodyHasWrittenToIsNotAskedAboutBeforeSomebodyWaits() {
        safekeeper.hasTimeline = true;
        WalReceiverConfig usual = WalReceiverConfig.DEFAULT;
        WalReceiverConfig patient = new WalReceiverConfig(
                usual.connectTimeout(),
                usual.silenceTimeout(),
                usual.laggingTimeout(),
                usual.maxLagBytes(),
                Duration.ofHours(1),
                usual.firstBackoff(),
                usual.maxBackoff(),
                usual.batchRecords(),
                usual.batchBytes());
        try (WalReceiver receiver = receiver(new Target(FakeSafekeeper.SYSTEM_ID, () -> {}, true), patient)) {
            assertThat(safekeeper.questions()).isZero();
            receiver.nudge();
            Awaitility.await().atMost(DEADLINE).until(() -> receiver.currentSafekeeper() != null);
        }
    }

    @Test
    void walOfAnotherClusterIsNotTaken() {
        safekeeper.hasTimeline = true;
        SystemId other = SystemId.of(FakeSafekeeper.SYSTEM_ID.value() + 1);
        WalTarget target = new Target(other, () -> {
            throw new AssertionError("it begins to stream");
        });
        try (WalReceiver receiver = receiver(target)) {
            Awaitility.await().atMost(DEADLINE).until(() -> safekeeper.questions() > 3);
            assertThat(safekeeper.streams()).isZero();
            assertThat(receiver.currentSafekeeper()).isNull();
            assertThat(receiver.isUnwritten()).isFalse();
        }
    }

    @Test
    void aPauseEndsWithANudgeAlsoOneThatCameBefore() throws Exception {
        Wakeups wakeups = new Wakeups();
        wakeups.nudge();
        wakeups.pauseUnlessNudged(Duration.ofHours(1));
        Thread other = Thread.ofVirtual().start(wakeups::nudge);
        wakeups.pauseUnlessNudged(Duration.ofHours(1));
        other.join();
    }

    @Test
    void acallEndsWithTheStopAndItsLateResultIsGivenBack() throws Exception {
        Wakeups wakeups = new Wakeups();
        CountDownLatch called = new CountDownLatch(1);
        CountDownLatch stopped = new CountDownLatch(1);
        CountDownLatch unwanted = new CountDownLatch(1);
        Thread stopper = Thread.ofVirtual().start(() -> {
            awaitQuietly(called);
            wakeups.stop();
            stopped.countDown();
        });
        org.assertj.core.api.Assertions.assertThatExceptionOfType(Wakeups.StoppedException.class)
                .isThrownBy(() -> wakeups.call(
                        () -> {
                            called.countDown();
                            awaitQuietly(stopped);
                            return "late";
                        },
                        _ -> unwanted.countDown()));
        stopper.join();
        assertThat(unwanted.await(DEADLINE.toSeconds(), java.util.concurrent.TimeUnit.SECONDS))
                .isTrue();
    }

    /** What a timeline does when a stream is about to start. */
    @FunctionalInterface
    private interface OnResume {
        void run() throws IOException;
    }

    private record Target(SystemId systemId, OnResume onResume, boolean isUntouched) implements WalTarget {
        /** Of the cluster whose WAL the fake has. */
        Target(OnResume onResume) {
            this(FakeSafekeeper.SYSTEM_ID, onResume);
        }

        Target(SystemId systemId, OnResume onResume) {
            this(systemId, onResume, false);
        }

        @Override
        public TenantTimelineId id() {
            return new TenantTimelineId(new TenantId(1, 2), new TimelineId(3, 4));
        }

        @Override
        public int pgMajor() {
            return 17;
        }

        @Override
        public int walSegmentSizeBytes() {
            return 16 << 20;
        }

        @Override
        public Lsn resume() throws IOException {
            onResume.run();
            return Lsn.of(0x1000);
        }

        @Override
        public void ingest(WalRecord record) {
            throw new AssertionError("there is no WAL");
        }

        @Override
        public void endBatch() {}

        @Override
        public PageserverFeedback feedback() {
            return new PageserverFeedback(0, Lsn.of(0x1000), Lsn.INVALID, Lsn.INVALID, 0, 0, false);
        }

        @Override
        public void stopped(IngestException cause) {
            throw new AssertionError(cause);
        }
    }
}
