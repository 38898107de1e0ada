package io.tidemark.shim.proposer;

import io.tidemark.shim.proposer.ProposerConfig.Membership;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.walpush.MembershipConfig;
import java.util.ArrayList;
import java.util.List;

/** Who votes and counts: the membership configuration, mapped to the proposer's list of safekeepers by node id. */
final class Electorate {
    private final Membership mode;
    private final List<Peer> peers;
    private MembershipConfig membership = MembershipConfig.NONE;

    Electorate(Membership mode, List<Peer> peers) {
        this.mode = mode;
        this.peers = peers;
    }

    MembershipConfig membership() {
        return membership;
    }

    long generation() {
        return membership.generation();
    }

    void adopt(MembershipConfig newer) {
        membership = newer;
    }

    /** True for the same generation with the same node ids. Hosts and ports are informative, and generation 0 has no members. */
    boolean isSameAs(MembershipConfig other) {
        if (other.generation() != membership.generation() || other.generation() == 0) {
            return other.generation() == membership.generation();
        }
        return ids(other.members()).equals(ids(membership.members()))
                && ids(other.newMembers()).equals(ids(membership.newMembers()));
    }

    private static Object ids(List<MembershipConfig.Member> set) {
        return MembershipConfig.nodeIds(set);
    }

    /**
     * The sets that each need a majority; none while a membership must be learnt and is not.
     *
     * <p>To be asked anew each time: a safekeeper that was offline at the election shows only later which node it is.
     */
    List<AcceptorSet> sets() {
        if (membership.generation() == 0) {
            return mode == Membership.LEARNT
                    ? List.of()
                    : List.of(new AcceptorSet(
                            peers.size(), peers.stream().map(p -> p.ref).toList()));
        }
        AcceptorSet members = setOf(membership.members());
        return membership.isJoint() ? List.of(members, setOf(membership.newMembers())) : List.of(members);
    }

    boolean contains(SafekeeperRef ref) {
        return sets().stream().anyMatch(set -> set.known().contains(ref));
    }

    private AcceptorSet setOf(List<MembershipConfig.Member> members) {
        List<SafekeeperRef> known = new ArrayList<>();
        for (MembershipConfig.Member member : members) {
            NodeId nodeId = member.nodeId();
            peers.stream().filter(p -> nodeId.equals(p.nodeId)).findFirst().ifPresent(p -> known.add(p.ref));
        }
        return new AcceptorSet(members.size(), known);
    }
}
