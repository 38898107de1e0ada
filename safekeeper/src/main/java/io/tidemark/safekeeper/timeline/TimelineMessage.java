package io.tidemark.safekeeper.timeline;

import io.tidemark.safekeeper.acceptor.ConnectionId;
import io.tidemark.safekeeper.acceptor.ScannedWal;
import io.tidemark.wire.walpush.ProposerMessage;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** What a timeline's owner can be told. */
sealed interface TimelineMessage {
    /** A message of a proposer; a greeting makes its link known. Carries the reference that the message holds. */
    record FromProposer(
            ProposerLink link,
            ProposerMessage message,
            @Nullable ScannedWal scanned) implements TimelineMessage {}

    record ProposerGone(ConnectionId connection) implements TimelineMessage {}

    /** A reader of WAL has come. */
    record ReaderCame(ConnectionId connection, ReaderFeedback feedback) implements TimelineMessage {}

    record ReaderSaid(ConnectionId connection, ReaderFeedback feedback) implements TimelineMessage {}

    record ReaderGone(ConnectionId connection) implements TimelineMessage {}

    /** A question or an order of the HTTP API, or of the process itself. */
    record Ask<R>(TimelineQuestion<R> question, CompletableFuture<R> answer) implements TimelineMessage {}

    /**
     * The end of the timeline in this process: checks, saves, closes its files, lets everybody go. Answers false when the timeline
     * knows a higher generation than {@code maxGeneration}, and goes on; a timeline that stands still has no generation.
     */
    record Stop(@Nullable Long maxGeneration, boolean save, String reason, CompletableFuture<Boolean> answer)
            implements TimelineMessage {}

    /** Time to persist the LSNs that are persisted lazily. */
    record SaveLsns() implements TimelineMessage {}
}
