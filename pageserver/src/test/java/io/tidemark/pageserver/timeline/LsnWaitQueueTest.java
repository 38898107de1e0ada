package io.tidemark.pageserver.timeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.wire.id.Lsn;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class LsnWaitQueueTest {
    private static final Duration LONG = Duration.ofMinutes(1);

    @Test
    void whatHasBeenReachedIsNotWaitedFor() {
        LsnWaitQueue queue = new LsnWaitQueue(Lsn.of(100));
        assertThat(queue.await(Lsn.of(100), Duration.ZERO)).isEqualTo(LsnWaitQueue.Outcome.REACHED);
        assertThat(queue.await(Lsn.of(101), Duration.ofMillis(5))).isEqualTo(LsnWaitQueue.Outcome.TIMED_OUT);
        queue.advance(Lsn.of(50));
        assertThat(queue.current()).isEqualTo(Lsn.of(100));
    }

    @Test
    void lsnsAreUnsigned() {
        LsnWaitQueue queue = new LsnWaitQueue(Lsn.of(Long.MAX_VALUE));
        assertThat(queue.await(Lsn.of(Long.MIN_VALUE), Duration.ofMillis(1))).isEqualTo(LsnWaitQueue.Outcome.TIMED_OUT);
        queue.advance(Lsn.of(Long.MIN_VALUE));
        assertThat(queue.await(Lsn.of(Long.MIN_VALUE), Duration.ZERO)).isEqualTo(LsnWaitQueue.Outcome.REACHED);
    }

    @Test
    @Timeout(60)
    void nobodyIsForgottenWhileTheLsnMoves() throws Exception {
        LsnWaitQueue queue = new LsnWaitQueue(Lsn.of(1));
        SplittableRandom random = new SplittableRandom(7);
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<LsnWaitQueue.Outcome>> waits = new ArrayList<>();
            for (int i = 0; i < 2_000; i++) {
                Lsn lsn = Lsn.of(random.nextInt(1, 20_000));
                Callable<LsnWaitQueue.Outcome> wait = () -> {
                    LsnWaitQueue.Outcome outcome = queue.await(lsn, LONG);
                    assertThat(queue.current().isAtLeast(lsn)).isTrue();
                    return outcome;
                };
                waits.add(threads.submit(wait));
            }
            for (int lsn = 2; lsn <= 20_000; lsn++) {
                queue.advance(Lsn.of(lsn));
            }
            for (Future<LsnWaitQueue.Outcome> wait : waits) {
                assertThat(wait.get()).isEqualTo(LsnWaitQueue.Outcome.REACHED);
            }
        }
    }

    @Test
    @Timeout(60)
    void closingWakesEverybody() throws Exception {
        LsnWaitQueue queue = new LsnWaitQueue(Lsn.of(1));
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<LsnWaitQueue.Outcome>> waits = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                waits.add(threads.submit(() -> queue.await(Lsn.of(2), LONG)));
            }
            Awaitility.await().until(() -> queue.waiting() == 10);
            queue.close();
            for (Future<LsnWaitQueue.Outcome> wait : waits) {
                assertThat(wait.get()).isEqualTo(LsnWaitQueue.Outcome.CLOSED);
            }
        }
        assertThat(queue.await(Lsn.of(2), LONG)).isEqualTo(LsnWaitQueue.Outcome.CLOSED);
    }
}
