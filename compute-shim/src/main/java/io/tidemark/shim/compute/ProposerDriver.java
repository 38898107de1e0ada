package io.tidemark.shim.compute;

import io.netty.channel.EventLoop;
import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.shim.link.SafekeeperLink;
import io.tidemark.shim.link.WalBuffer;
import io.tidemark.shim.link.WalFeed;
import io.tidemark.shim.proposer.Proposer;
import io.tidemark.shim.proposer.ProposerEffect;
import io.tidemark.shim.proposer.ProposerEvent;
import io.tidemark.shim.proposer.SafekeeperRef;
import io.tidemark.shim.proposer.SafekeeperStatus;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.replication.HotStandbyFeedback;
import io.tidemark.wire.walpush.AcceptorMessage;
import io.tidemark.wire.walpush.ProposerMessage;
import io.tidemark.wire.walpush.WalPushVersion;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out what one {@link Proposer} decides: the events of its links go in, its effects go to the links and to whoever runs the
 * shim. Lives as long as its proposer.
 *
 * <p>Owner: the event loop; every method is called there. Events that effects cause are queued, so the proposer is never entered
 * twice, and sockets are flushed once when the queue is empty.
 */
final class ProposerDriver implements SafekeeperLink.Owner, AutoCloseable {
    /** How often the proposer hears that time passes. Not on the way of a commit. */
    static final long TICK_MILLIS = 100;

    private static final long FEED_RETRY_MILLIS = 1000;

    private static final Logger log = LoggerFactory.getLogger(ProposerDriver.class);

    /** What the proposer wants of the shim; called on the event loop. */
    interface Listener {
        /** A campaign in this term begins. */
        void proposedTerm(Term term);

        void elected(ProposerEffect.Elected elected);

        void commitAdvanced(Lsn commitLsn);

        /** WAL went to a socket, so the buffer may have room again. */
        void walSent();

        /** What the standbys that hang on the safekeepers need kept has changed. Of no interest without a PostgreSQL. */
        default void standbyFeedback(HotStandbyFeedback feedback) {}

        void fenced(ProposerEffect.Fenced fenced);

        void restart(String reason);

        void syncFinished(Lsn lsn);

        void ticked();

        /** Opens a feed from PostgreSQL, or answers null when it can't now. */
        @Nullable
        WalFeed openSourceFeed(Lsn beginLsn, WalFeed.Listener feedListener);
    }

    private final EventLoop loop;
    private final Proposer proposer;
    private final Listener listener;
    private final List<SafekeeperLink> links = new ArrayList<>();
    private final long[] feedNotBeforeMillis;
    private final int[] feedAttempts;
    private final ArrayDeque<ProposerEvent> pending = new ArrayDeque<>();
    private final LinkedHashSet<SafekeeperLink> unflushed = new LinkedHashSet<>();
    private @Nullable Future<?> ticker;
    private boolean running;
    private boolean over;
    private @Nullable Term ownTermLimit;

    ProposerDriver(
            EventLoop loop,
            Proposer proposer,
            List<PgClientConfig> safekeepers,
            WalPushVersion version,
            WalBuffer buffer,
            Listener listener) {
        this.loop = loop;
        this.proposer = proposer;
        this.listener = listener;
        for (int i = 0; i < safekeepers.size(); i++) {
            links.add(new SafekeeperLink(new SafekeeperRef(i), loop, safekeepers.get(i), version, buffer, this));
        }
        feedNotBeforeMillis = new long[links.size()];
        Arrays.fill(feedNotBeforeMillis, Long.MIN_VALUE);
        feedAttempts = new int[links.size()];
    }

    /** Takes a term above {@code limit} in a greeting for a compute that has replaced us; null when we were never elected. */
    void refuseTermsAbove(@Nullable Term limit) {
        ownTermLimit = limit;
    }

