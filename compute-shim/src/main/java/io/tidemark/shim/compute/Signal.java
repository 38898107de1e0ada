package io.tidemark.shim.compute;

import io.tidemark.shim.proposer.ProposerEffect;
import io.tidemark.wire.id.Lsn;

/** What the event loop tells the control thread. At most a few per connection or campaign, so its queue stays short. */
sealed interface Signal {
    record Elected(ProposerEffect.Elected election) implements Signal {}

    /** The replication connection ended. {@code temporary}: trying again may help. */
    record SourceLost(String reason, boolean temporary) implements Signal {}

    /** PostgreSQL came back with other bytes than it had sent before. */
    record Diverged(Lsn at) implements Signal {}

    record Fenced(FenceReport report) implements Signal {}

    record Restart(String reason) implements Signal {}

    record SyncFinished(Lsn lsn) implements Signal {}

    record Stop() implements Signal {}
}
