package io.tidemark.runtime.owner;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class OwnerTest {
    private static final OwnerLimits LIMITS = new OwnerLimits(8, 1000, 4, 500);

    /** Runs tasks when the test says so. */
    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();

    private final List<String> seen = new ArrayList<>();
    private final Owner<String> owner = new Owner<>(tasks::add, LIMITS, new Recorder());

    private final class Recorder implements OwnerBehavior<String> {
        @Override
        public void on(String message) {
            if (message.equals("bug")) {
                throw new IllegalStateException("bug");
            }
            if (message.equals("close")) {
                owner.close();
            }
            seen.add(message);
        }

        @Override
        public void batchEnd() {
            seen.add("|");
        }

        @Override
        public void discard(String message) {
            seen.add("-" + message);
        }

        @Override
        public void failed(Throwable cause) {
            seen.add("!" + cause.getMessage());
        }
    }

    private void runAll() {
        Runnable task;
        while ((task = tasks.poll()) != null) {
            task.run();
        }
    }

    @Test
    void takesAllThatHasArrivedAsOneBatch() {
        owner.tell("a", 1);
        owner.tell("b", 1);
        owner.tell("c", 1);

        assertThat(tasks).hasSize(1);
        runAll();
        assertThat(seen).containsExactly("a", "b", "c", "|");
    }

    @Test
    void endsABatchAtItsLimitsOfMessagesAndBytes() {
        for (String message : List.of("a", "b", "c", "d", "e")) {
            owner.tell(message, 1);
        }
        owner.tell("big", 600);
        owner.tell("f", 1);
        runAll();
        assertThat(seen).containsExactly("a", "b", "c", "d", "|", "e", "big", "|", "f", "|");
    }

    @Test
    void whatWasLeftWaitsForWhoeverLendsAThread() {
        owner.leave("a", 1);
        owner.leave("b", 1);
        assertThat(tasks).isEmpty();
        owner.work();
        assertThat(seen).containsExactly("a", "b", "|");
        assertThat(tasks).isEmpty();
        owner.leave("c", 1);
        owner.wake();
        runAll();
        assertThat(seen).endsWith("c", "|");
    }

    @Test
    void nobodyWorksWhileAnotherThreadIsToDoIt() {
        owner.tell("a", 1);
        owner.leave("b", 1);
        owner.work();
        assertThat(seen).as("the task was handed out already").isEmpty();
        runAll();
        assertThat(seen).containsExactly("a", "b", "|");
    }

    @Test
    void whoLendsAThreadGetsItBackAfterATurn() {
        for (int i = 0; i < 9 * LIMITS.batchMessages(); i++) {
            owner.leave("m", 1);
        }
        owner.work();
        assertThat(tasks).as("the rest is for somebody else").hasSize(1);
        assertThat(owner.waitingMessages()).isEqualTo(LIMITS.batchMessages());
        runAll();
        assertThat(owner.waitingMessages()).isZero();
    }

    @Test
    void idleOwnerHasNoTask() {
        owner.tell("a", 1);
        runAll();
        assertThat(tasks).isEmpty();
        owner.tell("b", 1);
        assertThat(tasks).hasSize(1);
    }

    @Test
    void asksTheTellerToStopWhenFullAndCallsBackWhenHalfEmpty() {
        assertThat(owner.tell("a", 999)).isTrue();
        assertThat(owner.tell("b", 1)).isFalse();
        AtomicInteger called = new AtomicInteger();
        owner.whenRoom(called::incrementAndGet);
        assertThat(called).hasValue(0);
        runAll();
        assertThat(called).hasValue(1);
        owner.whenRoom(called::incrementAndGet);
        assertThat(called).as("there is room: at once").hasValue(2);
    }

    @Test
    void isFullByMessagesToo() {
        for (int i = 0; i < 7; i++) {
            assertThat(owner.tell("m", 0)).isTrue();
        }
        assertThat(owner.tell("m", 0)).isFalse();
        assertThat(owner.hasRoom()).isFalse();
    }

    @Test
    void discardsWhatWaitsAndWhatComesAfterClose() {
        owner.tell("a", 1);
        owner.tell("close", 1);
        owner.tell("b", 1);
        runAll();
        owner.tell("c", 1);
        runAll();
        assertThat(seen).containsExactly("a", "close", "-b", "-c");
    }

    @Test
    void aBugClosesTheOwnerAndIsReportedOnce() {
        owner.tell("a", 1);
        owner.tell("bug", 1);
        owner.tell("b", 1);
        runAll();
        assertThat(seen).containsExactly("a", "!bug", "-b");
    }

    @Test
    void whoeverWaitsForRoomIsCalledWhenTheOwnerCloses() {
        for (int i = 0; i < 8; i++) {
            owner.tell("m", 0);
        }
        AtomicBoolean called = new AtomicBoolean();
        owner.whenRoom(() -> called.set(true));
        owner.close();
        runAll();
        assertThat(called).isTrue();
    }

    @Test
    void oneThreadAtATimeInOrderUnderManyTellers() throws InterruptedException {
        int tellers = 4;
        int each = 20_000;
        CountDownLatch done = new CountDownLatch(tellers * each);
        int[] next = new int[tellers];
        AtomicBoolean inside = new AtomicBoolean();
        List<String> errors = new ArrayList<>();
        OwnerBehavior<int[]> behavior = new OwnerBehavior<>() {
            @Override
            public void on(int[] message) {
                if (!inside.compareAndSet(false, true)) {
                    errors.add("two threads");
                }
                if (next[message[0]]++ != message[1]) {
                    errors.add("out of order");
                }
                inside.set(false);
                done.countDown();
            }

            @Override
            public void batchEnd() {}

            @Override
            public void discard(int[] message) {}

            @Override
            public void failed(Throwable cause) {}
        };
        try (OwnerThreads threads = new OwnerThreads("test", 4)) {
            Owner<int[]> busy = new Owner<>(threads, LIMITS, behavior);
            for (int t = 0; t < tellers; t++) {
                int teller = t;
                Thread.ofVirtual().start(() -> {
                    for (int i = 0; i < each; i++) {
                        if (!busy.tell(new int[] {teller, i}, 100)) {
                            CountDownLatch room = new CountDownLatch(1);
                            busy.whenRoom(room::countDown);
                            try {
                                room.await();
                            } catch (InterruptedException e) {
                                return;
                            }
                        }
                    }
                });
            }
            assertThat(done.await(30, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(errors).isEmpty();
    }
}
