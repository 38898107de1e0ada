package io.tidemark.pageserver.compaction;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.layer.FileLayer;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Layer files that a merge could not read, with the part of the key space in which it could not: one file can be whole for one
 * partition and damaged for its neighbour. Forgotten at a restart, and found again.
 *
 * <p>Compaction goes on around them. In L0 a damaged file is moved into the partitions as it is, once it is the oldest; in a stack only
 * the layers above it are merged. So it stays where its keys are read from, and stops nothing else.
 */
final class DamagedLayers {
    /** L0 is one place for all keys. */
    private static final Key L0 = Key.MAX;

    private record Place(FileLayer layer, Key partitionStart) {}

    private final Set<Place> places = new HashSet<>();

    /** Answers false when that was known. */
    boolean addInL0(FileLayer layer) {
        return places.add(new Place(layer, L0));
    }

    /** Answers false when that was known. */
    boolean addInPartition(FileLayer layer, Key partitionStart) {
        return places.add(new Place(layer, partitionStart));
    }

    boolean isInL0(FileLayer layer) {
        return places.contains(new Place(layer, L0));
    }

    /** The layers of a stack that lie above the first damaged one; the stack itself when there is none. */
    List<FileLayer> above(List<FileLayer> stack, Key partitionStart) {
        if (places.isEmpty()) {
            return stack;
        }
        for (int i = 0; i < stack.size(); i++) {
            if (places.contains(new Place(stack.get(i), partitionStart))) {
                return stack.subList(0, i);
            }
        }
        return stack;
    }

    /** How many files are known to be damaged. */
    int count() {
        return (int) places.stream().map(Place::layer).distinct().count();
    }
}
