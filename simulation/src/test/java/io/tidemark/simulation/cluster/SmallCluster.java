package io.tidemark.simulation.cluster;

import io.tidemark.safekeeper.acceptor.Acceptor;
import io.tidemark.safekeeper.acceptor.AcceptorEffect;
import io.tidemark.safekeeper.acceptor.AcceptorEvent;
import io.tidemark.safekeeper.acceptor.AcceptorState;
import io.tidemark.safekeeper.acceptor.ConnectionId;
import io.tidemark.shim.proposer.Proposer;
import io.tidemark.shim.proposer.ProposerConfig;
import io.tidemark.shim.proposer.ProposerConfig.Limits;
import io.tidemark.shim.proposer.ProposerConfig.Membership;
import io.tidemark.shim.proposer.ProposerConfig.Mode;
import io.tidemark.shim.proposer.ProposerConfig.WalOrigin;
import io.tidemark.shim.proposer.ProposerEffect;
import io.tidemark.shim.proposer.ProposerEvent;
import io.tidemark.shim.proposer.SafekeeperRef;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.wal.WalStreamWriter;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.ProposerMessage;
import io.tidemark.wire.walpush.ProposerMessage.AppendRequest;
import io.tidemark.wire.walpush.TermHistory;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Acceptors and one proposer at a time, in one thread; every message arrives at once and in order. What it shows is how the two
 * state machines fit together; what loss, delay and crashes do to them is the simulation's question.
 */
final class SmallCluster {
    static final Lsn START = Lsn.parse("0/300028");
    private static final int SEGMENT = 1 << 20;
    private static final SystemId SYSTEM = SystemId.of(99);
    private static final TenantTimelineId TIMELINE = new TenantTimelineId(new TenantId(1, 2), new TimelineId(3, 4));
    private static final Limits LIMITS = new Limits(1_000, 10_000, 1_000, 4_000, 700);

    /** One safekeeper: what is durable, and the acceptor that runs on it. */
    static final class Node {
        final NodeId id;
        final MemoryWal wal = new MemoryWal(START);
        final List<AcceptorEffect.Refuse> refusals = new ArrayList<>();
        AcceptorState durable;
        Acceptor acceptor;
        boolean up = true;

        Node(NodeId id, MembershipConfig membership) {
            this.id = id;
            this.durable = newTimeline(membership);
            this.acceptor = new Acceptor(id, durable, Lsn.INVALID);
        }

        /** A crash loses what was not flushed. */
        void restart() {
            acceptor = new Acceptor(id, durable, acceptor.flushLsn());
        }

        byte[] log(Lsn begin, Lsn end) {
            return wal.read(begin, end);
        }
    }

    final List<Node> nodes = new ArrayList<>();
    final List<ProposerEffect> proposerEffects = new ArrayList<>();
    private final Map<SafekeeperRef, ConnectionId> connections = new HashMap<>();
    private final Deque<Runnable> inFlight = new ArrayDeque<>();
    private long nextConnection = 1;
    private long now = 1_000;
    private List<SafekeeperRef> donors = List.of();
    private MemoryWal source = new MemoryWal(START);
    private WalStreamWriter writer = new WalStreamWriter(17, SYSTEM, SEGMENT, START, Lsn.INVALID);
    Proposer proposer;

    SmallCluster(int size, MembershipConfig membership) {
        for (int i = 0; i < size; i++) {
            nodes.add(new Node(new NodeId(i + 1), membership));
        }
        proposer = newProposer(Mode.STREAM);
    }

    private Proposer newProposer(Mode mode) {
        boolean learnt = nodes.getFirst().durable.membership().generation() != 0;
        return new Proposer(new ProposerConfig(
                TIMELINE,
                nodes.size(),
                learnt ? Membership.LEARNT : Membership.CONFIGURED_LIST,
                mode,
                new WalOrigin(PgVersion.of(170_004), mode == Mode.SYNC ? SystemId.UNKNOWN : SYSTEM, SEGMENT),
                START,
                LIMITS));
    }

    private static AcceptorState newTimeline(MembershipConfig membership) {
        Lsn none = Lsn.INVALID;
        return new AcceptorState(
                TIMELINE,
                Term.ZERO,
                TermHistory.EMPTY,
                membership,
                PgVersion.of(170_004),
                SYSTEM,
                SEGMENT,
                none,
                none,
                none,
                none,
                none,
                none,
                0);
    }

    /** The old proposer is no more; another one starts, and everything happens that can. */
    void propose(Mode mode) {
        for (ConnectionId connection : connections.values()) {
            for (Node node : nodes) {
                act(node, new AcceptorEvent.Disconnected(connection));
            }
        }
        connections.clear();
        inFlight.clear();
        proposerEffects.clear();
        proposer = newProposer(mode);
        tick(0);
    }

    void tick(long millis) {
        now += millis;
        propose(new ProposerEvent.Tick());
        settle();
    }

    void down(int... indexes) {
        for (int i : indexes) {
            nodes.get(i).up = false;
            cut(new SafekeeperRef(i));
        }
        settle();
    }

    void up(int... indexes) {
        for (int i : indexes) {
            nodes.get(i).up = true;
            nodes.get(i).restart();
        }
        tick(1_000);
    }

    private void cut(SafekeeperRef ref) {
        ConnectionId connection = connections.remove(ref);
        if (connection != null) {
            act(nodes.get(ref.index()), new AcceptorEvent.Disconnected(connection));
            propose(new ProposerEvent.Disconnected(ref, "down"));
        }
    }

