package io.tidemark.shim.proposer;

import io.netty.buffer.Unpooled;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.AcceptorMessage.AppendResponse;
import io.tidemark.wire.walpush.ProposerMessage.AppendRequest;
import io.tidemark.wire.walpush.ProposerMessage.ProposerElected;
import io.tidemark.wire.walpush.TermHistory;
import java.util.List;
import java.util.function.Supplier;

/**
 * The elected half of a proposer: who is sent which WAL, and what is committed.
 *
 * <p>Flow control is by what was handed to the socket (WalSent), not by what was acknowledged. An acknowledgement stops at the end
 * of a record, and a record may be longer than any window; a socket that takes no more is how a slow safekeeper pushes back.
 */
final class Streaming {
    /** Most empty requests that tell a commit without an answer in between; what they leave untold goes with the answer. */
    private static final int MAX_UNANSWERED_BEATS = 4;

    /**
     * So long a commit may wait for WAL that tells it along. Under load there always is some, and a message of its own for each commit
     * costs as much as the commit: see docs/decisions/0230.
     */
    private static final long COMMIT_NEWS_MILLIS = 2;

    private final ProposerConfig config;
    private final ProposerJudgement judgement;
    private final List<Peer> peers;
    private final Supplier<List<AcceptorSet>> sets;
    private final long generation;
    private final Term term;
    private final Lsn startLsn;
    private final TermHistory history;

    private Lsn availableLsn;
    private Lsn commitLsn = Lsn.INVALID;
    private Lsn truncateLsn;
    private boolean tickAsked;

    Streaming(
            Proposer.Ballot ballot,
            List<Peer> peers,
            Supplier<List<AcceptorSet>> sets,
            TermHistory history,
            Lsn startLsn,
            Lsn truncateLsn) {
        this.config = ballot.config();
        this.judgement = ballot.judgement();
        this.sets = sets;
        this.generation = ballot.generation();
        this.term = ballot.term();
        this.peers = peers;
        this.history = history;
        this.startLsn = startLsn;
        this.availableLsn = startLsn;
        this.truncateLsn = truncateLsn;
    }

    Lsn startLsn() {
        return startLsn;
    }

    Lsn commitLsn() {
        return commitLsn;
    }

    Lsn truncateLsn() {
        return truncateLsn;
    }

    TermHistory history() {
        return history;
    }

    /**
     * Tells a safekeeper that we are elected, and from where it will be streamed to.
     *
     * @throws IllegalArgumentException when its history contradicts ours
     */
    void begin(Peer peer, Vote vote, long now, List<ProposerEffect> out) {
        Lsn from = judgement.startPoint(history, vote);
        out.add(new ProposerEffect.Send(peer.ref, new ProposerElected(generation, term, from, history)));
        peer.activate(from, vote.flushLsn());
        peer.lastHeardMillis = now;
        if (!schedule(peer, now, out)) {
            // The elected message has no answer; this has, and it may be all that is missing for a commit.
            beat(peer, now, out);
        }
    }

    void walAvailable(Lsn endLsn, long now, List<ProposerEffect> out) {
        availableLsn = availableLsn.max(endLsn);
        for (Peer peer : peers) {
            if (peer.isActive()) {
                schedule(peer, now, out);
            }
        }
    }

    void walSent(Peer peer, Lsn endLsn, long now, List<ProposerEffect> out) {
        if (peer.isActive()) {
            peer.sentLsn = peer.sentLsn.max(endLsn.min(peer.scheduledLsn));
            if (!schedule(peer, now, out)) {
                askForTick(out);
            }
        }
    }

    /**
     * Schedules what there is, as far as the window reaches. A chunk ends at the start of our term: WAL before it comes from a
     * donor, WAL behind it from the source.
     *
     * @return whether there was anything
     */
    private boolean schedule(Peer peer, long now, List<ProposerEffect> out) {
        boolean any = false;
        boolean waiting = peer.hasUnsentWal();
        Lsn windowEnd = peer.sentLsn.plus(config.limits().maxUnsentBytes());
        while (peer.scheduledLsn.isBefore(availableLsn) && peer.scheduledLsn.isBefore(windowEnd)) {
            Lsn begin = peer.scheduledLsn;
            boolean fullChunk = availableLsn.minus(begin) >= config.limits().maxChunkBytes();
            if (!fullChunk && waiting) {
                break; // it goes in one message with what comes until the socket has room
            }
            Lsn end = begin.plus(config.limits().maxChunkBytes())
                    .min(availableLsn)
                    .min(windowEnd);
            if (begin.isBefore(startLsn)) {
                end = end.min(startLsn);
            }
            out.add(new ProposerEffect.SendWal(peer.ref, generation, term, begin, end, commitLsn, truncateLsn));
            peer.scheduledLsn = end;
            peer.toldCommitLsn = commitLsn;
            peer.lastAskedMillis = now;
            any = true;
        }
        return any;
    }

