package io.tidemark.runtime.durable;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The directory operations of a {@link FakeDisk} that are not durable yet.
 *
 * <p>An operation becomes durable when the directory that holds its result is synced. After a crash either a prefix of the
 * pending ones survives (a journaling file system) or any subset (the others). A rename is atomic in both.
 */
final class FakeNames {
    /** A name in a directory. */
    record Entry(FakeDirectory directory, String name) {}

    /** {@code node} leaves {@code from} (null: it is new) and gets the name {@code to} (null: it is deleted). */
    private record Operation(
            FakeNode node, @Nullable Entry from, @Nullable Entry to) {
        FakeDirectory owner() {
            return Objects.requireNonNull(to != null ? to : from).directory();
        }
    }

    private List<Operation> pending = new ArrayList<>();
    /** Where the platter has a node; a node has at most one name. */
    private final IdentityHashMap<FakeNode, Entry> durableEntries = new IdentityHashMap<>();

    void link(FakeNode node, Entry to) {
        to.directory().now.put(to.name(), node);
        pending.add(new Operation(node, null, to));
    }

    void unlink(FakeNode node, Entry from) {
        from.directory().now.remove(from.name());
        pending.add(new Operation(node, from, null));
    }

    void move(FakeNode node, Entry from, Entry to) {
        from.directory().now.remove(from.name());
        to.directory().now.put(to.name(), node);
        pending.add(new Operation(node, from, to));
    }

    void sync(FakeDirectory directory) {
        List<Operation> still = new ArrayList<>();
        for (Operation operation : pending) {
            if (operation.owner() == directory) {
                apply(operation);
                // The platter has this later fate of the node; an earlier one in another directory must not undo it.
                still.removeIf(earlier -> earlier.node() == operation.node());
            } else {
                still.add(operation);
            }
        }
        pending = still;
    }

    private void apply(Operation operation) {
        Entry before = durableEntries.get(operation.node());
        Entry to = operation.to();
        if (to == null && !Objects.equals(before, operation.from())) {
            return; // the name that this deletes never reached the platter
        }
        if (before != null) {
            durableEntries.remove(operation.node());
            before.directory().durable.remove(before.name(), operation.node());
        }
        if (to != null) {
            FakeNode replaced = to.directory().durable.put(to.name(), operation.node());
            if (replaced != null) {
                durableEntries.remove(replaced);
            }
            durableEntries.put(operation.node(), to);
        }
    }

    void writeBack(RandomGenerator random) {
        if (!pending.isEmpty()) {
            keep(pending.subList(0, random.nextInt(pending.size() + 1)));
        }
    }

    private void keep(List<Operation> survivors) {
        survivors.forEach(this::apply);
        pending = new ArrayList<>(pending.subList(survivors.size(), pending.size()));
    }

    /** Leaves {@code now} of every directory below {@code root} equal to what survives. */
    void crash(FakeDirectory root, RandomGenerator random) {
        if (random.nextBoolean()) {
            writeBack(random);
        } else {
            pending.stream().filter(operation -> random.nextBoolean()).forEach(this::apply);
        }
        pending = new ArrayList<>();
        reset(root);
    }

    private static void reset(FakeDirectory directory) {
        directory.now.clear();
        directory.now.putAll(new TreeMap<>(directory.durable));
        for (FakeNode node : directory.now.values()) {
            if (node instanceof FakeDirectory child) {
                reset(child);
            }
        }
    }
}
