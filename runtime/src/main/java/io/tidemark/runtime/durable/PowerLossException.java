package io.tidemark.runtime.durable;

/**
 * A {@link FakeDisk} is without power: the machine that used it is dead. Unchecked, so that no code under test takes it for a disk
 * error that it could answer; the test catches it, calls {@link FakeDisk#crash} and starts anew.
 */
public final class PowerLossException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public PowerLossException(String message) {
        super(message);
    }
}
