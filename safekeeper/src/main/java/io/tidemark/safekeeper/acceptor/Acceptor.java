package io.tidemark.safekeeper.acceptor;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.replication.PageserverFeedback;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalRecordScanner;
import io.tidemark.wire.walpush.AcceptorMessage.AcceptorGreeting;
import io.tidemark.wire.walpush.AcceptorMessage.AppendResponse;
import io.tidemark.wire.walpush.AcceptorMessage.VoteResponse;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.ProposerMessage;
import io.tidemark.wire.walpush.ProposerMessage.AppendRequest;
import io.tidemark.wire.walpush.ProposerMessage.ProposerElected;
import io.tidemark.wire.walpush.ProposerMessage.ProposerGreeting;
import io.tidemark.wire.walpush.ProposerMessage.VoteRequest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The acceptor of one timeline: it promises terms, keeps WAL of the proposer that owns the term, and says how much of it is
 * durable.
 *
 * <p>The positions and terms here are those that hold once all effects emitted so far have been carried out. That is why the order
 * of a list is the safety argument, and why a failed effect ends this object.
 *
 * <table>
 * <caption>What goes before what</caption>
 * <tr><th>On</th><th>Effects</th><th>Because</th></tr>
 * <tr><td>vote</td><td>FlushWal, PersistState(term), Send</td><td>a vote is remembered, and its flush_lsn can't grow later</td></tr>
 * <tr><td>elected</td><td>PersistState(term), InitFirstSegment, TruncateWal, PersistState(history)</td>
 *     <td>a history never claims WAL that was another term's</td></tr>
 * <tr><td>append</td><td>WriteWal</td><td>nothing is promised before the batch ends</td></tr>
 * <tr><td>batch end</td><td>FlushWal, PersistState(commit_lsn), Send...</td><td>flush_lsn and commit_lsn in an answer survive a
 *     crash</td></tr>
 * </table>
 *
 * <p>A message that does not fit is answered with {@link AcceptorEffect.Refuse} for its connection and changes nothing; later messages
 * of that connection are dropped until it is {@link AcceptorEvent.Disconnected}. Nothing a peer sends makes {@link #on} throw.
 *
 * <p>Buffers: {@code on(Received)} takes over the reference of an AppendRequest's WAL. It goes on with {@link
 * AcceptorEffect.WriteWal}, or is released here when the message is refused, ignored or empty.
 */
public final class Acceptor {
    private static final Term LAST_TERM = Term.of(-1L);

    private final NodeId me;
    private final AcceptorJudgement judgement;
    private final Answers answers;
    private final WalPositions wal;
    private final Map<ConnectionId, ProposerConnection> connections = new LinkedHashMap<>();

    /** What the last PersistState wrote. */
    private AcceptorState state;

    private final LazyLsns lsns;

    /** The highest commit_lsn an elected proposer has told; it counts here as far as flush_lsn reaches. */
    private Lsn announcedCommitLsn = Lsn.INVALID;

    /** Where the term of the last elected message starts; 0 after a start. */
    private Lsn termStartLsn = Lsn.INVALID;

    /**
     * @param persisted the control file
     * @param recoveredFlushLsn where the WAL on disk ends; 0 when there is none
     * @throws IllegalArgumentException when that is before commit_lsn: WAL has been lost, the timeline must not be opened
     */
    public Acceptor(NodeId me, AcceptorState persisted, Lsn recoveredFlushLsn) {
        this(me, persisted, recoveredFlushLsn, new AcceptorJudgement());
    }

    /** The same with other judgement; for the simulation, which shows that it notices a wrong one. */
    public Acceptor(NodeId me, AcceptorState persisted, Lsn recoveredFlushLsn, AcceptorJudgement judgement) {
        if (recoveredFlushLsn.isBefore(persisted.commitLsn())) {
            throw new IllegalArgumentException("timeline " + persisted.ttid() + ": WAL ends at " + recoveredFlushLsn
                    + ", before the persisted commit_lsn " + persisted.commitLsn());
        }
        this.me = me;
        this.state = persisted;
        this.judgement = judgement;
        this.answers = new Answers(judgement);
        this.wal = new WalPositions(recoveredFlushLsn);
        this.lsns = new LazyLsns(persisted);
    }

