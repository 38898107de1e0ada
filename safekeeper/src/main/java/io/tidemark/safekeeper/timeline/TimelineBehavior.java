package io.tidemark.safekeeper.timeline;

import io.netty.util.ReferenceCountUtil;
import io.tidemark.runtime.durable.DiskFullException;
import io.tidemark.runtime.owner.OwnerBehavior;
import io.tidemark.safekeeper.acceptor.AcceptorEvent;
import io.tidemark.safekeeper.acceptor.ConnectionId;
import io.tidemark.safekeeper.acceptor.Refusal;
import io.tidemark.safekeeper.metrics.SafekeeperMetrics;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.replication.HotStandbyFeedback;
import io.tidemark.wire.replication.PageserverFeedback;
import io.tidemark.wire.walpush.AcceptorMessage;
import io.tidemark.wire.walpush.ProposerMessage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All state of one timeline, in the hands of its owner. Every method runs in the owner, except where it says otherwise. */
final class TimelineBehavior implements OwnerBehavior<TimelineMessage>, TimelineCore.EffectSink {
    private static final Logger LOG = LoggerFactory.getLogger(TimelineBehavior.class);

    /** Opens the timeline from what is on disk. */
    @FunctionalInterface
    interface Opener {
        TimelineCore open() throws IOException;
    }

    private final TenantTimelineId ttid;
    private final Opener opener;
    private final SafekeeperMetrics metrics;
    private final Consumer<TimelineView> publish;

    /** Asks to be told SaveLsns after the interval at which LSNs are saved. */
    private final Runnable saveLater;

    private boolean saveAsked;
    private Lsn savedCommitLsn = Lsn.INVALID;

    private @Nullable TimelineCore core;
    private @Nullable String failure;
    private boolean reopens;
    private boolean stopped;
    private @Nullable TimelineSnapshot lastSnapshot;

    /** Links whose proposer has greeted and was neither refused nor gone. What others say is dropped. */
    private final Map<ConnectionId, ProposerLink> links = new LinkedHashMap<>();

    private final Map<ConnectionId, ReaderFeedback> readers = new LinkedHashMap<>();
    private final Map<ConnectionId, Term> electedTerms = new LinkedHashMap<>();
    private HotStandbyFeedback hotStandby = HotStandbyFeedback.NONE;
    private @Nullable PageserverFeedback lastPageserverFeedback;
    private long pageserverFeedbackCount;

    /** The connection whose message was refused while it was applied. */
    private boolean refused;

    private boolean connectionsChanged = true;
    private List<TimelineView.Proposer> proposerViews = List.of();
    private List<TimelineView.Reader> readerViews = List.of();

    TimelineBehavior(
            TenantTimelineId ttid,
            Opener opener,
            SafekeeperMetrics metrics,
            Consumer<TimelineView> publish,
            Runnable saveLater,
            @Nullable TimelineCore core,
            @Nullable String failure) {
        this.ttid = ttid;
        this.opener = opener;
        this.metrics = metrics;
        this.publish = publish;
        this.saveLater = saveLater;
        this.core = core;
        this.failure = failure;
        if (core != null) {
            lastSnapshot = core.snapshot();
            savedCommitLsn = core.snapshot().commitLsn();
        }
    }

    @Override
    public void on(TimelineMessage message) {
        switch (message) {
            case TimelineMessage.FromProposer said -> onProposer(said);
            case TimelineMessage.ProposerGone gone -> onProposerGone(gone.connection());
            case TimelineMessage.ReaderCame came -> onReader(came.connection(), came.feedback());
            case TimelineMessage.ReaderSaid said -> onReader(said.connection(), said.feedback());
            case TimelineMessage.ReaderGone gone -> onReaderGone(gone.connection());
            case TimelineMessage.Ask<?> ask -> onAsk(ask);
            case TimelineMessage.Stop stop -> onStop(stop);
            case TimelineMessage.SaveLsns save -> saveLsns();
        }
    }

    @Override
    public void batchEnd() {
        apply(new AcceptorEvent.BatchEnd());
        if (core != null) {
            saveWhenDue(core.snapshot());
        }
        publishView();
    }

    /** LSNs that are persisted lazily: at once when commit_lsn has gone on by a segment, else after the interval. */
    private void saveWhenDue(TimelineSnapshot snapshot) {
        Lsn commitLsn = snapshot.commitLsn();
        if (commitLsn.equals(savedCommitLsn)) {
            return;
        }
        if (commitLsn.minus(savedCommitLsn) >= snapshot.state().walSegmentSizeBytes()) {
            saveLsns();
        } else if (!saveAsked) {
            saveAsked = true;
            saveLater.run();
        }
    }

