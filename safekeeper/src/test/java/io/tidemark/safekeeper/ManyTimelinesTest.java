package io.tidemark.safekeeper;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.WalStreamWriter;
import io.tidemark.wire.walpush.WalPushVersion;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** 500 timelines of which most do nothing, then 50 of them all at once. */
@Tag("slow")
class ManyTimelinesTest {
    private static final int TIMELINES = 500;
    private static final int ACTIVE = 50;
    private static final int RECORDS = 200;
    private static final Lsn START = Lsn.parse("0/1000028");

    @TempDir
    private Path directory;

    @Test
    void fiveHundredIdleOnesCostNothingAndFiftyWorkAtOnce() throws Exception {
        try (TestSafekeeper safekeeper = new TestSafekeeper(directory)) {
            for (int i = 0; i < TIMELINES; i++) {
                try (TestProposer proposer =
                        TestProposer.connect(safekeeper, TestSafekeeper.ttid(i), WalPushVersion.V3)) {
                    proposer.greet();
                }
            }
            long before = System.nanoTime();
            safekeeper.restart();
            System.out.printf(
                    "restart with %d timelines: %d ms%n", TIMELINES, (System.nanoTime() - before) / 1_000_000);
            assertThat(safekeeper.metric("safekeeper_timelines")).isEqualTo(TIMELINES);
            assertThat(safekeeper.metric("safekeeper_broken_timelines")).isZero();
            assertThat(ownerThreadsWithin(15)).as("threads of idle owners").isZero();

            pushToActive(safekeeper);
            assertThat(safekeeper.metric("safekeeper_active_timelines")).isZero();
        }
    }

    /** Waits until no owner has a thread any more; returns how many have. */
    private static long ownerThreadsWithin(int seconds) throws InterruptedException {
        long deadline = System.nanoTime() + seconds * 1_000_000_000L;
        long threads;
        do {
            threads = Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> thread.getName().startsWith("timeline-"))
                    .peek(thread -> joinBriefly(thread))
                    .count();
        } while (threads > 0 && System.nanoTime() < deadline);
        return threads;
    }

    private static void joinBriefly(Thread thread) {
        try {
            thread.join(500);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void pushToActive(TestSafekeeper safekeeper) throws Exception {
        List<TestProposer> proposers = new ArrayList<>();
        List<WalStreamWriter> writers = new ArrayList<>();
        for (int i = 0; i < ACTIVE; i++) {
            TestProposer proposer =
                    TestProposer.connect(safekeeper, TestSafekeeper.ttid(i * (TIMELINES / ACTIVE)), WalPushVersion.V3);
            proposer.elect(START);
            proposers.add(proposer);
            writers.add(
                    new WalStreamWriter(15, TestProposer.SYSTEM_ID, TestProposer.SEGMENT_BYTES, START, Lsn.INVALID));
        }
        long before = System.nanoTime();
        for (int r = 0; r < RECORDS; r++) {
            for (int i = 0; i < ACTIVE; i++) {
                Lsn begin = writers.get(i).position();
                writers.get(i).append(10, 0, 1, new byte[8000]);
                ByteBuf wal = writers.get(i).drain();
                proposers.get(i).append(begin, wal, Lsn.INVALID);
            }
        }
        for (int i = 0; i < ACTIVE; i++) {
            proposers.get(i).awaitFlushed(writers.get(i).position());
            proposers
                    .get(i)
                    .append(
                            writers.get(i).position(),
                            Unpooled.buffer(0),
                            writers.get(i).position());
        }
        double seconds = (System.nanoTime() - before) / 1e9;
        System.out.printf(
                "%d timelines, %d appends of 8 KiB each: %.2f s, %.1f MB/s%n",
                ACTIVE, RECORDS, seconds, ACTIVE * RECORDS * 8000 / seconds / 1e6);
        for (int i = 0; i < ACTIVE; i++) {
            try (TestReader reader =
                    TestReader.start(safekeeper, TestSafekeeper.ttid(i * (TIMELINES / ACTIVE)), "replica", START, "")) {
                reader.awaitUpTo(writers.get(i).position());
            }
        }
        proposers.forEach(TestProposer::close);
        org.awaitility.Awaitility.await().until(() -> safekeeper.metric("safekeeper_active_timelines") == 0);
    }
}