    /** Judges one event; the owner carries the effects out in order and stops at the first that fails. */
    public List<AcceptorEffect> on(AcceptorEvent event) {
        List<AcceptorEffect> out = new ArrayList<>();
        switch (event) {
            case AcceptorEvent.Received e -> received(e, out);
            case AcceptorEvent.Disconnected e -> connections.remove(e.connection());
            case AcceptorEvent.BatchEnd _ -> batchEnd(out);
            case AcceptorEvent.SwitchMembership e -> {
                if (mayJoin(e.membership())) {
                    persist(state.withMembership(e.membership()), out);
                }
            }
            case AcceptorEvent.BumpTerm e -> bumpTerm(e.term(), out);
            case AcceptorEvent.StandbyFeedback e -> answers.standbys(e.feedback());
            case AcceptorEvent.PageserverProgress e -> pageserverProgress(e.feedback(), out);
            case AcceptorEvent.PeerProgress e -> peerProgress(e, out);
            case AcceptorEvent.SaveLsns _ -> {
                if (!lsns.in(state).equals(state)) {
                    persist(state, out);
                }
            }
        }
        return out;
    }

    private void received(AcceptorEvent.Received received, List<AcceptorEffect> out) {
        ProposerMessage message = received.message();
        ProposerConnection connection = connections.computeIfAbsent(received.connection(), ProposerConnection::new);
        if (!connection.refused && !connection.greeted && !(message instanceof ProposerGreeting)) {
            refuse(connection, Refusal.NO_GREETING, "the first message must be a greeting", out);
        }
        if (connection.refused) {
            drop(message);
            return;
        }
        switch (message) {
            case ProposerGreeting m -> greeting(connection, m, out);
            case VoteRequest m -> vote(connection, m, out);
            case ProposerElected m -> elected(connection, m, out);
            case AppendRequest m -> append(connection, m, received.scanned(), out);
        }
    }

    private static void drop(ProposerMessage message) {
        if (message instanceof AppendRequest append) {
            append.wal().release();
        }
    }

    private void greeting(ProposerConnection connection, ProposerGreeting m, List<AcceptorEffect> out) {
        Objection objection = MessageChecks.greeting(m, state, me);
        if (objection != null) {
            refuse(connection, objection, out);
            return;
        }
        adoptServer(m, out);
        if (mayJoin(m.membership())) {
            persist(state.withMembership(m.membership()), out);
        }
        connection.greeted = true;
        out.add(new AcceptorEffect.Send(connection.id, new AcceptorGreeting(me, state.membership(), state.term())));
    }

    private void adoptServer(ProposerGreeting m, List<AcceptorEffect> out) {
        if (!m.systemId().isKnown() || m.systemId().equals(state.systemId())) {
            return;
        }
        if (state.systemId().isKnown()) {
            out.add(new AcceptorEffect.Alarm("timeline " + state.ttid() + ": system id changes from " + state.systemId()
                    + " to " + m.systemId()));
        }
        persist(state.withServer(m.pgVersion().isKnown() ? m.pgVersion() : state.pgVersion(), m.systemId()), out);
    }

    private boolean mayJoin(MembershipConfig membership) {
        return membership.generation() > state.membership().generation() && membership.contains(me);
    }

    private void vote(ProposerConnection connection, VoteRequest m, List<AcceptorEffect> out) {
        if (refuseGeneration(connection, m.membershipGeneration(), "a vote request", out)) {
            return;
        }
        // Flush first: what an older connection has appended must be in the flush_lsn of the vote. Flushed after
        // the vote, it would make the log longer than the proposer was told, and the start point it computes would
        // be wrong.
        flush(out);
        boolean given = judgement.mayVote(state.term(), m.term());
        if (given) {
            // Durable before the answer: a vote that a crash forgets could be given again, to somebody else.
            persist(state.withTerm(m.term()), out);
        }
        out.add(new AcceptorEffect.Send(
                connection.id,
                new VoteResponse(
                        state.membership().generation(),
                        state.term(),
                        given,
                        flushLsn(),
                        lsns.peerHorizon(),
                        judgement.reportableHistory(state.termHistory(), flushLsn()))));
    }

    private void elected(ProposerConnection connection, ProposerElected m, List<AcceptorEffect> out) {
        if (refuseGeneration(connection, m.membershipGeneration(), "an elected message", out)) {
            return;
        }
        if (judgement.isStale(state.term(), m.term())) {
            return; // its next append is answered with our term, which is how it learns that it has been replaced
        }
        Objection objection = MessageChecks.elected(m, state, wal, lsns.commit(), judgement);
        if (objection != null) {
            refuse(connection, objection, out);
            return;
        }
        Lsn start = m.startStreamingAt();
        if (state.term().isBefore(m.term())) {
            // Before the WAL is cut: the proposer of the old term must not find a shorter log to go on with.
            persist(state.withTerm(m.term()), out);
        }
        if (!wal.writeLsn().isValid()) {
            out.add(new AcceptorEffect.InitFirstSegment(start));
        }
        if (judgement.mustTruncate(wal.isTruncationPending(), start, wal.writeLsn(), wal.flushLsn())) {
            out.add(new AcceptorEffect.TruncateWal(start));
        }
        wal.truncatedTo(start, newScanner(start));
        adoptHistory(m, out);
        termStartLsn = m.termHistory().entries().getLast().lsn();
        connection.electedTerm = m.term();
        connection.lastResponse = null;
    }