    private void saveLsns() {
        saveAsked = false;
        if (core != null) {
            savedCommitLsn = core.snapshot().commitLsn();
            apply(new AcceptorEvent.SaveLsns());
        }
    }

    void publishView() {
        if (core != null) {
            lastSnapshot = core.snapshot();
        }
        if (connectionsChanged) {
            connectionsChanged = false;
            List<TimelineView.Proposer> proposers = new ArrayList<>();
            links.keySet().forEach(id -> proposers.add(new TimelineView.Proposer(id, electedTerms.get(id))));
            proposerViews = List.copyOf(proposers);
            List<TimelineView.Reader> views = new ArrayList<>();
            readers.forEach((id, feedback) -> views.add(new TimelineView.Reader(id, feedback)));
            readerViews = List.copyOf(views);
        }
        publish.accept(new TimelineView(
                ttid,
                lastSnapshot,
                failure,
                stopped,
                reopens,
                proposerViews,
                readerViews,
                lastPageserverFeedback,
                pageserverFeedbackCount));
    }

    private void onProposer(TimelineMessage.FromProposer said) {
        ProposerLink link = said.link();
        ProposerMessage message = said.message();
        if (message instanceof ProposerMessage.ProposerGreeting && !links.containsKey(link.id())) {
            if (core == null && reopens) {
                reopen();
            }
            if (core == null) {
                link.fail(standsStill());
                return;
            }
            links.put(link.id(), link);
            connectionsChanged = true;
        }
        if (!links.containsKey(link.id())) {
            ReferenceCountUtil.release(walOf(message));
            return;
        }
        refused = false;
        apply(new AcceptorEvent.Received(link.id(), message, said.scanned()));
        if (message instanceof ProposerMessage.ProposerElected elected && core != null && !refused) {
            noteElected(link, elected.term());
        }
    }

    private void noteElected(ProposerLink link, Term term) {
        // A stale election is ignored without a word by the acceptor; whoever sent it is nobody's proposer.
        if (core != null && core.snapshot().state().term().equals(term)) {
            electedTerms.put(link.id(), term);
            connectionsChanged = true;
            link.elected(term);
        }
    }

    static Object walOf(ProposerMessage message) {
        return message instanceof ProposerMessage.AppendRequest append ? append.wal() : message;
    }

    private void onProposerGone(ConnectionId connection) {
        if (links.remove(connection) != null) {
            electedTerms.remove(connection);
            connectionsChanged = true;
        }
        apply(new AcceptorEvent.Disconnected(connection));
    }

    private void onReader(ConnectionId connection, ReaderFeedback feedback) {
        readers.put(connection, feedback);
        connectionsChanged = true;
        if (feedback instanceof ReaderFeedback.OfPageserver pageserver && pageserver.feedback() != null) {
            lastPageserverFeedback = pageserver.feedback();
            pageserverFeedbackCount++;
            metrics.pageserverFeedback();
            apply(new AcceptorEvent.PageserverProgress(pageserver.feedback()));
        }
        aggregateStandbys();
    }

    private void onReaderGone(ConnectionId connection) {
        if (readers.remove(connection) != null) {
            connectionsChanged = true;
            aggregateStandbys();
        }
    }

    private void aggregateStandbys() {
        HotStandbyFeedback aggregate = HotStandbyAggregate.of(readers.values());
        if (!aggregate.equals(hotStandby)) {
            hotStandby = aggregate;
            apply(new AcceptorEvent.StandbyFeedback(aggregate));
        }
    }

    private <R> void onAsk(TimelineMessage.Ask<R> ask) {
        CompletableFuture<R> answer = ask.answer();
        if (core == null) {
            answer.completeExceptionally(new TimelineException(TimelineException.Kind.BROKEN, standsStill()));
            return;
        }
        try {
            R result = ask.question().ask(new OpenDesk(core));
            // Whoever asked may look at the published view next, and must find there what was done.
            publishView();
            answer.complete(result);
        } catch (TimelineException e) {
            answer.completeExceptionally(e);
        } catch (IOException | RuntimeException e) {
            stand(e);
            answer.completeExceptionally(new TimelineException(TimelineException.Kind.DISK, standsStill(), e));
        }
    }

    private final class OpenDesk implements TimelineQuestion.Desk {
        private final TimelineCore open;

        OpenDesk(TimelineCore open) {
            this.open = open;
        }

        @Override
        public TimelineSnapshot snapshot() {
            return open.snapshot();
        }

        @Override
        public void apply(AcceptorEvent event) throws IOException {
            open.apply(event, TimelineBehavior.this);
        }
    }

