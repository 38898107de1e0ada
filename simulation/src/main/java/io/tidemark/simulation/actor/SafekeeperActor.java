package io.tidemark.simulation.actor;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DiskFullException;
import io.tidemark.runtime.durable.FakeDisk;
import io.tidemark.runtime.durable.PowerLossException;
import io.tidemark.runtime.durable.SyncFailedException;
import io.tidemark.safekeeper.acceptor.AcceptorEvent;
import io.tidemark.safekeeper.acceptor.ConnectionId;
import io.tidemark.safekeeper.acceptor.Refusal;
import io.tidemark.safekeeper.acceptor.WalScanAhead;
import io.tidemark.safekeeper.timeline.TimelineCore;
import io.tidemark.safekeeper.wal.LostWalException;
import io.tidemark.simulation.invariant.AcceptorView;
import io.tidemark.simulation.invariant.AcceptorWatch;
import io.tidemark.simulation.invariant.Invariant;
import io.tidemark.simulation.invariant.InvariantViolation;
import io.tidemark.simulation.world.Connection;
import io.tidemark.simulation.world.Dice;
import io.tidemark.simulation.world.Host;
import io.tidemark.simulation.world.Network;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.AcceptorMessage;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.ProposerMessage;
import io.tidemark.wire.walpush.ProposerMessage.ProposerElected;
import io.tidemark.wire.walpush.ProposerMessage.ProposerGreeting;
import io.tidemark.wire.walpush.ProposerMessage.VoteRequest;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumSet;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One safekeeper: a host with a disk, on which a process with the real timeline comes and goes. Messages are handled one at a time;
 * a batch ends a little after its first message, as group commit has it.
 */
public final class SafekeeperActor implements Network.Listener {
    /** How a process ends. */
    public enum Death {
        /** The process dies, the page cache lives. */
        KILLED,
        /** The machine loses power, and with it whatever was not synced. */
        POWER_LOST
    }

    /** When {@link #losePowerDuringNext} strikes. */
    public enum Moment {
        VOTE,
        ELECTED,
        /** An elected message that cuts the log. */
        CUT,
        BATCH_END
    }

    private final World world;
    private final Host host;
    private final NodeId node;
    private final Dice dice;
    private final FakeDisk fakeDisk = new FakeDisk();
    private final LocalTimeline timeline;
    private final AcceptorWatch watch;
    private final TreeMap<Long, Connection> connections = new TreeMap<>();
    private final Deque<Runnable> inbox = new ArrayDeque<>();
    private final EnumSet<Moment> awaited = EnumSet.noneOf(Moment.class);
    private boolean up;
    private boolean batchOpen;
    private boolean calm;
    private long stalledUntilMicros;
    private int incarnation;

    public SafekeeperActor(World world, long number) {
        this.world = world;
        this.node = new NodeId(number);
        this.host = world.host("s" + number);
        this.dice = world.dice("safekeeper" + number);
        this.watch = new AcceptorWatch(node, world.cluster());
        Disk disk = world.sabotage().disk(fakeDisk);
        this.timeline = new LocalTimeline(world, disk, node);
    }

    public Host host() {
        return host;
    }

    public NodeId node() {
        return node;
    }

    public FakeDisk disk() {
        return fakeDisk;
    }

    public boolean isUp() {
        return up;
    }

    LocalTimeline timeline() {
        return timeline;
    }

    AcceptorWatch watch() {
        return watch;
    }

    /** What its timeline looks like now; null while it is down or has none. */
    public @Nullable AcceptorView view() {
        return up && timeline.isOpen() ? timeline.view() : null;
    }

    private void note(String what) {
        world.log().note(host.name(), what);
    }

    /** Starts the process: opens the timeline if there is one on disk. */
    public void start() {
        if (up) {
            return;
        }
        world.network().setPower(host, true);
        up = true;
        incarnation++;
        batchOpen = false;
        inbox.clear();
        try {
            if (!timeline.open()) {
                note("started without a timeline");
                return;
            }
            note("started " + describe(timeline.view()));
            watch.started(timeline.view(), timeline);
        } catch (PowerLossException e) {
            die(Death.POWER_LOST, "power lost while starting");
            restartLater();
        } catch (DiskFullException | SyncFailedException e) {
            die(Death.KILLED, "cannot start: " + e.getMessage());
            restartLater();
        } catch (LostWalException e) {
            throw new InvariantViolation(
                    Invariant.FLUSHED_IS_DURABLE, "safekeeper " + node + " has lost WAL: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new InvariantViolation(
                    Invariant.CONTROL_FILE_ATOMIC,
                    "safekeeper " + node + " cannot open its timeline: " + e.getMessage(),
                    e);
        }
    }

