package io.tidemark.safekeeper.timeline;

import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.SyncFailedException;
import io.tidemark.safekeeper.acceptor.Acceptor;
import io.tidemark.safekeeper.acceptor.AcceptorEffect;
import io.tidemark.safekeeper.acceptor.AcceptorEvent;
import io.tidemark.safekeeper.acceptor.AcceptorJudgement;
import io.tidemark.safekeeper.acceptor.AcceptorState;
import io.tidemark.safekeeper.acceptor.ConnectionId;
import io.tidemark.safekeeper.acceptor.Refusal;
import io.tidemark.safekeeper.control.ControlFileStore;
import io.tidemark.safekeeper.wal.SegmentedWal;
import io.tidemark.safekeeper.wal.WalRecovery;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.walpush.AcceptorMessage;
import io.tidemark.wire.walpush.ProposerMessage.AppendRequest;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The acceptor of one timeline together with its disk: events in, durable effects done, answers out.
 *
 * <p>Owner: one thread at a time. Effects are carried out in the order of the acceptor's list, each complete before the next begins, so
 * nothing is sent that a crash could make untrue. The first effect that fails ends the core: from then on {@link #apply} throws,
 * and whoever holds it throws it away, see {@link TimelineStoppedException}.
 *
 * <pre>
 * directory/safekeeper.control            the acceptor's state
 * directory/&lt;segment&gt;[.partial]           its WAL
 * directory.tmp/                          a timeline that is being created
 * </pre>
 */
public final class TimelineCore implements Closeable {
    private static final Path ROOT = Path.of("");

    private final Acceptor acceptor;
    private final ControlFileStore control;
    private final SegmentedWal wal;
    private final EffectOrder order;
    private @Nullable TimelineStoppedException stopped;

    /** Where the acceptor's answers go, in order, once what they say is durable. Must not throw. */
    public interface EffectSink {
        void send(ConnectionId to, AcceptorMessage message);

        /** Answer with an error of this text, and close. */
        void refuse(ConnectionId to, Refusal refusal, String reason);

        /** Log it loudly, count it. */
        void alarm(String text);
    }

    /** What is carried out for an event: the acceptor's list as it is, unless the simulation proves that it notices another. */
    @FunctionalInterface
    public interface EffectOrder {
        List<AcceptorEffect> of(AcceptorEvent event, List<AcceptorEffect> decided);
    }

    private TimelineCore(Acceptor acceptor, ControlFileStore control, SegmentedWal wal, EffectOrder order) {
        this.acceptor = acceptor;
        this.control = control;
        this.wal = wal;
        this.order = order;
    }

    /**
     * Makes a timeline, durably and all at once: after a crash there is a whole one or none.
     *
     * @param directory does not exist, or is empty; the directories above it are made where needed
     * @throws FileAlreadyExistsException when something is there
     */
    public static TimelineCore create(Disk disk, Path directory, AcceptorState initial, NodeId me) throws IOException {
        return create(disk, directory, initial, me, new AcceptorJudgement(), (event, decided) -> decided);
    }

    /** The same for the simulation, which has acceptors judge wrongly on purpose. */
    public static TimelineCore create(
            Disk disk, Path directory, AcceptorState initial, NodeId me, AcceptorJudgement judgement, EffectOrder order)
            throws IOException {
        if (disk.exists(directory)
                && !(disk.isDirectory(directory) && disk.list(directory).isEmpty())) {
            throw new FileAlreadyExistsException(directory.toString());
        }
        Path parent = directory.getParent() == null ? ROOT : directory.getParent();
        createDirectories(disk, parent);
        Path temporary = Path.of(directory + ".tmp");
        deleteLeftOver(disk, temporary);
        disk.createDirectory(temporary);
        new ControlFileStore(disk, temporary).save(initial);
        disk.rename(temporary, directory);
        disk.syncDirectory(parent);
        return open(disk, directory, me, judgement, order);
    }

    private static void createDirectories(Disk disk, Path directory) throws IOException {
        if (!disk.exists(directory)) {
            Path parent = directory.getParent() == null ? ROOT : directory.getParent();
            createDirectories(disk, parent);
            disk.createDirectory(directory);
        }
        if (!directory.equals(ROOT)) {
            // Also one that is there: whoever made it may have come to grief before this.
            disk.syncDirectory(directory.getParent() == null ? ROOT : directory.getParent());
        }
    }

    private static void deleteLeftOver(Disk disk, Path temporary) throws IOException {
        if (disk.exists(temporary)) {
            for (String name : disk.list(temporary)) {
                disk.delete(temporary.resolve(name));
            }
            disk.delete(temporary);
        }
    }

    /**
     * Opens a timeline as it is on disk: reads the control file, finds the end of the WAL, makes it durable.
     *
     * @throws java.nio.file.NoSuchFileException when there is none
     * @throws io.tidemark.safekeeper.control.InvalidControlFileException when its control file can't be used
     * @throws io.tidemark.safekeeper.wal.LostWalException when its WAL ends before commit_lsn
     */
    public static TimelineCore open(Disk disk, Path directory, NodeId me) throws IOException {
        return open(disk, directory, me, new AcceptorJudgement(), (event, decided) -> decided);
    }

    /** The same for the simulation, which has acceptors judge wrongly on purpose. */
    public static TimelineCore open(
            Disk disk, Path directory, NodeId me, AcceptorJudgement judgement, EffectOrder order) throws IOException {
        ControlFileStore control = new ControlFileStore(disk, directory);
        AcceptorState state = control.load();
        Lsn flushLsn = WalRecovery.recover(disk, directory, state);
        return new TimelineCore(
                new Acceptor(me, state, flushLsn, judgement),
                control,
                new SegmentedWal(disk, directory, state.walSegmentSizeBytes()),
                order);
    }

    /**
     * Lets the acceptor judge an event and carries out what it decides. Takes over the reference of an append request's WAL,
     * whatever happens.
     *
     * @throws TimelineStoppedException when an effect fails, and ever after
     */
    public void apply(AcceptorEvent event, EffectSink sink) throws TimelineStoppedException {
        if (stopped != null) {
            releaseWal(event);
            throw stopped;
        }
        List<AcceptorEffect> effects = List.of();
        int begun = 0;
        try {
            effects = order.of(event, acceptor.on(event));
            while (begun < effects.size()) {
                AcceptorEffect effect = effects.get(begun);
                begun++;
                carryOut(effect, sink);
            }
        } catch (IOException e) {
            stopped = new TimelineStoppedException(
                    "timeline " + acceptor.state().ttid() + " stops: " + e.getMessage(),
                    e,
                    !(e instanceof SyncFailedException));
            throw stopped;
        } catch (RuntimeException | Error e) {
            stopped = new TimelineStoppedException(
                    "timeline " + acceptor.state().ttid() + " stops because of a bug: " + e, e, false);
            throw e;
        } finally {
            effects.subList(begun, effects.size()).forEach(TimelineCore::releaseWal);
        }
    }

    private void carryOut(AcceptorEffect effect, EffectSink sink) throws IOException {
        switch (effect) {
            case AcceptorEffect.PersistState e -> control.save(e.state());
            case AcceptorEffect.InitFirstSegment e -> initFirstSegment(e.startLsn());
            case AcceptorEffect.TruncateWal e -> {
                if (wal.isEmpty()) {
                    // A timeline that was created with a known start: there is a position, but no file.
                    initFirstSegment(e.endLsn());
                }
                wal.truncate(e.endLsn());
            }
            case AcceptorEffect.WriteWal e -> {
                try {
                    wal.write(e.beginLsn(), e.wal());
                } finally {
                    e.wal().release();
                }
            }
            case AcceptorEffect.FlushWal _ -> wal.flush();
            case AcceptorEffect.Send e -> sink.send(e.connection(), e.message());
            case AcceptorEffect.Refuse e -> sink.refuse(e.connection(), e.refusal(), e.reason());
            case AcceptorEffect.Alarm e -> sink.alarm(e.text());
        }
    }

    private void initFirstSegment(Lsn start) throws IOException {
        wal.initFirstSegment(
                start, acceptor.state().pgVersion(), acceptor.state().systemId());
    }

    private static void releaseWal(AcceptorEffect effect) {
        if (effect instanceof AcceptorEffect.WriteWal write) {
            write.wal().release();
        }
    }

    private static void releaseWal(AcceptorEvent event) {
        if (event instanceof AcceptorEvent.Received received && received.message() instanceof AppendRequest append) {
            append.wal().release();
        }
    }

    /** This moment, for everybody. */
    public TimelineSnapshot snapshot() {
        return new TimelineSnapshot(
                acceptor.state(),
                acceptor.lastLogTerm(),
                acceptor.writeLsn(),
                acceptor.flushLsn(),
                acceptor.commitLsn(),
                acceptor.backupLsn(),
                acceptor.peerHorizonLsn(),
                acceptor.remoteConsistentLsn());
    }

    /** To look at, on the owner's thread; it is changed by {@link #apply} only. */
    public Acceptor acceptor() {
        return acceptor;
    }

    /** Closes the files; saves nothing. */
    @Override
    public void close() throws IOException {
        wal.close();
    }
}
