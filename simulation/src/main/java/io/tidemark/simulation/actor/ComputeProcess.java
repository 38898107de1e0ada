package io.tidemark.simulation.actor;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.tidemark.shim.proposer.Proposer;
import io.tidemark.shim.proposer.ProposerConfig;
import io.tidemark.shim.proposer.ProposerEffect;
import io.tidemark.shim.proposer.ProposerEvent;
import io.tidemark.shim.proposer.SafekeeperRef;
import io.tidemark.simulation.Scenario;
import io.tidemark.simulation.invariant.ClusterWatch.Electorate;
import io.tidemark.simulation.world.Connection;
import io.tidemark.simulation.world.Dice;
import io.tidemark.simulation.world.Host;
import io.tidemark.simulation.world.Network;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.AcceptorMessage;
import io.tidemark.wire.walpush.ProposerMessage;
import io.tidemark.wire.walpush.ProposerMessage.ProposerElected;
import io.tidemark.wire.walpush.ProposerMessage.VoteRequest;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One run of a compute: a real proposer, its connections, and the PostgreSQL behind it that writes WAL once it is elected. Everything
 * it knows is lost with it.
 */
final class ComputeProcess {
    private final World world;
    private final Host host;
    private final String name;
    private final Ending ending;
    private final Dice dice;
    private final Proposer proposer;
    private final List<NodeId> safekeepers;
    private final List<Link> links = new ArrayList<>();
    private final boolean sync;
    private boolean alive = true;
    private long generation;
    private @Nullable Workload workload;
    private Lsn commitLsn = Lsn.INVALID;

    /** What the host of a run hears of it. */
    interface Ending {
        /** It goes on, and has WAL that is not committed yet. */
        void wrote();

        /** Another one has a higher term. */
        void fenced(Term by);

        /** It cannot go on; a new one may. */
        void mustRestart(String reason);

        /** Sync mode has found where the log ends. */
        void synced(Lsn lsn);
    }

    ComputeProcess(World world, Host host, String name, List<NodeId> safekeepers, boolean sync, Ending ending) {
        this.world = world;
        this.host = host;
        this.name = name;
        this.ending = ending;
        this.safekeepers = List.copyOf(safekeepers);
        this.sync = sync;
        this.dice = world.dice("compute " + name);
        this.proposer = new Proposer(
                config(world.scenario(), safekeepers.size(), sync),
                world.sabotage().proposerJudgement());
        for (int i = 0; i < safekeepers.size(); i++) {
            links.add(new Link(
                    new SafekeeperRef(i),
                    world.safekeepers().get((int) safekeepers.get(i).value() - 1)));
        }
    }

    private static ProposerConfig config(Scenario scenario, int safekeepers, boolean sync) {
        return new ProposerConfig(
                scenario.ttid(),
                safekeepers,
                scenario.explicitMembership()
                        ? ProposerConfig.Membership.LEARNT
                        : ProposerConfig.Membership.CONFIGURED_LIST,
                sync ? ProposerConfig.Mode.SYNC : ProposerConfig.Mode.STREAM,
                new ProposerConfig.WalOrigin(
                        scenario.pgVersion(),
                        sync ? SystemId.UNKNOWN : scenario.systemId(),
                        scenario.segmentSizeBytes()),
                scenario.startLsn(),
                ProposerConfig.Limits.DEFAULT);
    }

    void start() {
        note("starts" + (sync ? " in sync mode" : "") + " with safekeepers " + safekeepers);
        tick();
    }

    boolean isAlive() {
        return alive;
    }

    boolean isElected() {
        return workload != null;
    }

    Lsn commitLsn() {
        return commitLsn;
    }

    private void note(String what) {
        world.log().note(name, what);
    }