    /** Power fails in the middle of handling the next message of this kind: where order on disk matters most. */
    public void losePowerDuringNext(Moment moment) {
        awaited.add(moment);
    }

    private void meet(Moment moment) {
        if (awaited.remove(moment)) {
            int operation = dice.between(1, 12);
            note("will lose power during disk operation " + operation + " of " + moment);
            fakeDisk.losePowerDuring(operation);
        }
    }

    /** Ends the process now. */
    public void die(Death death, String why) {
        if (!up) {
            return;
        }
        note((death == Death.KILLED ? "killed: " : "lost power: ") + why);
        up = false;
        incarnation++;
        timeline.abandon();
        List<Connection> mine = List.copyOf(connections.values());
        connections.clear();
        inbox.clear();
        if (death == Death.POWER_LOST) {
            world.network().setPower(host, false);
            fakeDisk.crash(dice.generator());
            mine.forEach(world.network()::vanishServer);
        } else {
            mine.forEach(c -> world.network().closeAtServer(c, "process died"));
        }
    }

    /** Starts the process again after a random while. */
    public void restartLater() {
        world.queue().after(dice.longTail(50_000, 20_000_000), this::start);
    }

    /** WAL {@code [from, to)} for a proposer of this term, as START_REPLICATION with a term gives it; null when it can't. */
    byte @Nullable [] readInTerm(Term term, Lsn from, Lsn to) {
        AcceptorView view = view();
        if (view == null
                || !view.termHistory().upTo(view.flushLsn()).lastTerm().equals(term)
                || to.isAfter(view.flushLsn())
                || from.isBefore(view.localStartLsn())) {
            return null;
        }
        return timeline.read(from, to);
    }

    /** Committed WAL from {@code from} on, or from the start of the timeline when null; null when there is none here. */
    ReaderActor.@Nullable CommittedWal readCommitted(@Nullable Lsn from, int maxBytes) {
        AcceptorView view = view();
        if (view == null || !view.timelineStartLsn().isValid()) {
            return null;
        }
        Lsn begin = from == null ? view.timelineStartLsn() : from;
        if (begin.isBefore(view.localStartLsn()) || begin.isAfter(view.commitLsn())) {
            return null;
        }
        Lsn end = view.commitLsn().min(begin.plus(maxBytes));
        return new ReaderActor.CommittedWal(begin, timeline.read(begin, end));
    }

    /** Handles nothing for a while: a long fsync, a paused virtual machine. */
    public void stall(long micros) {
        stalledUntilMicros = Math.max(stalledUntilMicros, world.queue().nowMicros() + micros);
        note("stalls for " + micros / 1000 + " ms");
        world.queue().after(micros, this::drain);
    }

    /** No more stalls; armed faults of the disk go. */
    public void calmDown() {
        calm = true;
        awaited.clear();
        stalledUntilMicros = 0;
        fakeDisk.losePowerDuring(Integer.MAX_VALUE);
        drain();
    }

    @Override
    public Connection.@Nullable Receiver accept(Connection connection) {
        if (!up) {
            return null;
        }
        connections.put(connection.id(), connection);
        return new Receiver();
    }

    /** One end of a proposer's connection. */
    private final class Receiver implements Connection.Receiver {
        private final WalScanAhead scanAhead = new WalScanAhead();

        @Override
        public void message(Connection connection, byte[] bytes) {
            enqueue(() -> received(connection, bytes, scanAhead));
        }

        @Override
        public void closed(Connection connection, String reason) {
            enqueue(() -> {
                if (connections.remove(connection.id()) != null) {
                    happens(new AcceptorEvent.Disconnected(new ConnectionId(connection.id())));
                    openBatch();
                }
            });
        }
    }

    private void enqueue(Runnable work) {
        inbox.addLast(work);
        drain();
    }

    private void drain() {
        while (up && world.queue().nowMicros() >= stalledUntilMicros && !inbox.isEmpty()) {
            inbox.removeFirst().run();
        }
    }

    private void received(Connection connection, byte[] bytes, WalScanAhead scanAhead) {
        if (!connections.containsKey(connection.id())) {
            return;
        }
        ProposerMessage message =
                ProposerMessage.decode(world.scenario().walPushVersion(), Unpooled.wrappedBuffer(bytes));
        note(connection + " got " + Words.of(message));
        if (!timeline.isOpen() && !(message instanceof ProposerGreeting greeting && create(greeting))) {
            world.network().closeAtServer(connection, "no such timeline");
            connections.remove(connection.id());
            return;
        }
        boolean refused = handle(connection, message, scanAhead);
        if (refused || !up) {
            return;
        }
        if (message instanceof ProposerElected || (message instanceof VoteRequest && dice.chance(0.2))) {
            // The worst moment for what an older connection had sent.
            world.network().letGo(host);
        }
        openBatch();
    }