    private WalRecordScanner newScanner(Lsn start) {
        int major = state.pgVersion().isSupported() ? state.pgVersion().major() : 0;
        return WalRecordScanner.startingAt(start, major, state.walSegmentSizeBytes());
    }

    /**
     * One replacement, after the cut is durable. A crash before it leaves a shorter log with an old history, which is safe; the
     * other way round, the old tail would pass for WAL of the new term.
     */
    private void adoptHistory(ProposerElected m, List<AcceptorEffect> out) {
        Lsn timelineStart = state.timelineStartLsn().isValid()
                ? state.timelineStartLsn()
                : m.termHistory().entries().getFirst().lsn();
        Lsn localStart = state.localStartLsn().isValid() ? state.localStartLsn() : m.startStreamingAt();
        lsns.raiseAll(timelineStart);
        persist(state.withStart(timelineStart, localStart).withTermHistory(m.termHistory()), out);
    }

    private void append(
            ProposerConnection connection, AppendRequest m, @Nullable ScannedWal scanned, List<AcceptorEffect> out) {
        if (!mayAppend(connection, m, out) || !takeWal(connection, m, scanned, out)) {
            m.wal().release();
            return;
        }
        announcedCommitLsn = announcedCommitLsn.max(m.commitLsn());
        advanceCommit();
        lsns.raisePeerHorizon(m.truncateLsn());
        connection.awaitsResponse = true;
        connection.generation = m.membershipGeneration();
        if (m.wal().isReadable()) {
            out.add(new AcceptorEffect.WriteWal(m.beginLsn(), m.wal()));
        } else {
            m.wal().release();
        }
    }

    private boolean mayAppend(ProposerConnection connection, AppendRequest m, List<AcceptorEffect> out) {
        if (refuseGeneration(connection, m.membershipGeneration(), "an append request", out)) {
            return false;
        }
        if (judgement.isStale(state.term(), m.term())) {
            out.add(new AcceptorEffect.Send(connection.id, answers.termOnly(state)));
            return false;
        }
        if (!judgement.mayAppend(connection.electedTerm, m.term()) || wal.isTruncationPending()) {
            String reason = "got AppendRequest before ProposerElected: term " + m.term() + ", mine is " + state.term();
            refuse(connection, Refusal.APPEND_BEFORE_ELECTED, reason, out);
            return false;
        }
        return true;
    }

    private boolean takeWal(
            ProposerConnection connection, AppendRequest m, @Nullable ScannedWal scanned, List<AcceptorEffect> out) {
        Optional<Refusal> misplaced = judgement.refuseAppendAt(wal.writeLsn(), m.beginLsn());
        if (misplaced.isPresent()) {
            String reason = "refusing an append at " + m.beginLsn() + ": write_lsn is " + wal.writeLsn();
            refuse(connection, misplaced.get(), reason, out);
            return false;
        }
        ByteBuf bytes = m.wal();
        if (m.endLsn().minus(m.beginLsn()) != bytes.readableBytes()) {
            throw new IllegalArgumentException(
                    "append of " + m.beginLsn() + " to " + m.endLsn() + " with " + bytes.readableBytes() + " bytes");
        }
        if (!bytes.isReadable()) {
            return true;
        }
        try {
            wal.append(bytes, scanned);
            return true;
        } catch (InvalidWalException e) {
            refuse(connection, Refusal.INVALID_WAL, "refusing WAL at " + m.beginLsn() + ": " + e.getMessage(), out);
            return false;
        }
    }

    private void batchEnd(List<AcceptorEffect> out) {
        // Every answer below speaks of what this makes durable.
        if (wal.hasUnflushedBytes()) {
            flush(out);
        }
        // Sync mode waits to see that commit_lsn has reached its term, in the persisted value that answers carry.
        if (lsns.commit().isAtLeast(termStartLsn) && state.commitLsn().isBefore(termStartLsn)) {
            persist(state, out);
        }
        for (ProposerConnection connection : connections.values()) {
            if (connection.awaitsResponse) {
                connection.awaitsResponse = false;
                if (!refuseGeneration(connection, connection.generation, "an append request", out)) {
                    AppendResponse response = answers.progress(connection, state, wal, lsns.commit());
                    out.add(new AcceptorEffect.Send(connection.id, response));
                }
            }
        }
    }

