package io.tidemark.wire.frame;

import io.netty.buffer.ByteBuf;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One side of a COPY conversation; called on the connection's event loop, so that a message is looked at where it was
 * received. Must not block. What it throws ends the connection, and comes back as {@link CopyEnd.Lost}.
 */
public interface CopyHandler {

    /** One CopyData. {@code data} is the caller's: who keeps it, or a slice of it, retains it. */
    void onCopyData(ByteBuf data);

    /** All that had arrived has been delivered; the place to act once for a whole batch. */
    default void onReadComplete() {}

    /** The channel's outbound buffer went over its high-water mark, or under its low one again. */
    default void onWritabilityChanged(boolean writable) {}

    /** Called once, last, but for what {@link #onRow} and {@link #onCommandEnd} say. */
    void onCopyEnd(CopyEnd end);

    /** A client hears a row that the command answers with before the COPY or behind it, as BASE_BACKUP does. */
    default void onRow(List<@Nullable String> values) {}

    /**
     * A client hears how the whole command ended, once, after {@link #onCopyEnd}: it can still fail when all has been copied. Done, or
     * what went wrong.
     */
    default void onCommandEnd(CopyEnd end) {}
}
