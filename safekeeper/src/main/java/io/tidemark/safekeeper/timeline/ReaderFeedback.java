package io.tidemark.safekeeper.timeline;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.replication.HotStandbyFeedback;
import io.tidemark.wire.replication.PageserverFeedback;
import org.jspecify.annotations.Nullable;

/** What a reader of WAL has told about itself. Until it has told anything it counts as a pageserver that has nothing. */
public sealed interface ReaderFeedback {
    ReaderFeedback NONE = new OfPageserver(null);

    /** {@code feedback} is null until the first one arrives. */
    record OfPageserver(@Nullable PageserverFeedback feedback) implements ReaderFeedback {}

    /** The last status of a standby (0 where it never said) and the last hot standby feedback. */
    record OfStandby(Lsn writeLsn, Lsn flushLsn, Lsn applyLsn, long timestampMicros, HotStandbyFeedback hotStandby)
            implements ReaderFeedback {}
}
