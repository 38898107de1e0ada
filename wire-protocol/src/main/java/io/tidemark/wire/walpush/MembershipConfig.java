package io.tidemark.wire.walpush;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.frame.CString;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.frame.MessageReader;
import io.tidemark.wire.id.NodeId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Which safekeepers form the acceptor set: versioned by a generation, and joint while one set is replaced by another.
 *
 * <p>On the wire (v3 only), big endian: {@code u32 generation, u32 n, n * member, u32 m, m * member} with {@code member = u64
 * node_id, cstr host, u16 pg_port}; the second set is the new members.
 *
 * <p>Generation 0 is the legacy state: no configuration, the proposer's own list of safekeepers is the set. Node ids are the
 * only identity; host and port are informative.
 *
 * @param generation the membership generation, an unsigned 32-bit number kept in a long
 * @param members the set, or the old set of a joint configuration
 * @param newMembers the desired set of a joint configuration; empty when not joint
 */
public record MembershipConfig(long generation, List<Member> members, List<Member> newMembers) {
    public static final MembershipConfig NONE = new MembershipConfig(0, List.of(), List.of());

    private static final int MIN_MEMBER_BYTES = 8 + 1 + 2;

    /** One safekeeper of a configuration; {@code pgPort} is 0 to 65535. */
    public record Member(NodeId nodeId, String host, int pgPort) {}

    /** Throws {@link IllegalArgumentException} for a generation without members, or a node twice in one set. */
    public MembershipConfig {
        members = List.copyOf(members);
        newMembers = List.copyOf(newMembers);
        if (generation < 0 || generation > 0xFFFF_FFFFL) {
            throw new IllegalArgumentException("membership generation out of range: " + generation);
        }
        if (generation != 0 && members.isEmpty()) {
            throw new IllegalArgumentException("membership generation " + generation + " has no members");
        }
        requireDistinct(members);
        requireDistinct(newMembers);
    }

    public boolean isJoint() {
        return !newMembers.isEmpty();
    }

    public boolean contains(NodeId node) {
        return members.stream().anyMatch(m -> m.nodeId().equals(node))
                || newMembers.stream().anyMatch(m -> m.nodeId().equals(node));
    }

    /** True when a majority of the members, and of the new members if joint, satisfies the predicate. */
    public boolean hasQuorum(Predicate<NodeId> predicate) {
        return hasMajority(nodeIds(members), predicate)
                && (newMembers.isEmpty() || hasMajority(nodeIds(newMembers), predicate));
    }

    /** Reads a configuration; throws {@link InvalidMessageException} also for one that the constructor refuses. */
    static MembershipConfig decode(MessageReader in) {
        long generation = in.u32();
        List<Member> members = decodeSet(in);
        List<Member> newMembers = decodeSet(in);
        try {
            return new MembershipConfig(generation, members, newMembers);
        } catch (IllegalArgumentException e) {
            throw new InvalidMessageException("membership configuration: " + e.getMessage(), e);
        }
    }

    private static List<Member> decodeSet(MessageReader in) {
        int n = in.count(in.u32(), MIN_MEMBER_BYTES);
        List<Member> set = new ArrayList<>(n);
        for (int i = 0; i < n; i++) {
            set.add(new Member(new NodeId(in.i64()), in.cstring(), in.u16()));
        }
        return set;
    }

    void encode(ByteBuf out) {
        out.writeInt((int) generation);
        encodeSet(members, out);
        encodeSet(newMembers, out);
    }

    private static void encodeSet(List<Member> set, ByteBuf out) {
        out.writeInt(set.size());
        for (Member member : set) {
            out.writeLong(member.nodeId().value());
            CString.write(out, member.host());
            out.writeShort(member.pgPort());
        }
    }

    public static Set<NodeId> nodeIds(List<Member> set) {
        return set.stream().map(Member::nodeId).collect(Collectors.toUnmodifiableSet());
    }

    private static boolean hasMajority(Set<NodeId> set, Predicate<NodeId> predicate) {
        return set.stream().filter(predicate).count() >= set.size() / 2 + 1;
    }

    private static void requireDistinct(List<Member> set) {
        Set<NodeId> seen = new HashSet<>();
        for (Member member : set) {
            if (!seen.add(member.nodeId())) {
                throw new IllegalArgumentException("node " + member.nodeId() + " is twice in one membership set");
            }
        }
    }
}
