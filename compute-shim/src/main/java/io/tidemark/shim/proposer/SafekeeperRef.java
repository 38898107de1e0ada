package io.tidemark.shim.proposer;

/** One safekeeper of the proposer's list, by its place in it. Its node id is learnt from its greeting. */
public record SafekeeperRef(int index) {
    @Override
    public String toString() {
        return "safekeeper[" + index + "]";
    }
}
