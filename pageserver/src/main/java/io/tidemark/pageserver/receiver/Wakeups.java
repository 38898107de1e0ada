package io.tidemark.pageserver.receiver;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How the thread of a {@link WalReceiver} waits, and how others end its waiting.
 *
 * <p>Never by an interrupt: the thread reads layer files, and an interrupted read closes the file under every other reader, those of
 * the timeline's branches included. What only a blocking call to a safekeeper can do is done by threads of their own, which touch no
 * file, and are interrupted.
 */
final class Wakeups {
    private final ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition happened = lock.newCondition();
    private boolean nudged;
    private volatile boolean stopped;
    private volatile @Nullable CompletableFuture<?> awaited;

    /** It was stopped while it waited. */
    static final class StoppedException extends Exception {
        private static final long serialVersionUID = 1;
    }

    boolean isStopped() {
        return stopped;
    }

    /** Ends all waiting for good. */
    void stop() {
        stopped = true;
        CompletableFuture<?> waitedFor = awaited;
        if (waitedFor != null) {
            waitedFor.completeExceptionally(new StoppedException());
        }
        callers.shutdownNow();
        signal();
    }

    /** Ends a pause that may be ended. */
    void nudge() {
        signal();
    }

    private void signal() {
        lock.lock();
        try {
            nudged = true;
            happened.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits; until the time is up, or it is stopped. */
    void pause(Duration time) throws StoppedException {
        pause(time, false);
    }

    /** Waits; until the time is up, somebody nudges, or has done so since the last pause, or it is stopped. */
    void pauseUnlessNudged(Duration time) throws StoppedException {
        pause(time, true);
    }

    private void pause(Duration time, boolean endsWithNudge) throws StoppedException {
        long nanos = time.toNanos();
        lock.lock();
        try {
            while (!stopped && nanos > 0 && !(endsWithNudge && nudged)) {
                nanos = happened.awaitNanos(nanos);
            }
            if (endsWithNudge) {
                nudged = false;
            }
        } catch (InterruptedException e) {
            stopped = true; // by nobody whom we know
        } finally {
            lock.unlock();
        }
        requireRunning();
    }

    private void requireRunning() throws StoppedException {
        if (stopped) {
            throw new StoppedException();
        }
    }

    /**
     * Has a blocking call made by another thread, and waits for it.
     *
     * @param unwanted takes a result that comes after the stop
     * @throws ExecutionException what the call threw
     */
    <T> T call(Callable<T> call, Consumer<T> unwanted) throws ExecutionException, StoppedException {
        CompletableFuture<T> answer = new CompletableFuture<>();
        awaited = answer;
        requireRunning(); // whoever stops after this sees it
        try {
            callers.execute(() -> run(call, answer, unwanted));
            return answer.join();
        } catch (RejectedExecutionException e) {
            throw new StoppedException();
        } catch (CompletionException e) {
            requireRunning();
            throw new ExecutionException(e.getCause() == null ? e : e.getCause());
        } finally {
            awaited = null;
        }
    }

    private static <T> void run(Callable<T> call, CompletableFuture<T> answer, Consumer<T> unwanted) {
        try {
            T result = call.call();
            if (!answer.complete(result)) {
                unwanted.accept(result);
            }
        } catch (Exception | Error e) {
            answer.completeExceptionally(e);
        }
    }
}
