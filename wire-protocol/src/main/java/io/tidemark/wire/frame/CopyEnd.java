package io.tidemark.wire.frame;

import org.jspecify.annotations.Nullable;

/** How a COPY conversation ended, as one side sees the other. */
public sealed interface CopyEnd {
    /** The peer has said CopyDone. */
    record Done() implements CopyEnd {}

    /** The client has said CopyFail. */
    record ClientFailed(String reason) implements CopyEnd {}

    /** The server has said ErrorResponse. */
    record ServerFailed(ErrorFields error) implements CopyEnd {}

    /** The connection is gone, or is being closed; {@code cause} is null when the peer simply left. */
    record Lost(@Nullable Throwable cause) implements CopyEnd {}
}