    /** After an election: the source goes on where the elected log ends. */
    void startSource() {
        Lsn start = proposer.startLsn();
        MemoryWal continued = new MemoryWal(START);
        if (start.isAfter(START)) {
            continued.write(START, nodes.get(donors.getFirst().index()).wal.buffer(START, start));
        }
        source = continued;
        writer = new WalStreamWriter(17, SYSTEM, SEGMENT, start, Lsn.INVALID);
    }

    /** Writes a record, of a content that is this seed's, and lets everything happen. */
    Lsn write(int bytes, int seed) {
        Lsn begin = writer.position();
        byte[] data = new byte[bytes];
        java.util.Arrays.fill(data, (byte) seed);
        Lsn end = writer.append(0, 0x10, seed, data);
        source.write(begin, writer.drain());
        propose(new ProposerEvent.WalAvailable(end));
        settle();
        return end;
    }

    byte[] sourceLog(Lsn end) {
        return source.read(START, end);
    }

    private void settle() {
        while (!inFlight.isEmpty()) {
            inFlight.removeFirst().run();
        }
    }

    private void propose(ProposerEvent event) {
        for (ProposerEffect effect : proposer.on(event, now)) {
            proposerEffects.add(effect);
            carryOut(effect);
        }
    }

    private void carryOut(ProposerEffect effect) {
        switch (effect) {
            case ProposerEffect.Connect e -> inFlight.add(() -> connect(e.safekeeper()));
            case ProposerEffect.Disconnect e -> {
                ConnectionId connection = connections.remove(e.safekeeper());
                if (connection != null) {
                    act(nodes.get(e.safekeeper().index()), new AcceptorEvent.Disconnected(connection));
                }
            }
            case ProposerEffect.Send e -> deliver(e.safekeeper(), e.message());
            case ProposerEffect.SendWal e -> {
                MemoryWal from = e.beginLsn().isBefore(proposer.startLsn())
                        ? nodes.get(donors.getFirst().index()).wal
                        : source;
                deliver(
                        e.safekeeper(),
                        new AppendRequest(
                                e.membershipGeneration(),
                                e.term(),
                                e.beginLsn(),
                                e.endLsn(),
                                e.commitLsn(),
                                e.truncateLsn(),
                                from.buffer(e.beginLsn(), e.endLsn())));
                inFlight.add(() -> propose(new ProposerEvent.WalSent(e.safekeeper(), e.endLsn())));
            }
            case ProposerEffect.Elected e -> donors = e.donors();
            case ProposerEffect.TickSoon _ -> inFlight.add(() -> propose(new ProposerEvent.Tick()));
            case ProposerEffect.CommitAdvanced _,
                    ProposerEffect.TruncateAdvanced _,
                    ProposerEffect.StandbyFeedback _,
                    ProposerEffect.PageserverProgress _,
                    ProposerEffect.SyncFinished _,
                    ProposerEffect.Fenced _,
                    ProposerEffect.Restart _ -> {}
        }
    }

    private void connect(SafekeeperRef ref) {
        if (!nodes.get(ref.index()).up) {
            propose(new ProposerEvent.Disconnected(ref, "refused"));
            return;
        }
        connections.put(ref, new ConnectionId(nextConnection++));
        propose(new ProposerEvent.Connected(ref));
    }

    private void deliver(SafekeeperRef ref, ProposerMessage message) {
        ConnectionId connection = connections.get(ref);
        inFlight.add(() -> {
            if (connection != null && connection.equals(connections.get(ref))) {
                Node node = nodes.get(ref.index());
                act(node, new AcceptorEvent.Received(connection, message));
                act(node, new AcceptorEvent.BatchEnd());
            }
        });
    }

    private void act(Node node, AcceptorEvent event) {
        for (AcceptorEffect effect : node.acceptor.on(event)) {
            switch (effect) {
                case AcceptorEffect.PersistState e -> node.durable = e.state();
                case AcceptorEffect.TruncateWal e -> node.wal.truncate(e.endLsn());
                case AcceptorEffect.WriteWal e -> {
                    node.wal.write(e.beginLsn(), e.wal());
                    e.wal().release();
                }
                case AcceptorEffect.Send e -> inFlight.add(() -> answer(e));
                case AcceptorEffect.Refuse e -> {
                    node.refusals.add(e);
                    inFlight.add(() -> refused(e.connection()));
                }
                case AcceptorEffect.InitFirstSegment _, AcceptorEffect.FlushWal _, AcceptorEffect.Alarm _ -> {}
            }
        }
    }

    private void answer(AcceptorEffect.Send e) {
        connections.entrySet().stream()
                .filter(c -> c.getValue().equals(e.connection()))
                .map(Map.Entry::getKey)
                .findFirst()
                .ifPresent(ref -> propose(new ProposerEvent.Received(ref, e.message())));
    }

    private void refused(ConnectionId connection) {
        connections.entrySet().stream()
                .filter(c -> c.getValue().equals(connection))
                .map(Map.Entry::getKey)
                .findFirst()
                .ifPresent(this::cut);
    }

    <T extends ProposerEffect> List<T> effects(Class<T> type) {
        return proposerEffects.stream().filter(type::isInstance).map(type::cast).toList();
    }

    /** Membership of these places in the list. */
    static List<MembershipConfig.Member> members(int... indexes) {
        return java.util.Arrays.stream(indexes)
                .mapToObj(i -> new MembershipConfig.Member(new NodeId(i + 1), "sk" + (i + 1), 5454))
                .toList();
    }

    void switchMembership(MembershipConfig membership, int... indexes) {
        for (int i : indexes) {
            act(nodes.get(i), new AcceptorEvent.SwitchMembership(membership));
        }
        settle();
    }
}
