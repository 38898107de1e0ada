package io.tidemark.runtime.durable;

import java.util.TreeMap;

/** Names now, and names on the platter. */
final class FakeDirectory implements FakeNode {
    final TreeMap<String, FakeNode> now = new TreeMap<>();
    final TreeMap<String, FakeNode> durable = new TreeMap<>();
}