    private void bumpTerm(@Nullable Term asked, List<AcceptorEffect> out) {
        if (asked == null && state.term().equals(LAST_TERM)) {
            alarm("there is no term above " + LAST_TERM, out);
            return;
        }
        Term term = asked == null ? state.term().next() : asked;
        if (term.isAfter(state.term())) {
            persist(state.withTerm(term), out);
        }
    }

    private void pageserverProgress(PageserverFeedback feedback, List<AcceptorEffect> out) {
        lsns.raiseRemoteConsistent(feedback.remoteConsistentLsn());
        answers.pageserver(feedback);
        for (ProposerConnection connection : connections.values()) {
            AppendResponse news = answers.pageserverNews(connection, state);
            if (news != null) {
                out.add(new AcceptorEffect.Send(connection.id, news));
            }
        }
    }

    private void peerProgress(AcceptorEvent.PeerProgress peer, List<AcceptorEffect> out) {
        // The same last term means that both logs end with WAL of one proposer, so its committed prefix is a prefix
        // of ours. It is last_log_term and not term: who has voted says nothing about what is in the log.
        if (peer.commitLsn().isValid() && peer.lastLogTerm().equals(lastLogTerm())) {
            lsns.setCommit(judgement.commitLsn(peer.commitLsn(), lsns.commit(), flushLsn()));
        }
        lsns.raiseBackup(peer.backupLsn());
        lsns.raiseRemoteConsistent(peer.remoteConsistentLsn());
        lsns.raisePeerHorizon(peer.peerHorizonLsn());
        if (lsns.areFarAheadOf(state)) {
            persist(state, out);
        }
    }

    private void flush(List<AcceptorEffect> out) {
        out.add(new AcceptorEffect.FlushWal());
        wal.flushed();
        advanceCommit();
    }

    private void advanceCommit() {
        if (announcedCommitLsn.isValid()) {
            lsns.setCommit(judgement.commitLsn(announcedCommitLsn, lsns.commit(), flushLsn()));
        }
    }

    private void persist(AcceptorState next, List<AcceptorEffect> out) {
        state = lsns.in(next);
        out.add(new AcceptorEffect.PersistState(state));
    }

    private boolean refuseGeneration(
            ProposerConnection connection, long generation, String what, List<AcceptorEffect> out) {
        if (judgement.isMyGeneration(state.membership().generation(), generation)) {
            return false;
        }
        String reason = "refusing " + what + " due to generation mismatch: " + generation + ", mine is "
                + state.membership().generation();
        refuse(connection, Refusal.GENERATION_MISMATCH, reason, out);
        return true;
    }

    private void refuse(ProposerConnection connection, Objection objection, List<AcceptorEffect> out) {
        if (objection.alarming()) {
            alarm(objection.reason(), out);
        }
        connection.refused = true;
        connection.awaitsResponse = false;
        out.add(new AcceptorEffect.Refuse(connection.id, objection.refusal(), objection.reason()));
    }

    private void refuse(ProposerConnection connection, Refusal refusal, String reason, List<AcceptorEffect> out) {
        refuse(connection, Objection.of(refusal, reason), out);
    }

    private void alarm(String text, List<AcceptorEffect> out) {
        out.add(new AcceptorEffect.Alarm("timeline " + state.ttid() + ": " + text));
    }

    /** What is in the control file. */
    public AcceptorState state() {
        return state;
    }

    /** End of the last complete record that is fsynced, at least where the timeline starts; 0 when there is no WAL. */
    public Lsn flushLsn() {
        return wal.flushLsn().max(state.timelineStartLsn());
    }

    public Lsn writeLsn() {
        return wal.writeLsn();
    }

    public Lsn writeRecordLsn() {
        return wal.writeRecordLsn();
    }

    /** commit_lsn in memory; readers may have everything below it. */
    public Lsn commitLsn() {
        return lsns.commit();
    }

    public Lsn backupLsn() {
        return lsns.backup();
    }

    public Lsn peerHorizonLsn() {
        return lsns.peerHorizon();
    }

    public Lsn remoteConsistentLsn() {
        return lsns.remoteConsistent();
    }

    public Term term() {
        return state.term();
    }

    /** The term that wrote the end of the log: of the last history entry at or below flush_lsn; 0 when there is none. */
    public Term lastLogTerm() {
        return state.termHistory().upTo(flushLsn()).lastTerm();
    }

    public MembershipConfig membership() {
        return state.membership();
    }

    /** Where the term of the last elected message starts; 0 before the first one since the start. */
    public Lsn termStartLsn() {
        return termStartLsn;
    }

    /** True from the start of the process to the first elected message that is accepted: nothing is written in between. */
    public boolean isTruncationPending() {
        return wal.isTruncationPending();
    }
}