    /** The process dies; with {@code silently} nobody is told: its machine lost power. */
    void die(boolean silently) {
        if (!alive) {
            return;
        }
        alive = false;
        note(silently ? "vanishes" : "ends");
        for (Link link : links) {
            Connection connection = link.connection;
            if (connection == null) {
                continue;
            }
            if (dice.chance(0.4)) {
                // What was still in the socket's buffer dies with the process: some safekeepers get less than others.
                world.network().loseUnderWayToServer(connection);
            }
            if (silently) {
                world.network().vanishClient(connection);
            } else {
                world.network().closeAtClient(connection, "process ended");
            }
        }
    }

    private void tick() {
        if (!alive) {
            return;
        }
        happens(new ProposerEvent.Tick());
        world.queue().after(dice.between(50_000L, 250_000L), this::tick);
    }

    /** Gives an event to the proposer, then does what it wants. */
    private void happens(ProposerEvent event) {
        if (!alive) {
            return;
        }
        for (ProposerEffect effect : proposer.on(event, world.queue().nowMillis())) {
            if (alive) {
                carryOut(effect);
            }
        }
    }

    private void carryOut(ProposerEffect effect) {
        switch (effect) {
            case ProposerEffect.Connect e -> link(e.safekeeper()).connect();
            case ProposerEffect.Disconnect e -> link(e.safekeeper()).disconnect(e.reason());
            case ProposerEffect.Send e -> {
                remember(e.message());
                link(e.safekeeper()).send(e.message());
            }
            case ProposerEffect.SendWal e -> link(e.safekeeper()).sendWal(e);
            case ProposerEffect.Elected e -> elected(e);
            case ProposerEffect.CommitAdvanced e -> committed(e.commitLsn());
            case ProposerEffect.TruncateAdvanced e ->
                world.cluster().truncateAdvanced(name, proposer.term(), e.truncateLsn(), commitLsn);
            case ProposerEffect.TickSoon e ->
                world.queue().after(1_000 * e.millis(), () -> happens(new ProposerEvent.Tick()));
            case ProposerEffect.StandbyFeedback _, ProposerEffect.PageserverProgress _ -> {}
            case ProposerEffect.SyncFinished e -> {
                note("synced to " + e.lsn());
                world.cluster().syncFinished(name, e.lsn());
                die(false);
                ending.synced(e.lsn());
            }
            case ProposerEffect.Fenced e -> {
                note("is fenced by term " + e.higherTerm() + " seen on " + e.seenOn());
                die(false);
                ending.fenced(e.higherTerm());
            }
            case ProposerEffect.Restart e -> {
                note("must restart: " + e.reason());
                die(false);
                ending.mustRestart(e.reason());
            }
        }
    }

    /** The generation it campaigns in is only visible in what it sends. */
    private void remember(ProposerMessage message) {
        if (message instanceof VoteRequest vote) {
            generation = vote.membershipGeneration();
        } else if (message instanceof ProposerElected elected) {
            generation = elected.membershipGeneration();
        }
    }

    private void elected(ProposerEffect.Elected e) {
        note("is elected in term " + e.term() + " at " + e.startLsn() + " history " + e.termHistory());
        Electorate electorate = new Electorate(generation, safekeepers);
        var chapter = world.cluster().elected(name, e.term(), e.startLsn(), e.termHistory(), electorate);
        workload = new Workload(world, name, e, chapter, safekeepers, this::isAlive, dice);
        if (!sync) {
            workload.begin(lsn -> {
                happens(new ProposerEvent.WalAvailable(lsn));
                ending.wrote();
            });
        }
    }

    private void committed(Lsn lsn) {
        note("commits " + lsn);
        world.cluster().committed(name, proposer.term(), lsn);
        commitLsn = lsn;
        if (workload != null) {
            workload.committed(lsn);
        }
    }

    private Link link(SafekeeperRef ref) {
        return links.get(ref.index());
    }

    /** The way to one safekeeper: at most one connection that this side believes in, and what waits to be sent on it. */
    private final class Link implements Connection.Receiver, Network.Attempt {
        private final SafekeeperRef ref;
        private final SafekeeperActor safekeeper;
        private final java.util.ArrayDeque<Object> waiting = new java.util.ArrayDeque<>();
        private @Nullable Connection connection;
        private boolean fetching;
        private int attempt;

