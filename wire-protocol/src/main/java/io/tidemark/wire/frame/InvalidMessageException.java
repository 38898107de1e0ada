package io.tidemark.wire.frame;

/**
 * A peer's bytes are not a message: too short, too long, an unknown tag, a value out of range. The answer of every decoder
 * of wire-protocol (except WAL's) to hostile or broken input, and the peer's fault by definition: close that connection,
 * nothing else.
 */
public final class InvalidMessageException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public InvalidMessageException(String message) {
        super(message);
    }

    public InvalidMessageException(String message, Throwable cause) {
        super(message, cause);
    }
}