    private void beat(Peer peer, long now, List<ProposerEffect> out) {
        Lsn at = peer.scheduledLsn;
        out.add(new ProposerEffect.Send(
                peer.ref, new AppendRequest(generation, term, at, at, commitLsn, truncateLsn, Unpooled.EMPTY_BUFFER)));
        peer.toldCommitLsn = commitLsn;
        peer.unansweredBeats++;
        peer.lastAskedMillis = now;
    }

    /**
     * Readers of a safekeeper see a commit only when it has heard of it. Not behind WAL that waits: what comes after that tells it, and
     * one who lags would be sent a message for each commit of the others.
     */
    private boolean wantsCommit(Peer peer) {
        return peer.isActive()
                && peer.toldCommitLsn.isBefore(commitLsn)
                && !peer.hasUnsentWal()
                && peer.unansweredBeats < MAX_UNANSWERED_BEATS;
    }

    private void askForTick(List<ProposerEffect> out) {
        if (!tickAsked && peers.stream().anyMatch(this::wantsCommit)) {
            tickAsked = true;
            out.add(new ProposerEffect.TickSoon(COMMIT_NEWS_MILLIS));
        }
    }

    void tick(long now, List<ProposerEffect> out) {
        tickAsked = false;
        for (Peer peer : peers) {
            if (wantsCommit(peer)) {
                beat(peer, now, out);
            }
        }
        beatWhereDue(now, out);
    }

    /** Every request is answered, so a beat in time keeps both sides sure of each other. WAL that waits is such a request. */
    private void beatWhereDue(long now, List<ProposerEffect> out) {
        for (Peer peer : peers) {
            if (peer.isActive()
                    && !peer.hasUnsentWal()
                    && now - peer.lastAskedMillis >= config.limits().heartbeatMillis()) {
                beat(peer, now, out);
            }
        }
    }

    /** True when the response may be from an honest acceptor: only an XLOG_SWITCH record ends behind what was sent. */
    boolean isPlausible(Peer peer, AppendResponse response) {
        int segment = config.wal().segmentSizeBytes();
        Lsn limit = Lsn.ofSegment(peer.scheduledLsn.segmentNumber(segment) + 1, segment);
        return response.flushLsn().isAtMost(limit) && response.commitLsn().isAtMost(response.flushLsn());
    }

    void appended(Peer peer, AppendResponse response, List<ProposerEffect> out) {
        peer.flushLsn = response.flushLsn();
        peer.commitLsn = response.commitLsn();
        peer.unansweredBeats = 0;
        advance(out);
        askForTick(out);
    }

    private void advance(List<ProposerEffect> out) {
        Lsn reached = judgement.commitLsn(
                sets.get(), ref -> judgement.countedFlushLsn(peers.get(ref.index()).flushLsn, startLsn));
        if (reached.isAfter(commitLsn)) {
            commitLsn = reached;
            out.add(new ProposerEffect.CommitAdvanced(commitLsn));
        }
        advanceTruncate(out);
    }

    private void advanceTruncate(List<ProposerEffect> out) {
        Lsn lowest = peers.stream().map(p -> p.flushLsn).min(Lsn::compareTo).orElse(Lsn.INVALID);
        Lsn reached = judgement.truncateLsn(truncateLsn, lowest, commitLsn);
        if (reached.isAfter(truncateLsn)) {
            truncateLsn = reached;
            out.add(new ProposerEffect.TruncateAdvanced(truncateLsn));
        }
    }

    /** The log is level: on a quorum, and everybody who is here has made it durable that it is. */
    boolean isLevel() {
        return commitLsn.isAtLeast(startLsn)
                && peers.stream()
                        .allMatch(p -> p.phase == SafekeeperStatus.Phase.OFFLINE || p.commitLsn.isAtLeast(startLsn));
    }

    /** True when the log is on a quorum up to our term, or somebody is here who has it that far. */
    boolean mayYetBeLevel() {
        return commitLsn.isAtLeast(startLsn)
                || peers.stream()
                        .anyMatch(
                                p -> p.isActive() && p.joinedLsn.max(p.flushLsn).isAtLeast(startLsn));
    }

    /** Spreads truncate_lsn: the next sync then sees that there is nothing to do. */
    void sayGoodbye(long now, List<ProposerEffect> out) {
        for (Peer peer : peers) {
            if (peer.isActive()) {
                beat(peer, now, out);
            }
        }
    }
}