    void start() {
        ticker = loop.scheduleAtFixedRate(this::tick, 0, TICK_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void tick() {
        happened(new ProposerEvent.Tick());
        for (SafekeeperLink link : links) {
            link.tick(proposer.limits().responseTimeoutMillis());
        }
        flush();
        listener.ticked();
    }

    /** PostgreSQL's flushed WAL has arrived up to here. */
    void walAvailable(Lsn endLsn) {
        happened(new ProposerEvent.WalAvailable(endLsn));
    }

    @Override
    public void happened(ProposerEvent event) {
        if (over) {
            return;
        }
        pending.addLast(event);
        if (running) {
            return;
        }
        running = true;
        try {
            for (ProposerEvent next = pending.pollFirst(); next != null && !over; next = pending.pollFirst()) {
                if (showsReplacement(next)) {
                    break;
                }
                for (ProposerEffect effect : proposer.on(next, nowMillis())) {
                    execute(effect);
                }
                if (next instanceof ProposerEvent.WalSent) {
                    listener.walSent();
                }
            }
        } finally {
            running = false;
            pending.clear();
        }
        flush();
    }

    private static long nowMillis() {
        return System.nanoTime() / 1_000_000;
    }

    /**
     * Whether somebody was elected after us while we had no proposer: nothing that we did explains such a term. A new campaign would
     * win it back from a compute that is alive.
     */
    private boolean showsReplacement(ProposerEvent event) {
        if (ownTermLimit == null
                || proposer.stage() != Proposer.Stage.COLLECTING_TERMS
                || !(event instanceof ProposerEvent.Received(SafekeeperRef from, AcceptorMessage message))
                || !(message instanceof AcceptorMessage.AcceptorGreeting greeting)
                || !greeting.term().isAfter(ownTermLimit)) {
            return false;
        }
        execute(new ProposerEffect.Fenced(greeting.term(), from));
        return true;
    }

    private void execute(ProposerEffect effect) {
        if (over) {
            return;
        }
        switch (effect) {
            case ProposerEffect.Connect(SafekeeperRef to) -> link(to).connect();
            case ProposerEffect.Disconnect(SafekeeperRef to, String reason) -> {
                log.info("dropping the connection to {}: {}", link(to), reason);
                link(to).disconnect(reason);
            }
            case ProposerEffect.Send(SafekeeperRef to, ProposerMessage message) -> {
                if (message instanceof ProposerMessage.VoteRequest vote) {
                    listener.proposedTerm(vote.term());
                }
                link(to).send(message);
            }
            case ProposerEffect.SendWal range -> link(range.safekeeper()).sendWal(range);
            case ProposerEffect.Elected elected -> listener.elected(elected);
            case ProposerEffect.CommitAdvanced(Lsn lsn) -> listener.commitAdvanced(lsn);
            case ProposerEffect.Fenced fenced -> {
                close();
                listener.fenced(fenced);
            }
            case ProposerEffect.Restart(String reason) -> {
                close();
                listener.restart(reason);
            }
            case ProposerEffect.SyncFinished(Lsn lsn) -> {
                // The last appends spread truncate_lsn; they are worth a flush, not a wait.
                flush();
                close();
                listener.syncFinished(lsn);
            }
            case ProposerEffect.TickSoon(long millis) -> {
                var _ = loop.schedule(() -> happened(new ProposerEvent.Tick()), millis, TimeUnit.MILLISECONDS);
            }
            case ProposerEffect.TruncateAdvanced truncate -> {
                // The buffer is bounded by its size alone: WAL that everybody has still serves one that restarts.
            }
            case ProposerEffect.StandbyFeedback feedback -> {
                listener.standbyFeedback(feedback.feedback());
            }
            case ProposerEffect.PageserverProgress progress -> {
                // Nothing here waits for a pageserver.
            }
        }
    }

    private SafekeeperLink link(SafekeeperRef ref) {
        return links.get(ref.index());
    }

    @Override
    public void needsFlush(SafekeeperLink link) {
        unflushed.add(link);
        if (!running) {
            flush();
        }
    }

    private void flush() {
        // Flushing makes room, room lets a link write more, and that wants a flush again: so no iterator.
        while (!unflushed.isEmpty()) {
            unflushed.removeFirst().flush();
        }
    }

    @Override
    public @Nullable WalFeed openFeed(SafekeeperLink link, Lsn beginLsn, Lsn endLsn, Term term) {
        long now = nowMillis();
        int index = link.ref().index();
        List<SafekeeperRef> donors = proposer.donorsUpTo(endLsn);
        // Right after the election the donor has not answered yet; only PostgreSQL may lack such old WAL. The next tick
        // asks again.
        boolean donorExpected = donors.isEmpty() && endLsn.isAtMost(proposer.startLsn());
        if (donorExpected || now < feedNotBeforeMillis[index]) {
            return null;
        }
        // One attempt a second: a donor that refuses would otherwise be asked as fast as it can refuse.
        feedNotBeforeMillis[index] = now + FEED_RETRY_MILLIS;
        // PostgreSQL comes last, since its disk serves users; but what no safekeeper reports (WAL in the middle of a
        // record is on
        // none) only PostgreSQL has, and its slot keeps everything that is not committed. A failed attempt moves on to
        // the next.
        int choice = feedAttempts[index]++ % (donors.size() + 1);
        if (choice == donors.size()) {
            log.info("{} gets WAL from {} on from PostgreSQL", link, beginLsn);
            return listener.openSourceFeed(beginLsn, link);
        }
        SafekeeperLink donor = link(donors.get(choice));
        log.info("{} gets WAL from {} on from {}", link, beginLsn, donor);
        return WalFeed.fromDonor(loop, donor.endpoint(), beginLsn, term, link);
    }

    @Override
    public void feedDone(SafekeeperLink link) {
        feedAttempts[link.ref().index()] = 0;
    }

    /** What a majority of the list was already sent: WAL below it may leave memory, since PostgreSQL or a donor still has it. */
    Lsn sentToMajorityLsn() {
        Lsn[] sent = links.stream().map(SafekeeperLink::sentLsn).sorted().toArray(Lsn[]::new);
        return sent[sent.length - (sent.length / 2 + 1)];
    }

    List<ShimStatus.Safekeeper> snapshot(List<SafekeeperAddress> addresses, Lsn sourceLsn) {
        List<ShimStatus.Safekeeper> result = new ArrayList<>();
        for (SafekeeperStatus peer : proposer.safekeepers()) {
            SafekeeperLink link = link(peer.safekeeper());
            long lag = peer.flushLsn().isValid() ? Math.max(0, sourceLsn.minus(peer.flushLsn())) : 0;
            result.add(new ShimStatus.Safekeeper(
                    addresses.get(peer.safekeeper().index()),
                    peer.nodeId(),
                    peer.phase(),
                    peer.term(),
                    peer.flushLsn(),
                    lag,
                    link.fedBy(),
                    link.problem()));
        }
        return List.copyOf(result);
    }

    /** Closes all connections; the proposer hears nothing any more. */
    @Override
    public void close() {
        over = true;
        if (ticker != null) {
            ticker.cancel(false);
            ticker = null;
        }
        unflushed.clear();
        links.forEach(link -> link.disconnect("the proposer is done"));
    }
}