    private void onStop(TimelineMessage.Stop stop) {
        TimelineCore open = core;
        if (open != null) {
            lastSnapshot = open.snapshot();
            Long maxGeneration = stop.maxGeneration();
            if (maxGeneration != null && lastSnapshot.state().membership().generation() > maxGeneration) {
                stop.answer().complete(false);
                return;
            }
            if (stop.save()) {
                apply(new AcceptorEvent.BatchEnd());
                apply(new AcceptorEvent.SaveLsns());
            }
            close(open);
        }
        core = null;
        failure = stop.reason();
        stopped = true;
        reopens = false;
        endLinks(ProposerLink::closeSilently);
        publishView();
        stop.answer().complete(true);
    }

    private void close(TimelineCore dead) {
        try {
            dead.close();
        } catch (IOException e) {
            LOG.warn("closing the files of timeline {}: {}", ttid, e.toString());
        }
    }

    private void apply(AcceptorEvent event) {
        TimelineCore open = core;
        if (open == null) {
            if (event instanceof AcceptorEvent.Received received) {
                ReferenceCountUtil.release(walOf(received.message()));
            }
            return;
        }
        try {
            open.apply(event, this);
        } catch (IOException | RuntimeException e) {
            stand(e);
        }
    }

    @Override
    public void send(ConnectionId to, AcceptorMessage message) {
        ProposerLink link = links.get(to);
        if (link != null) {
            link.send(message);
        }
    }

    @Override
    public void refuse(ConnectionId to, Refusal refusal, String reason) {
        refused = true;
        metrics.refused(refusal.name());
        ProposerLink link = links.remove(to);
        electedTerms.remove(to);
        connectionsChanged = true;
        LOG.info("{}: proposer connection {} refused: {}", ttid, to, reason);
        if (link != null) {
            link.refuse(refusal, reason);
        }
    }

    @Override
    public void alarm(String text) {
        metrics.alarm();
        LOG.error("ALARM: {}", text);
    }

    /** The timeline stands still from here on: says why to everybody, and closes its files. */
    private void stand(Exception cause) {
        TimelineCore dead = core;
        if (dead == null) {
            return;
        }
        core = null;
        reopens = cause instanceof TimelineStoppedException reason && reason.reopenable();
        failure = cause.getMessage() == null ? cause.toString() : cause.getMessage();
        LOG.error(
                "timeline {} stands still at flush_lsn {}: {}",
                ttid,
                lastSnapshot == null ? Lsn.INVALID : lastSnapshot.flushLsn(),
                standsStill(),
                cause);
        String text = standsStill();
        endLinks(link -> link.fail(text));
        close(dead);
    }

    private void reopen() {
        try {
            core = opener.open();
            failure = null;
            reopens = false;
            LOG.info(
                    "timeline {} is open again at flush_lsn {}",
                    ttid,
                    core.snapshot().flushLsn());
        } catch (IOException | RuntimeException e) {
            failure = e.getMessage() == null ? e.toString() : e.getMessage();
            reopens = e instanceof DiskFullException;
            LOG.error("timeline {} can't be opened again: {}", ttid, standsStill(), e);
        }
    }

    private String standsStill() {
        return "timeline " + ttid + " stands still on this safekeeper: " + failure
                + (reopens
                        ? " (tried again at the next connection of a proposer)"
                        : " (see the log; it is looked at again when the safekeeper is restarted)");
    }

    private void endLinks(Consumer<ProposerLink> how) {
        List<ProposerLink> all = new ArrayList<>(links.values());
        links.clear();
        electedTerms.clear();
        connectionsChanged = true;
        all.forEach(how);
    }

    @Override
    public void discard(TimelineMessage message) {
        switch (message) {
            case TimelineMessage.FromProposer said -> {
                ReferenceCountUtil.release(walOf(said.message()));
                said.link().closeSilently();
            }
            case TimelineMessage.Ask<?> ask ->
                ask.answer()
                        .completeExceptionally(new TimelineException(
                                TimelineException.Kind.NOT_NOW, "timeline " + ttid + " is closed"));
            case TimelineMessage.Stop stop -> stop.answer().complete(true);
            case TimelineMessage.ProposerGone gone -> {}
            case TimelineMessage.ReaderCame came -> {}
            case TimelineMessage.ReaderSaid said -> {}
            case TimelineMessage.ReaderGone gone -> {}
            case TimelineMessage.SaveLsns save -> {}
        }
    }

    @Override
    public void failed(Throwable cause) {
        stand(cause instanceof Exception e ? e : new IllegalStateException("internal error: " + cause, cause));
        publishView();
    }
}
