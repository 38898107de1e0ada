package io.tidemark.shim.proposer;

import io.tidemark.shim.proposer.ProposerConfig.Mode;
import io.tidemark.shim.proposer.SafekeeperStatus.Phase;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.replication.PageserverFeedback;
import io.tidemark.wire.walpush.AcceptorMessage;
import io.tidemark.wire.walpush.AcceptorMessage.AcceptorGreeting;
import io.tidemark.wire.walpush.AcceptorMessage.AppendResponse;
import io.tidemark.wire.walpush.AcceptorMessage.VoteResponse;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.ProposerMessage;
import io.tidemark.wire.walpush.ProposerMessage.ProposerGreeting;
import io.tidemark.wire.walpush.ProposerMessage.VoteRequest;
import io.tidemark.wire.walpush.TermHistory;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The proposer of one timeline: wins a term, levels the safekeepers' logs, streams WAL, and says what is committed.
 *
 * <table>
 * <caption>There is no way back: who loses gives up, and a new proposer campaigns in a higher term</caption>
 * <tr><th>Stage</th><th>Ends when</th><th>Next</th></tr>
 * <tr><td>COLLECTING_TERMS</td><td>a quorum has greeted</td><td>CAMPAIGN in a term above all that were seen</td></tr>
 * <tr><td>CAMPAIGN</td><td>a quorum has voted</td><td>ELECTED</td></tr>
 * <tr><td></td><td>a vote is refused, or a higher term is seen</td><td>DONE (Restart)</td></tr>
 * <tr><td>ELECTED</td><td>a higher term is seen</td><td>DONE (Fenced)</td></tr>
 * <tr><td></td><td>sync mode, and the log is level</td><td>DONE (SyncFinished)</td></tr>
 * <tr><td>any</td><td>the acceptor set changes under us</td><td>DONE (Restart)</td></tr>
 * </table>
 *
 * <p>A connection that fails costs nothing but itself: it is opened again, and the safekeeper catches up from where its log is. Nothing
 * a safekeeper sends makes {@link #on} throw; one that contradicts itself or us is disconnected.
 *
 * <p>The driver delivers events of a connection only while it is open from this side's view: after the effect Disconnect, or the
 * event Disconnected, nothing more of it.
 */
public final class Proposer {
    /** How far an election is. */
    public enum Stage {
        COLLECTING_TERMS,
        CAMPAIGN,
        ELECTED,
        DONE
    }

    /** What an election has fixed for the whole term. */
    record Ballot(ProposerConfig config, ProposerJudgement judgement, long generation, Term term) {}

    private final ProposerConfig config;
    private final ProposerJudgement judgement;
    private final List<Peer> peers = new ArrayList<>();
    private final Electorate electorate;
    private final FeedbackRelay feedback = new FeedbackRelay();

    private Stage stage = Stage.COLLECTING_TERMS;

    /** While collecting the highest term seen, then ours. */
    private Term term = Term.ZERO;

    /** Not null from the election on. */
    private @Nullable Streaming streaming;

    /** When there last was hope for WAL of older terms that not all have; see {@link #giveUpWithoutDonor}. */
    private long donorSeenMillis;

    public Proposer(ProposerConfig config) {
        this(config, new ProposerJudgement());
    }

    /** The same with other judgement; for the simulation, which shows that it notices a wrong one. */
    public Proposer(ProposerConfig config, ProposerJudgement judgement) {
        this.config = config;
        this.judgement = judgement;
        this.electorate = new Electorate(config.membership(), peers);
        for (int i = 0; i < config.safekeepers(); i++) {
            peers.add(new Peer(new SafekeeperRef(i)));
        }
    }

    /**
     * Judges one event.
     *
     * @param nowMillis any clock that does not go back; the same for all events
     */
    public List<ProposerEffect> on(ProposerEvent event, long nowMillis) {
        List<ProposerEffect> out = new ArrayList<>();
        if (stage == Stage.DONE) {
            return out;
        }
        switch (event) {
            case ProposerEvent.Tick _ -> tick(nowMillis, out);
            case ProposerEvent.Connected e -> connected(peer(e.safekeeper()), nowMillis, out);
            case ProposerEvent.Disconnected e -> peer(e.safekeeper()).phase = Phase.OFFLINE;
            case ProposerEvent.Received e -> received(peer(e.safekeeper()), e.message(), nowMillis, out);
            case ProposerEvent.WalAvailable e -> {
                // Before the election nobody has checked that the source's WAL continues the log.
                if (streaming != null) {
                    streaming.walAvailable(e.endLsn(), nowMillis, out);
                }
            }
            case ProposerEvent.WalSent e -> {
                if (streaming != null) {
                    streaming.walSent(peer(e.safekeeper()), e.endLsn(), nowMillis, out);
                }
            }
        }
        afterwards(nowMillis, out);
        return out;
    }

    private void afterwards(long now, List<ProposerEffect> out) {
        if (stage != Stage.ELECTED || streaming == null) {
            return;
        }
        feedback.standby(peers, out);
        if (config.mode() == Mode.SYNC && streaming.isLevel()) {
            streaming.sayGoodbye(now, out);
            out.add(new ProposerEffect.SyncFinished(streaming.startLsn()));
            stage = Stage.DONE;
        }
    }

    private void tick(long now, List<ProposerEffect> out) {
        for (Peer peer : peers) {
            // Also while we wait for others and it has to be silent: it may be gone without a word, or may have gone on
            // to another
            // membership of which only a new greeting tells.
            if (peer.phase != Phase.OFFLINE
                    && now - peer.lastHeardMillis >= config.limits().responseTimeoutMillis()) {
                // It stays offline until the next tick: sync mode waits for everybody but who is offline.
                disconnect(peer, "no message for " + (now - peer.lastHeardMillis) + " ms while " + peer.phase, out);
            } else if (peer.phase == Phase.OFFLINE && now >= peer.nextConnectMillis) {
                peer.phase = Phase.CONNECTING;
                peer.lastHeardMillis = now;
                peer.nextConnectMillis = now + config.limits().reconnectMillis();
                out.add(new ProposerEffect.Connect(peer.ref));
            }
        }
        if (streaming != null) {
            streaming.tick(now, out);
            giveUpWithoutDonor(now, out);
        }
    }

    private void connected(Peer peer, long now, List<ProposerEffect> out) {
        if (peer.phase != Phase.CONNECTING) {
            disconnect(peer, "a connection that was not asked for", out);
            return;
        }
        peer.phase = Phase.WAIT_GREETING;
        peer.lastHeardMillis = now;
        // With the membership, so that a safekeeper that has missed a switch takes part in it.
        send(
                peer,
                new ProposerGreeting(
                        config.timeline().tenantId(),
                        config.timeline().timelineId(),
                        electorate.membership(),
                        config.wal().pgVersion(),
                        config.wal().systemId(),
                        config.wal().segmentSizeBytes()),
                out);
    }

    private void received(Peer peer, AcceptorMessage message, long now, List<ProposerEffect> out) {
        if (peer.phase == Phase.OFFLINE) {
            return;
        }
        peer.lastHeardMillis = now;
        switch (message) {
            case AcceptorGreeting m when peer.phase == Phase.WAIT_GREETING -> greeting(peer, m, now, out);
            case VoteResponse m when peer.phase == Phase.WAIT_VERDICT -> voted(peer, m, now, out);
            case AppendResponse m when peer.phase == Phase.ACTIVE -> appended(peer, m, now, out);
            case AcceptorGreeting _, VoteResponse _, AppendResponse _ ->
                disconnect(peer, "unexpected message while " + peer.phase, out);
        }
    }

    private void greeting(Peer peer, AcceptorGreeting m, long now, List<ProposerEffect> out) {
        peer.term = m.term();
        if (stopForHigherTerm(peer, m.term(), out) || !knownAs(peer, m.nodeId(), out)) {
            return;
        }
        if (!sameMembership(peer, m.membership(), out)) {
            return;
        }
        peer.phase = Phase.WAIT_VOTING;
        if (stage == Stage.COLLECTING_TERMS) {
            term = term.max(m.term());
            if (judgement.isQuorum(electorate.sets(), inPhase(Phase.WAIT_VOTING))) {
                campaign(now, out);
            }
        } else {
            askForVote(peer, now, out);
        }
    }

    /** Seeing a higher term while collecting is the purpose of collecting; later it means that somebody came after us. */
    private boolean stopForHigherTerm(Peer peer, Term seen, List<ProposerEffect> out) {
        if (stage == Stage.COLLECTING_TERMS || !judgement.isReplacedBy(term, seen)) {
            return false;
        }
        if (stage == Stage.ELECTED) {
            stage = Stage.DONE;
            out.add(new ProposerEffect.Fenced(seen, peer.ref));
        } else {
            restart(peer.ref + " has term " + seen + ", lost the campaign in " + term, out);
        }
        return true;
    }

    private boolean knownAs(Peer peer, NodeId nodeId, List<ProposerEffect> out) {
        if (peer.nodeId != null && !peer.nodeId.equals(nodeId)) {
            // What it has acknowledged is remembered under its place in the list; another node has never promised that.
            restart(peer.ref + " was node " + peer.nodeId + " and is now node " + nodeId, out);
            return false;
        }
        for (Peer other : peers) {
            if (other != peer && nodeId.equals(other.nodeId)) {
                disconnect(peer, "it is node " + nodeId + ", as " + other.ref + ": it must not count twice", out);
                return false;
            }
        }
        peer.nodeId = nodeId;
        return true;
    }

    /** True when a safekeeper is in our membership generation; adopts a higher one while that is possible. */
    private boolean sameMembership(Peer peer, MembershipConfig theirs, List<ProposerEffect> out) {
        if (theirs.generation() > electorate.generation()) {
            if (stage != Stage.COLLECTING_TERMS) {
                restart(
                        peer.ref + " is in membership generation " + theirs.generation() + ", we are in "
                                + electorate.generation(),
                        out);
                return false;
            }
            electorate.adopt(theirs);
            for (Peer other : peers) {
                if (other.phase == Phase.WAIT_VOTING) {
                    disconnect(other, "it is behind membership generation " + theirs.generation(), out);
                }
            }
            return true;
        }
        if (!electorate.isSameAs(theirs)) {
            disconnect(
                    peer,
                    "its membership generation is " + theirs.generation() + ", ours is " + electorate.generation(),
                    out);
            return false;
        }
        return true;
    }

    private void campaign(long now, List<ProposerEffect> out) {
        Term next = judgement.campaignTerm(term);
        if (!next.isAfter(term)) {
            restart("there is no term above " + term, out);
            return;
        }
        term = next;
        stage = Stage.CAMPAIGN;
        for (Peer peer : peers) {
            if (peer.phase == Phase.WAIT_VOTING) {
                askForVote(peer, now, out);
            }
        }
    }

    private void askForVote(Peer peer, long now, List<ProposerEffect> out) {
        peer.phase = Phase.WAIT_VERDICT;
        peer.lastHeardMillis = now;
        send(peer, new VoteRequest(electorate.generation(), term), out);
    }

    private void voted(Peer peer, VoteResponse m, long now, List<ProposerEffect> out) {
        peer.term = m.term();
        if (stopForHigherTerm(peer, m.term(), out) || stopForOtherGeneration(peer, m.membershipGeneration(), out)) {
            return;
        }
        TermHistory log = m.termHistory().upTo(m.flushLsn());
        boolean logIsOlder = log.lastTerm().isBefore(m.term());
        if (!m.term().equals(term)
                || (m.voteGiven() && !logIsOlder)
                || log.lastTerm().isAfter(term)) {
            disconnect(
                    peer, "a vote of term " + m.term() + " with a log of " + log.lastTerm() + ", ours is " + term, out);
            return;
        }
        // An acceptor votes once per term. After a reconnect it refuses, and that is fine if the vote it has given
        // is ours: we saw it, or a quorum has elected us, so whoever else it voted for was not elected.
        if (!m.voteGiven() && stage == Stage.CAMPAIGN && !peer.hasVoted) {
            restart(peer.ref + " has given its vote of term " + term + " already", out);
            return;
        }
        peer.hasVoted |= m.voteGiven();
        peer.vote = new Vote(peer.ref, m.flushLsn(), m.truncateLsn(), log);
        peer.phase = Phase.WAIT_ELECTED;
        if (streaming != null) {
            begin(peer, streaming, now, out);
        } else if (judgement.isQuorum(electorate.sets(), inPhase(Phase.WAIT_ELECTED))) {
            elected(now, out);
        }
    }

    private void elected(long now, List<ProposerEffect> out) {
        ElectionResult result = ElectionResult.of(votes(), judgement);
        if (config.mode() == Mode.SYNC && (result.isBrandNew() || result.isLevel())) {
            // There is no log at all, or everybody has all of it.
            out.add(new ProposerEffect.SyncFinished(result.startLsn()));
            stage = Stage.DONE;
            return;
        }
        if (result.isBrandNew()) {
            result = result.startingAt(config.initialStartLsn());
        }
        TermHistory history = result.historyWith(term);
        stage = Stage.ELECTED;
        donorSeenMillis = now;
        Ballot ballot = new Ballot(config, judgement, electorate.generation(), term);
        Streaming stream =
                new Streaming(ballot, peers, electorate::sets, history, result.startLsn(), result.truncateLsn());
        streaming = stream;
        out.add(new ProposerEffect.Elected(term, result.startLsn(), history, result.donors()));
        for (Peer peer : peers) {
            if (peer.phase == Phase.WAIT_ELECTED) {
                begin(peer, stream, now, out);
            }
        }
    }

    /** Only votes of members count, and only of those who are still here: the log may have to come from them. */
    private List<Vote> votes() {
        List<Vote> votes = new ArrayList<>();
        for (Peer peer : peers) {
            if (electorate.contains(peer.ref) && peer.phase == Phase.WAIT_ELECTED && peer.vote != null) {
                votes.add(peer.vote);
            }
        }
        return votes;
    }

    private void begin(Peer peer, Streaming stream, long now, List<ProposerEffect> out) {
        Vote vote = peer.vote;
        if (vote == null) {
            throw new IllegalStateException(peer.ref + " waits to hear of an election in which it did not vote");
        }
        try {
            stream.begin(peer, vote, now, out);
        } catch (IllegalArgumentException e) {
            disconnect(peer, "its history contradicts ours: " + e.getMessage(), out);
        }
    }

    private void appended(Peer peer, AppendResponse m, long now, List<ProposerEffect> out) {
        peer.term = m.term();
        if (stopForHigherTerm(peer, m.term(), out)
                || stopForOtherGeneration(peer, m.membershipGeneration(), out)
                || streaming == null) {
            return;
        }
        if (!m.term().equals(term) || !streaming.isPlausible(peer, m)) {
            disconnect(
                    peer,
                    "impossible answer of term " + m.term() + ": flush_lsn " + m.flushLsn() + ", commit_lsn "
                            + m.commitLsn() + ", sent up to " + peer.scheduledLsn,
                    out);
            return;
        }
        if (m.flushLsn().isAfter(peer.flushLsn)) {
            donorSeenMillis = now;
        }
        peer.standbyFeedback = m.hotStandbyFeedback();
        streaming.appended(peer, m, out);
        PageserverFeedback news = m.pageserverFeedback();
        if (news != null) {
            feedback.pageserver(news, out);
        }
    }

    private boolean stopForOtherGeneration(Peer peer, long generation, List<ProposerEffect> out) {
        if (generation == electorate.generation()) {
            return false;
        }
        restart(
                peer.ref + " answers for membership generation " + generation + ", we are in "
                        + electorate.generation(),
                out);
        return true;
    }

    /**
     * The end of the log that won the election may be on few safekeepers, and they may be gone before it is on a quorum. Others could
     * then go on without it, in a new term; waiting would help nobody.
     */
    private void giveUpWithoutDonor(long now, List<ProposerEffect> out) {
        if (stage != Stage.ELECTED || streaming == null) {
            return;
        }
        if (streaming.mayYetBeLevel()) {
            donorSeenMillis = now;
        } else if (now - donorSeenMillis >= config.limits().responseTimeoutMillis()) {
            restart("no safekeeper that is left has the log up to " + streaming.startLsn(), out);
        }
    }

    private Predicate<SafekeeperRef> inPhase(Phase phase) {
        return ref -> peers.get(ref.index()).phase == phase;
    }

    private Peer peer(SafekeeperRef ref) {
        return peers.get(ref.index());
    }

    private static void send(Peer peer, ProposerMessage message, List<ProposerEffect> out) {
        out.add(new ProposerEffect.Send(peer.ref, message));
    }

    private static void disconnect(Peer peer, String reason, List<ProposerEffect> out) {
        peer.phase = Phase.OFFLINE;
        out.add(new ProposerEffect.Disconnect(peer.ref, reason));
    }

    private void restart(String reason, List<ProposerEffect> out) {
        stage = Stage.DONE;
        out.add(new ProposerEffect.Restart(reason));
    }

    /** The periods and bounds that it keeps to. */
    public ProposerConfig.Limits limits() {
        return config.limits();
    }

    public Stage stage() {
        return stage;
    }

    /** Ours from the campaign on; before, the highest that was seen. */
    public Term term() {
        return term;
    }

    public MembershipConfig membership() {
        return electorate.membership();
    }

    /** Where our term starts; 0 before the election. */
    public Lsn startLsn() {
        return streaming == null ? Lsn.INVALID : streaming.startLsn();
    }

    /** What a quorum has, in our term; 0 before it has anything. */
    public Lsn commitLsn() {
        return streaming == null ? Lsn.INVALID : streaming.commitLsn();
    }

    /** What all have; at the election what an earlier proposer knew that all have. */
    public Lsn truncateLsn() {
        return streaming == null ? Lsn.INVALID : streaming.truncateLsn();
    }

    public TermHistory termHistory() {
        return streaming == null ? TermHistory.EMPTY : streaming.history();
    }

    public List<SafekeeperStatus> safekeepers() {
        return peers.stream().map(Peer::status).toList();
    }

    /**
     * Safekeepers that can be read from, term-limited, up to {@code endLsn}: online, and of our term as far as that. Right after the
     * election there are none, while {@link ProposerEffect.Elected#donors} have answered nothing yet.
     */
    public List<SafekeeperRef> donorsUpTo(Lsn endLsn) {
        return peers.stream()
                .filter(p -> p.isActive() && p.flushLsn.isAtLeast(endLsn) && p.flushLsn.isAtLeast(startLsn()))
                .map(p -> p.ref)
                .toList();
    }
}
