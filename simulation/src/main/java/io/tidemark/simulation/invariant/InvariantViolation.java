package io.tidemark.simulation.invariant;

/** An invariant does not hold: the end of a simulation. */
public final class InvariantViolation extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final Invariant invariant;

    public InvariantViolation(Invariant invariant, String what) {
        super(invariant + ": " + what);
        this.invariant = invariant;
    }

    public InvariantViolation(Invariant invariant, String what, Throwable cause) {
        super(invariant + ": " + what, cause);
        this.invariant = invariant;
    }

    public Invariant invariant() {
        return invariant;
    }
}
