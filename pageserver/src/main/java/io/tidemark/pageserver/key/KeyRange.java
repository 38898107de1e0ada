package io.tidemark.pageserver.key;

/**
 * A half-open range of keys.
 *
 * @param start the first key in it
 * @param end the first key behind it
 */
public record KeyRange(Key start, Key end) {
    /** Everything but {@link Key#MAX}, which names nothing. */
    public static final KeyRange ALL = new KeyRange(Key.MIN, Key.MAX);

    public boolean contains(Key key) {
        return key.compareTo(start) >= 0 && key.isBefore(end);
    }

    public boolean overlaps(KeyRange other) {
        return start.isBefore(other.end) && other.start.isBefore(end);
    }

    public boolean isEmpty() {
        return !start.isBefore(end);
    }

    @Override
    public String toString() {
        return start + "-" + end;
    }
}
