package io.tidemark.safekeeper.timeline;

import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.owner.Owner;
import io.tidemark.runtime.owner.OwnerLimits;
import io.tidemark.safekeeper.acceptor.AcceptorEvent;
import io.tidemark.safekeeper.acceptor.ConnectionId;
import io.tidemark.safekeeper.acceptor.ScannedWal;
import io.tidemark.safekeeper.metrics.SafekeeperMetrics;
import io.tidemark.safekeeper.wal.VerifyingWalReader;
import io.tidemark.safekeeper.wal.WalLayout;
import io.tidemark.safekeeper.wal.WalReader;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.ProposerMessage;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The way to a timeline, for everybody else: its owner's mailbox, and the view that the owner publishes after each batch.
 *
 * <p>The mailbox takes 256 messages or 4 MiB of WAL before tellers have to stop; an fdatasync covers at most as much, so a proposer's pipe
 * of 128 KiB chunks fills one batch while the disk works on the one before.
 */
public final class Timeline {
    private static final OwnerLimits LIMITS = new OwnerLimits(256, 4 << 20, 256, 4 << 20);

    private final TenantTimelineId ttid;
    private final Disk disk;
    private final Owner<TimelineMessage> owner;
    private final CopyOnWriteArrayList<Runnable> watchers = new CopyOnWriteArrayList<>();
    private volatile @Nullable TimelineView view;

    Timeline(
            TenantTimelineId ttid,
            Disk disk,
            Executor threads,
            TimelineBehavior.Opener opener,
            SaveTimer saveTimer,
            SafekeeperMetrics metrics,
            @Nullable TimelineCore core,
            @Nullable String failure) {
        this.ttid = ttid;
        this.disk = disk;
        TimelineBehavior behavior = new TimelineBehavior(
                ttid, opener, metrics, this::publish, () -> saveTimer.after(this::saveLsns), core, failure);
        behavior.publishView();
        owner = new Owner<>(threads, LIMITS, behavior);
    }

    /** Asks for something to be done after the interval at which LSNs are saved. */
    @FunctionalInterface
    interface SaveTimer {
        void after(Runnable task);
    }

    private void publish(TimelineView next) {
        view = next;
        for (Runnable watcher : watchers) {
            watcher.run();
        }
    }

    private void saveLsns() {
        owner.tell(new TimelineMessage.SaveLsns(), 0);
    }

    public TenantTimelineId ttid() {
        return ttid;
    }

    /** What was true after the last batch. */
    public TimelineView view() {
        TimelineView published = view;
        if (published == null) {
            throw new IllegalStateException("the constructor publishes");
        }
        return published;
    }

    /** Calls back after each change of {@link #view}, in the owner: has to be quick. */
    public void watch(Runnable watcher) {
        watchers.add(watcher);
    }

    public void unwatch(Runnable watcher) {
        watchers.remove(watcher);
    }

    /** Hands over a message whose WAL, if it has any, was not scanned. */
    public boolean tell(ProposerLink link, ProposerMessage message) {
        boolean room = leave(link, message, null);
        owner.wake();
        return room;
    }

    /**
     * Leaves a message of a proposer, with the reference it holds, for {@link #wake} or {@link #work}, which have to follow. The first one of
     * a link is a greeting.
     *
     * @param scanned what {@link io.tidemark.safekeeper.acceptor.WalScanAhead} says of it
     * @return false when the mailbox is full: stop until {@link #whenRoom} calls back
     */
    public boolean leave(ProposerLink link, ProposerMessage message, @Nullable ScannedWal scanned) {
        long bytes = message instanceof ProposerMessage.AppendRequest append
                ? append.wal().readableBytes()
                : 0;
        return owner.leave(new TimelineMessage.FromProposer(link, message, scanned), bytes);
    }

    /** Has what was left done by another thread. */
    public void wake() {
        owner.wake();
    }

    /** Does in this thread what was left, waiting for the disk, unless another thread is at it. */
    public void work() {
        owner.work();
    }

    public void whenRoom(Runnable callback) {
        owner.whenRoom(callback);
    }

    public void proposerGone(ConnectionId connection) {
        owner.tell(new TimelineMessage.ProposerGone(connection), 0);
    }

