package io.tidemark.shim.proposer;

import io.tidemark.wire.id.Lsn;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * One set of acceptors that needs a majority; a joint configuration is two of them.
 *
 * @param size how many members it has, also those that are not in the proposer's list or have not been heard of
 * @param known the members that are
 */
public record AcceptorSet(int size, List<SafekeeperRef> known) {
    public AcceptorSet {
        known = List.copyOf(known);
    }

    /** More than half of all members. */
    public int quorum() {
        return size / 2 + 1;
    }

    public boolean hasMajority(Predicate<SafekeeperRef> predicate) {
        return known.stream().filter(predicate).count() >= quorum();
    }

    /** The highest position that a majority has reached; 0 when unknown members leave none. */
    public Lsn reachedByMajority(Function<SafekeeperRef, Lsn> position) {
        List<Lsn> highestFirst =
                known.stream().map(position).sorted(Comparator.reverseOrder()).toList();
        return highestFirst.size() < quorum() ? Lsn.INVALID : highestFirst.get(quorum() - 1);
    }
}