    private boolean create(ProposerGreeting greeting) {
        if (world.scenario().explicitMembership()) {
            return false;
        }
        return guarded(() -> {
            timeline.create(greeting);
            note("created its timeline");
            watch.started(timeline.view(), timeline);
        });
    }

    private boolean handle(Connection connection, ProposerMessage message, WalScanAhead scanAhead) {
        if (message instanceof ProposerElected elected) {
            watch.mayTruncateTo(elected.term(), elected.startStreamingAt());
            boolean cuts = elected.startStreamingAt().isBefore(timeline.view().flushLsn());
            meet(cuts && awaited.contains(Moment.CUT) ? Moment.CUT : Moment.ELECTED);
        } else if (message instanceof VoteRequest) {
            meet(Moment.VOTE);
        }
        ProposerMessage told = world.sabotage().toAcceptor(message, timeline.view());
        AcceptorEvent event = new AcceptorEvent.Received(new ConnectionId(connection.id()), told, scanAhead.scan(told));
        Answers answers = new Answers();
        boolean done = guarded(() -> timeline.apply(event, answers));
        if (done) {
            watch.received(message, answers.refused, timeline.view(), timeline);
        }
        return answers.refused;
    }

    /** Lets something happen to the timeline that is no message; false when the process died of it or has no timeline. */
    boolean happens(AcceptorEvent event) {
        if (!up || !timeline.isOpen() || !guarded(() -> timeline.apply(event, new Answers()))) {
            return false;
        }
        watch.happened(timeline.view(), timeline);
        return true;
    }

    private void openBatch() {
        if (batchOpen) {
            return;
        }
        batchOpen = true;
        int born = incarnation;
        world.queue().after(dice.longTail(50, calm ? 5_000 : world.scenario().batchMaxMicros()), () -> {
            if (born == incarnation) {
                enqueue(() -> {
                    batchOpen = false;
                    meet(Moment.BATCH_END);
                    happens(new AcceptorEvent.BatchEnd());
                });
            }
        });
    }

    /** Work on the disk; false when it ended the process. */
    private boolean guarded(DiskWork work) {
        try {
            work.run();
            return true;
        } catch (PowerLossException e) {
            die(Death.POWER_LOST, "in the middle of a disk operation");
            restartLater();
        } catch (IOException e) {
            die(Death.KILLED, e.getClass().getSimpleName() + " " + e.getMessage());
            restartLater();
        }
        return false;
    }

    /** Work that may fail as disks do. */
    interface DiskWork {
        void run() throws IOException;
    }

    /** Runs work on this node's disk; false when it ended the process. */
    boolean onDisk(DiskWork work) {
        return up && guarded(work);
    }

    /** The timeline has been deleted here. */
    void excluded() {
        note("excluded");
        watch.excluded();
        connections.values().forEach(c -> world.network().closeAtServer(c, "timeline deleted"));
        connections.clear();
    }

    /** A copy of the timeline has been installed; now it is a member. */
    void installed(MembershipConfig configuration, SafekeeperActor donor) {
        note("pulled from " + donor.host + " " + describe(timeline.view()));
        watch.started(timeline.view(), timeline);
        happens(new AcceptorEvent.SwitchMembership(configuration));
    }

    private static String describe(AcceptorView view) {
        return "term=" + view.term() + " gen=" + view.membership().generation() + " flush=" + view.flushLsn()
                + " commit=" + view.commitLsn() + " history=" + view.termHistory();
    }

    /** Where the acceptor's answers go. */
    private final class Answers implements TimelineCore.EffectSink {
        private boolean refused;

        @Override
        public void send(ConnectionId to, AcceptorMessage honest) {
            AcceptorMessage message = world.sabotage().fromAcceptor(honest, timeline.view());
            watch.sent(message);
            Connection connection = connections.get(to.value());
            note("#" + to + " sends " + Words.of(message));
            if (connection == null) {
                return;
            }
            ByteBuf out = Unpooled.buffer();
            message.encode(world.scenario().walPushVersion(), out);
            world.network().sendToClient(connection, ByteBufUtil.getBytes(out));
        }

        @Override
        public void refuse(ConnectionId to, Refusal refusal, String reason) {
            refused = true;
            note("#" + to + " refused " + refusal + ": " + reason);
            Connection connection = connections.remove(to.value());
            if (connection != null) {
                world.network().closeAtServer(connection, refusal.name());
            }
        }

        @Override
        public void alarm(String text) {
            note("ALARM " + text);
        }
    }
}
