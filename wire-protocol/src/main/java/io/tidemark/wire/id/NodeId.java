package io.tidemark.wire.id;

/** The number of a safekeeper or pageserver. Its only identity: hosts and ports are where it is, not who it is. */
public record NodeId(long value) implements Comparable<NodeId> {
    @Override
    public int compareTo(NodeId other) {
        return Long.compareUnsigned(value, other.value);
    }

    @Override
    public String toString() {
        return Long.toUnsignedString(value);
    }
}
