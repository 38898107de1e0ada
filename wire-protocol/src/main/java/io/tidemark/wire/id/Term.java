package io.tidemark.wire.id;

/**
 * The Paxos ballot of a proposer: an unsigned 64-bit number that starts at 0. An elected proposer owns exactly one term.
 */
public record Term(long value) implements Comparable<Term> {
    public static final Term ZERO = new Term(0);

    public static Term of(long value) {
        return value == 0 ? ZERO : new Term(value);
    }

    public Term next() {
        return of(value + 1);
    }

    public boolean isBefore(Term other) {
        return Long.compareUnsigned(value, other.value) < 0;
    }

    public boolean isAfter(Term other) {
        return Long.compareUnsigned(value, other.value) > 0;
    }

    public Term max(Term other) {
        return isBefore(other) ? other : this;
    }

    @Override
    public int compareTo(Term other) {
        return Long.compareUnsigned(value, other.value);
    }

    @Override
    public String toString() {
        return Long.toUnsignedString(value);
    }
}