        Link(SafekeeperRef ref, SafekeeperActor safekeeper) {
            this.ref = ref;
            this.safekeeper = safekeeper;
        }

        void connect() {
            int mine = ++attempt;
            Network.Attempt whenDone = new Network.Attempt() {
                @Override
                public void connected(Connection opened) {
                    if (mine == attempt && alive) {
                        Link.this.connected(opened);
                    } else {
                        world.network().closeAtClient(opened, "too late");
                    }
                }

                @Override
                public void failed(String reason) {
                    if (mine == attempt) {
                        Link.this.failed(reason);
                    }
                }
            };
            world.network().connect(host, safekeeper.host(), safekeeper, this, whenDone);
        }

        @Override
        public void connected(Connection opened) {
            connection = opened;
            waiting.clear();
            fetching = false;
            happens(new ProposerEvent.Connected(ref));
        }

        @Override
        public void failed(String reason) {
            happens(new ProposerEvent.Disconnected(ref, reason));
        }

        /** Gives the connection up; what was handed to the socket may still arrive. */
        void disconnect(String reason) {
            attempt++;
            Connection old = connection;
            connection = null;
            if (old != null) {
                note("gives up " + old + ": " + reason);
                world.network().closeAtClient(old, reason);
                if (dice.chance(0.3)) {
                    world.network().delayToServer(old, dice.longTail(1_000, 20_000_000));
                }
            }
        }

        @Override
        public void message(Connection on, byte[] bytes) {
            if (on == connection && alive) {
                AcceptorMessage message = world.sabotage()
                        .toProposer(AcceptorMessage.decode(
                                world.scenario().walPushVersion(), Unpooled.wrappedBuffer(bytes)));
                happens(new ProposerEvent.Received(ref, message));
            }
        }

        @Override
        public void closed(Connection on, String reason) {
            if (on == connection) {
                connection = null;
                happens(new ProposerEvent.Disconnected(ref, reason));
            }
        }

        void send(ProposerMessage message) {
            waiting.addLast(message);
            pump();
        }

        void sendWal(ProposerEffect.SendWal range) {
            waiting.addLast(range);
            pump();
        }

        private void pump() {
            while (connection != null && !fetching && !waiting.isEmpty()) {
                Connection on = connection;
                switch (waiting.removeFirst()) {
                    case ProposerMessage message -> transmit(on, message);
                    case ProposerEffect.SendWal range -> fetchAndTransmit(on, range);
                    case Object other -> throw new IllegalStateException("nothing to send: " + other);
                }
            }
        }

        private void fetchAndTransmit(Connection on, ProposerEffect.SendWal range) {
            Workload source = workload;
            if (source == null) {
                throw new IllegalStateException(name + " sends WAL before it is elected");
            }
            fetching = true;
            source.fetch(host, range.beginLsn(), range.endLsn(), () -> on == connection && alive, wal -> {
                if (on != connection || !alive) {
                    return;
                }
                fetching = false;
                transmit(
                        on,
                        new ProposerMessage.AppendRequest(
                                range.membershipGeneration(),
                                range.term(),
                                range.beginLsn(),
                                range.endLsn(),
                                range.commitLsn(),
                                range.truncateLsn(),
                                Unpooled.wrappedBuffer(wal)));
                Lsn end = range.endLsn();
                world.queue().after(1, () -> {
                    if (on == connection) {
                        happens(new ProposerEvent.WalSent(ref, end));
                    }
                });
                pump();
            });
        }

        private void transmit(Connection on, ProposerMessage message) {
            ByteBuf out = Unpooled.buffer();
            message.encode(world.scenario().walPushVersion(), out);
            world.network().sendToServer(on, ByteBufUtil.getBytes(out));
        }
    }
}
