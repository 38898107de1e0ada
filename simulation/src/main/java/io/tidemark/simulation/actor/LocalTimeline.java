package io.tidemark.simulation.actor;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DurableFile;
import io.tidemark.safekeeper.acceptor.Acceptor;
import io.tidemark.safekeeper.acceptor.AcceptorEvent;
import io.tidemark.safekeeper.acceptor.AcceptorState;
import io.tidemark.safekeeper.timeline.TimelineCore;
import io.tidemark.safekeeper.wal.WalLayout;
import io.tidemark.safekeeper.wal.WalReader;
import io.tidemark.simulation.Scenario;
import io.tidemark.simulation.invariant.AcceptorView;
import io.tidemark.simulation.invariant.AcceptorWatch;
import io.tidemark.simulation.invariant.Invariant;
import io.tidemark.simulation.invariant.InvariantViolation;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.ProposerMessage.ProposerGreeting;
import io.tidemark.wire.walpush.TermHistory;
import io.tidemark.wire.walpush.TermLsn;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The timeline on one safekeeper's disk: the real {@link TimelineCore} when it is open, and its files when they are copied. */
final class LocalTimeline implements AcceptorWatch.LogReader {
    private static final Path DIRECTORY = Path.of("timeline");
    private static final Path UNDER_CONSTRUCTION = Path.of("timeline.tmp");
    private static final Path DOOMED = Path.of("timeline.deleted");
    private static final Path ROOT = Path.of("");

    private final World world;
    private final Disk disk;
    private final NodeId node;
    private @Nullable TimelineCore core;

    /** One file of a copy. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record FileCopy(String name, byte[] bytes) {}

    LocalTimeline(World world, Disk disk, NodeId node) {
        this.world = world;
        this.disk = disk;
        this.node = node;
    }

    boolean isOpen() {
        return core != null;
    }

    private TimelineCore core() {
        TimelineCore open = core;
        if (open == null) {
            throw new IllegalStateException("the timeline of safekeeper " + node + " is not open");
        }
        return open;
    }

    /** Opens what is on disk; false when there is no timeline. */
    boolean open() throws IOException {
        // As TimelineDirectories.settle: a rename that a dead process did not get to sync must not be undone behind our
        // back.
        disk.syncDirectory(ROOT);
        deleteAll(UNDER_CONSTRUCTION);
        deleteAll(DOOMED);
        if (!disk.exists(DIRECTORY)) {
            return false;
        }
        core = TimelineCore.open(
                disk, DIRECTORY, node, world.sabotage().acceptorJudgement(), world.sabotage()::effects);
        return true;
    }

    /** The process is gone; the files stay as they are. */
    void abandon() {
        core = null;
    }

    /** Creates a timeline of which nothing is known but what a greeting says. */
    void create(ProposerGreeting greeting) throws IOException {
        Scenario scenario = world.scenario();
        create(new AcceptorState(
                scenario.ttid(),
                Term.ZERO,
                TermHistory.EMPTY,
                MembershipConfig.NONE,
                greeting.pgVersion(),
                greeting.systemId(),
                greeting.walSegmentSizeBytes(),
                Lsn.INVALID,
                Lsn.INVALID,
                Lsn.INVALID,
                Lsn.INVALID,
                Lsn.INVALID,
                Lsn.INVALID,
                0));
    }

    /** Creates a timeline with its first configuration and a known start. */
    void createExplicitly(MembershipConfig first) throws IOException {
        Scenario scenario = world.scenario();
        Lsn start = scenario.startLsn();
        create(new AcceptorState(
                scenario.ttid(),
                Term.ZERO,
                TermHistory.of(new TermLsn(Term.ZERO, start)),
                first,
                scenario.pgVersion(),
                scenario.systemId(),
                scenario.segmentSizeBytes(),
                start,
                start,
                start,
                start,
                start,
                start,
                0));
    }

    private void create(AcceptorState state) throws IOException {
        core = TimelineCore.create(
                disk, DIRECTORY, state, node, world.sabotage().acceptorJudgement(), world.sabotage()::effects);
    }

    void apply(AcceptorEvent event, TimelineCore.EffectSink sink) throws IOException {
        core().apply(event, sink);
    }

    AcceptorView view() {
        Acceptor acceptor = core().acceptor();
        AcceptorState state = acceptor.state();
        return new AcceptorView(
                acceptor.term(),
                state.termHistory(),
                acceptor.membership(),
                state.timelineStartLsn(),
                state.localStartLsn(),
                acceptor.writeLsn(),
                acceptor.flushLsn(),
                acceptor.commitLsn(),
                state.commitLsn(),
                acceptor.backupLsn(),
                acceptor.peerHorizonLsn(),
                acceptor.remoteConsistentLsn());
    }

    @Override
    public byte[] read(Lsn from, Lsn to) {
        ByteBuf out = Unpooled.buffer((int) to.minus(from));
        try (WalReader reader =
                new WalReader(disk, DIRECTORY, WalLayout.of(core().acceptor().state()))) {
            Lsn at = from;
            while (at.isBefore(to)) {
                at = at.plus(reader.read(at, to, 1 << 20, out));
            }
        } catch (IOException e) {
            throw new InvariantViolation(
                    Invariant.LOG_MATCHES_HISTORY,
                    "safekeeper " + node + " cannot read its WAL " + from + ".." + to + ": " + e.getMessage(),
                    e);
        }
        return ByteBufUtil.getBytes(out);
    }

    /** Every file of the timeline as it is in the page cache, as a snapshot sends them; null when there is none. */
    @Nullable
    List<FileCopy> files() {
        if (core == null) {
            return null;
        }
        try {
            List<FileCopy> copies = new ArrayList<>();
            for (String name : disk.list(DIRECTORY)) {
                try (DurableFile file = disk.open(DIRECTORY.resolve(name), Disk.Mode.READ)) {
                    ByteBuffer bytes = ByteBuffer.allocate((int) file.size());
                    while (bytes.hasRemaining() && file.read(bytes, bytes.position()) > 0) {
                        // until all is read
                    }
                    copies.add(new FileCopy(name, bytes.array()));
                }
            }
            return copies;
        } catch (IOException e) {
            throw new UncheckedIOException("safekeeper " + node + " cannot copy its timeline", e);
        }
    }

    /** Makes a timeline of a copy, durably and all at once, and opens it. */
    void install(List<FileCopy> copies) throws IOException {
        deleteAll(UNDER_CONSTRUCTION);
        disk.createDirectory(UNDER_CONSTRUCTION);
        for (FileCopy copy : copies) {
            try (DurableFile file = disk.open(UNDER_CONSTRUCTION.resolve(copy.name()), Disk.Mode.CREATE_NEW)) {
                file.write(ByteBuffer.wrap(copy.bytes()), 0);
                file.sync();
            }
        }
        disk.syncDirectory(UNDER_CONSTRUCTION);
        disk.rename(UNDER_CONSTRUCTION, DIRECTORY);
        disk.syncDirectory(ROOT);
        open();
    }

    /** Forgets the timeline: first its name, durably, then its files. */
    void delete() throws IOException {
        core = null;
        deleteAll(DOOMED);
        disk.rename(DIRECTORY, DOOMED);
        disk.syncDirectory(ROOT);
        deleteAll(DOOMED);
    }

    private void deleteAll(Path directory) throws IOException {
        if (disk.exists(directory)) {
            for (String name : disk.list(directory)) {
                disk.delete(directory.resolve(name));
            }
            disk.delete(directory);
        }
    }
}