    /** A reader of WAL has come; {@link #readerGone} has to follow. */
    public void readerCame(ConnectionId connection) {
        owner.tell(new TimelineMessage.ReaderCame(connection, ReaderFeedback.NONE), 0);
    }

    /** Returns false when the mailbox is full, as {@link #tell} does. */
    public boolean readerSaid(ConnectionId connection, ReaderFeedback feedback) {
        return owner.tell(new TimelineMessage.ReaderSaid(connection, feedback), 0);
    }

    public void readerGone(ConnectionId connection) {
        owner.tell(new TimelineMessage.ReaderGone(connection), 0);
    }

    /** Applies a membership configuration if its generation is higher; answers with the one before and the state after. */
    public Switched switchMembership(MembershipConfig membership) throws TimelineException {
        return Answers.await(ask(desk -> {
            MembershipConfig previous = desk.snapshot().state().membership();
            desk.apply(new AcceptorEvent.SwitchMembership(membership));
            return new Switched(previous, desk.snapshot());
        }));
    }

    /** What a membership switch found and left. */
    public record Switched(MembershipConfig previous, TimelineSnapshot after) {}

    /** Raises the term to at least {@code term}, or by one when it is null; answers with the one before and the one after. */
    public Bumped bumpTerm(@Nullable Term term) throws TimelineException {
        return Answers.await(ask(desk -> {
            Term previous = desk.snapshot().state().term();
            desk.apply(new AcceptorEvent.BumpTerm(term));
            return new Bumped(previous, desk.snapshot().state().term());
        }));
    }

    /** The term before and after a bump. */
    public record Bumped(Term previous, Term current) {}

    /** Persists the LSNs that are persisted lazily, now. */
    public void checkpoint() throws TimelineException {
        Answers.await(ask(desk -> {
            desk.apply(new AcceptorEvent.SaveLsns());
            return true;
        }));
    }

    /** What the timeline is right now, in its owner, after all that was told before. Blocks. */
    public TimelineSnapshot currentSnapshot() throws TimelineException {
        return Answers.await(ask(TimelineQuestion.Desk::snapshot));
    }

    /**
     * Opens the WAL on disk for reading from {@code start} on, beside the owner, with every record checked. The reader knows no end:
     * never read past what a view has promised.
     */
    public VerifyingWalReader openReader(Lsn start) throws TimelineException {
        return new VerifyingWalReader(openRawReader(), start);
    }

    /** The same for the bytes as they are on disk, right or wrong. */
    public WalReader openRawReader() throws TimelineException {
        TimelineSnapshot snapshot = view().snapshot();
        if (snapshot == null) {
            throw new TimelineException(TimelineException.Kind.BROKEN, "timeline " + ttid + " could not be loaded");
        }
        return new WalReader(disk, TimelineDirectories.of(ttid), WalLayout.of(snapshot.state()));
    }

    /** The term right now, after all that was told before. Blocks. */
    public Term termNow() throws TimelineException {
        CompletableFuture<Term> answer = new CompletableFuture<>();
        // Told even when the mailbox is full: a reader has at most one such question under way.
        owner.tell(new TimelineMessage.Ask<>(desk -> desk.snapshot().state().term(), answer), 0);
        return Answers.await(answer);
    }

    private <R> CompletableFuture<R> ask(TimelineQuestion<R> question) {
        CompletableFuture<R> answer = new CompletableFuture<>();
        if (!owner.hasRoom()) {
            answer.completeExceptionally(new TimelineException(
                    TimelineException.Kind.NOT_NOW, "timeline " + ttid + " has too much to do; try again"));
            return answer;
        }
        owner.tell(new TimelineMessage.Ask<>(question, answer), 0);
        return answer;
    }

    /** Ends the timeline in this process; see {@link TimelineMessage.Stop}. */
    CompletableFuture<Boolean> stop(@Nullable Long maxGeneration, boolean save, String reason) {
        CompletableFuture<Boolean> answer = new CompletableFuture<>();
        CompletableFuture<Boolean> closed = answer.thenApply(stopped -> {
            if (stopped) {
                owner.close();
            }
            return stopped;
        });
        owner.tell(new TimelineMessage.Stop(maxGeneration, save, reason, answer), 0);
        return closed;
    }
}
