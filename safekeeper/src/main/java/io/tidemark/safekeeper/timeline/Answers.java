package io.tidemark.safekeeper.timeline;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Waiting for the answer of a timeline's owner. */
final class Answers {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private Answers() {}

    /** The answer; NOT_NOW when there is none in time, which says nothing about whether it was or will be done. */
    static <R> R await(CompletableFuture<R> answer) throws TimelineException {
        try {
            return answer.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TimelineException reason) {
                throw reason;
            }
            throw new TimelineException(TimelineException.Kind.BROKEN, "internal error: " + e.getCause(), e);
        } catch (TimeoutException e) {
            throw new TimelineException(
                    TimelineException.Kind.NOT_NOW, "no answer within " + PATIENCE.toSeconds() + " s; try again", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TimelineException(TimelineException.Kind.NOT_NOW, "interrupted", e);
        }
    }
}
