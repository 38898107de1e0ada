package io.tidemark.simulation.invariant;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.AcceptorMessage;
import io.tidemark.wire.walpush.AcceptorMessage.AcceptorGreeting;
import io.tidemark.wire.walpush.AcceptorMessage.AppendResponse;
import io.tidemark.wire.walpush.AcceptorMessage.VoteResponse;
import io.tidemark.wire.walpush.ProposerMessage;
import io.tidemark.wire.walpush.ProposerMessage.AppendRequest;
import io.tidemark.wire.walpush.ProposerMessage.ProposerElected;
import io.tidemark.wire.walpush.ProposerMessage.ProposerGreeting;
import io.tidemark.wire.walpush.ProposerMessage.VoteRequest;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Follows the timeline of one safekeeper: what it is, what it has promised to others, and whether a crash makes it forget. Lives
 * as long as the timeline exists on that node, through any number of restarts.
 */
public final class AcceptorWatch {
    private final NodeId node;
    private final ClusterWatch cluster;
    private final Set<Term> votedIn = new HashSet<>();
    private @Nullable AcceptorView last;
    private boolean electedSinceStart;
    private Term promisedTerm = Term.ZERO;
    private Term promisedLogTerm = Term.ZERO;
    private long promisedGeneration;
    private Lsn promisedFlush = Lsn.INVALID;
    private Lsn promisedCommit = Lsn.INVALID;
    private Lsn verifiedTo = Lsn.INVALID;
    private Lsn promisedFlushBefore = Lsn.INVALID;
    private Lsn verifiedToBefore = Lsn.INVALID;

    /** Reads WAL that a safekeeper holds, for comparison; never beyond its flush_lsn. */
    public interface LogReader {
        byte[] read(Lsn from, Lsn to);
    }

    public AcceptorWatch(NodeId node, ClusterWatch cluster) {
        this.node = node;
        this.cluster = cluster;
    }

    /** The timeline was opened after a start, or appeared by creation or copy. */
    public void started(AcceptorView view, LogReader reader) {
        require(
                Invariant.TERM_NEVER_DECREASES,
                !view.term().isBefore(promisedTerm),
                "came back with term %s, it had told %s",
                view.term(),
                promisedTerm);
        require(
                Invariant.GENERATION_NEVER_DECREASES,
                view.membership().generation() >= promisedGeneration,
                "came back with generation %s, it had told %s",
                view.membership().generation(),
                promisedGeneration);
        require(
                Invariant.FLUSHED_IS_DURABLE,
                view.flushLsn().isAtLeast(promisedFlush),
                "came back with flush_lsn %s, it had told %s",
                view.flushLsn(),
                promisedFlush);
        require(
                Invariant.FLUSHED_IS_DURABLE,
                view.commitLsn().isAtLeast(promisedCommit),
                "came back with commit_lsn %s, it had told %s as persisted",
                view.commitLsn(),
                promisedCommit);
        require(
                Invariant.FLUSHED_IS_DURABLE,
                !view.termHistory().lastTerm().isBefore(promisedLogTerm),
                "came back with history %s, it had acknowledged WAL of term %s",
                view.termHistory(),
                promisedLogTerm);
        electedSinceStart = false;
        verifiedTo = Lsn.INVALID;
        checkAlone(view, reader, Invariant.TRUNCATED_BEFORE_HISTORY);
        last = view;
    }

    /** The timeline was deleted here by an exclusion: what it promised ends with it. */
    public void excluded() {
        last = null;
        votedIn.clear();
        promisedTerm = Term.ZERO;
        promisedGeneration = 0;
        promisedFlush = Lsn.INVALID;
        promisedCommit = Lsn.INVALID;
        promisedLogTerm = Term.ZERO;
    }

    /** A message has been handled; {@code refused} when it was answered with an error. */
    public void received(ProposerMessage message, boolean refused, AcceptorView after, LogReader reader) {
        AcceptorView before = last;
        if (before != null) {
            checkGeneration(message, before, after);
            switch (message) {
                case ProposerGreeting ignored -> requireSameLog(message, before, after);
                case VoteRequest ignored -> requireSameLog(message, before, after);
                case ProposerElected elected -> checkElected(elected, refused, before, after);
                case AppendRequest append -> checkAppend(append, before, after);
            }
        }
        checkChange(after, reader);
    }

    /** Anything else has happened to the timeline. */
    public void happened(AcceptorView after, LogReader reader) {
        AcceptorView before = last;
        if (before != null) {
            require(
                    Invariant.APPENDS_CONTIGUOUS,
                    before.writeLsn().equals(after.writeLsn())
                            && before.termHistory().equals(after.termHistory()),
                    "its log changed without a message: %s to %s",
                    before,
                    after);
        }
        checkChange(after, reader);
    }

    /** The acceptor answers. Called when the answer leaves it, before anything later happens. */
    public void sent(AcceptorMessage message) {
        switch (message) {
            case AcceptorGreeting greeting ->
                promiseTerm(greeting.term(), greeting.membership().generation());
            case VoteResponse vote -> sentVote(vote);
            case AppendResponse response -> sentAppend(response);
        }
    }

    private void promiseTerm(Term term, long generation) {
        promisedTerm = promisedTerm.max(term);
        promisedGeneration = Math.max(promisedGeneration, generation);
    }

    private void sentVote(VoteResponse vote) {
        promiseTerm(vote.term(), vote.membershipGeneration());
        promisedFlush = promisedFlush.max(vote.flushLsn());
        require(
                Invariant.HISTORY_IN_ORDER,
                vote.termHistory().equals(vote.termHistory().upTo(vote.flushLsn())),
                "votes with flush_lsn %s and history %s",
                vote.flushLsn(),
                vote.termHistory());
        if (vote.voteGiven()) {
            require(Invariant.ONE_VOTE_PER_TERM, votedIn.add(vote.term()), "votes again in term %s", vote.term());
            cluster.voted(node, vote.term(), vote.membershipGeneration());
        }
    }

    private void sentAppend(AppendResponse response) {
        promiseTerm(response.term(), response.membershipGeneration());
        if (!response.flushLsn().isValid()) {
            return;
        }
        AcceptorView view = last;
        if (view != null) {
            require(
                    Invariant.FLUSH_ON_RECORD_BOUNDARY,
                    isBoundary(view, response.flushLsn()),
                    "reports flush_lsn %s inside a record, its history is %s",
                    response.flushLsn(),
                    view.termHistory());
        }
        promisedFlush = promisedFlush.max(response.flushLsn());
        promisedCommit = promisedCommit.max(response.commitLsn());
        promisedLogTerm = promisedLogTerm.max(response.term());
        cluster.acknowledged(node, response.term(), response.membershipGeneration(), response.flushLsn());
    }

    private void requireSameLog(ProposerMessage message, AcceptorView before, AcceptorView after) {
        require(
                Invariant.APPENDS_CONTIGUOUS,
                before.writeLsn().equals(after.writeLsn())
                        && before.termHistory().equals(after.termHistory()),
                "its log changed by %s: %s to %s",
                message,
                before,
                after);
    }

    private void checkGeneration(ProposerMessage message, AcceptorView before, AcceptorView after) {
        long theirs = switch (message) {
            case ProposerGreeting ignored -> before.membership().generation();
            case VoteRequest vote -> vote.membershipGeneration();
            case ProposerElected elected -> elected.membershipGeneration();
            case AppendRequest append -> append.membershipGeneration();
        };
        require(
                Invariant.GENERATIONS_MATCH,
                theirs == before.membership().generation() || sameButLsns(before, after),
                "at generation %s it processed %s",
                before.membership().generation(),
                message);
    }

    private static boolean sameButLsns(AcceptorView before, AcceptorView after) {
        return before.term().equals(after.term())
                && before.termHistory().equals(after.termHistory())
                && before.writeLsn().equals(after.writeLsn());
    }

    private void checkElected(ProposerElected elected, boolean refused, AcceptorView before, AcceptorView after) {
        boolean stale = elected.term().isBefore(before.term());
        boolean accepted = !refused && !stale;
        require(
                Invariant.STALE_TERM_WRITES_NOTHING,
                !stale || sameButLsns(before, after),
                "in term %s it followed %s",
                before.term(),
                elected);
        require(
                Invariant.COMMITTED_NEVER_TRUNCATED,
                !accepted || after.writeLsn().isAtLeast(before.commitLsn()),
                "truncated to %s below its commit_lsn %s",
                after.writeLsn(),
                before.commitLsn());
        if (accepted) {
            require(
                    Invariant.LOG_MATCHES_HISTORY,
                    after.writeLsn().equals(elected.startStreamingAt())
                            && after.termHistory().equals(elected.termHistory()),
                    "after %s it ends at %s with history %s",
                    elected,
                    after.writeLsn(),
                    after.termHistory());
            electedSinceStart = true;
            if (elected.startStreamingAt().isBefore(before.flushLsn())) {
                cluster.truncated();
            }
        } else {
            promisedFlush = promisedFlushBefore;
            verifiedTo = verifiedToBefore;
        }
    }

    /** The promises about WAL that a truncation takes back. Called before the acceptor begins one, for it may die within. */
    public void mayTruncateTo(Term term, Lsn lsn) {
        promisedFlushBefore = promisedFlush;
        verifiedToBefore = verifiedTo;
        AcceptorView view = last;
        if (view != null && !term.isBefore(view.term())) {
            truncatedTo(lsn);
        }
    }

    private void truncatedTo(Lsn lsn) {
        promisedFlush = promisedFlush.min(lsn);
        verifiedTo = verifiedTo.min(lsn);
    }

    private void checkAppend(AppendRequest append, AcceptorView before, AcceptorView after) {
        boolean wrote = !before.writeLsn().equals(after.writeLsn());
        require(
                Invariant.STALE_TERM_WRITES_NOTHING,
                !wrote || !append.term().isBefore(before.term()),
                "in term %s it wrote WAL of term %s",
                before.term(),
                append.term());
        require(
                Invariant.NO_WRITE_BEFORE_ELECTED,
                !wrote || electedSinceStart,
                "it wrote WAL before any election since its start");
        require(
                Invariant.APPENDS_CONTIGUOUS,
                !wrote || append.beginLsn().equals(before.writeLsn()),
                "its log ended at %s, it wrote from %s",
                before.writeLsn(),
                append.beginLsn());
        require(
                Invariant.APPENDS_CONTIGUOUS,
                before.termHistory().equals(after.termHistory())
                        && before.term().equals(after.term()),
                "an append changed its term or history: %s to %s",
                before,
                after);
    }

    private void checkChange(AcceptorView after, LogReader reader) {
        AcceptorView before = last;
        if (before == null || before.equals(after)) {
            last = after;
            return;
        }
        require(
                Invariant.TERM_NEVER_DECREASES,
                !after.term().isBefore(before.term()),
                "its term went from %s to %s",
                before.term(),
                after.term());
        require(
                Invariant.GENERATION_NEVER_DECREASES,
                after.membership().generation() >= before.membership().generation(),
                "its generation went from %s to %s",
                before.membership().generation(),
                after.membership().generation());
        require(
                Invariant.COMMIT_AT_MOST_FLUSH,
                after.commitLsn().isAtLeast(before.commitLsn()),
                "its commit_lsn went from %s to %s",
                before.commitLsn(),
                after.commitLsn());
        checkHorizons(before, after);
        checkAlone(after, reader, Invariant.LOG_MATCHES_HISTORY);
        last = after;
    }

    private void checkHorizons(AcceptorView before, AcceptorView after) {
        require(
                Invariant.START_LSNS_FIXED,
                (!before.timelineStartLsn().isValid()
                                || before.timelineStartLsn().equals(after.timelineStartLsn()))
                        && (!before.localStartLsn().isValid()
                                || before.localStartLsn().equals(after.localStartLsn())),
                "its start changed: %s to %s",
                before,
                after);
        require(
                Invariant.HORIZONS_MONOTONE,
                after.peerHorizonLsn().isAtLeast(before.peerHorizonLsn())
                        && after.backupLsn().isAtLeast(before.backupLsn())
                        && after.remoteConsistentLsn().isAtLeast(before.remoteConsistentLsn()),
                "a horizon went back: %s to %s",
                before,
                after);
    }

    /** What must be true of one state, whatever was before. */
    private void checkAlone(AcceptorView view, LogReader reader, Invariant onOtherBytes) {
        require(
                Invariant.HISTORY_IN_ORDER,
                !view.termHistory().lastTerm().isAfter(view.term()),
                "at term %s it has history %s",
                view.term(),
                view.termHistory());
        require(
                Invariant.COMMIT_AT_MOST_FLUSH,
                view.commitLsn().isAtMost(view.flushLsn())
                        && view.persistedCommitLsn().isAtMost(view.flushLsn()),
                "commit_lsn %s (persisted %s), flush_lsn %s",
                view.commitLsn(),
                view.persistedCommitLsn(),
                view.flushLsn());
        require(
                Invariant.FLUSHED_IS_DURABLE,
                view.flushLsn().isAtMost(view.writeLsn()) || isBoundary(view, view.flushLsn()),
                "flush_lsn %s, write_lsn %s",
                view.flushLsn(),
                view.writeLsn());
        if (view.timelineStartLsn().isValid()) {
            require(
                    Invariant.START_LSNS_FIXED,
                    view.timelineStartLsn().isAtMost(view.localStartLsn())
                            && view.localStartLsn().isAtMost(view.flushLsn()),
                    "timeline_start_lsn %s, local_start_lsn %s, flush_lsn %s",
                    view.timelineStartLsn(),
                    view.localStartLsn(),
                    view.flushLsn());
            require(
                    Invariant.HORIZONS_MONOTONE,
                    view.timelineStartLsn().isAtMost(view.commitLsn())
                            && view.timelineStartLsn().isAtMost(view.peerHorizonLsn())
                            && view.timelineStartLsn().isAtMost(view.backupLsn()),
                    "an LSN precedes the start of the timeline: %s",
                    view);
        }
        cluster.sawConfiguration(view.membership());
        cluster.sawHistory(view.termHistory());
        cluster.acceptorKnowsCommit(node, view.termHistory(), view.commitLsn(), view.timelineStartLsn());
        checkBytes(view, reader, onOtherBytes);
    }

    private void checkBytes(AcceptorView view, LogReader reader, Invariant onOtherBytes) {
        Lsn from = verifiedTo.max(view.localStartLsn()).max(view.timelineStartLsn());
        if (!view.flushLsn().isAfter(from)) {
            return;
        }
        require(
                onOtherBytes,
                cluster.written().covers(view.historyToFlush(), from, view.flushLsn()),
                "it holds WAL up to %s with history %s, which nobody wrote",
                view.flushLsn(),
                view.termHistory());
        byte[] expected = cluster.written().read(view.historyToFlush(), from, view.flushLsn());
        int differs = Arrays.mismatch(expected, reader.read(from, view.flushLsn()));
        require(
                onOtherBytes,
                differs < 0,
                "its bytes at %s are not what the proposers of %s wrote",
                from.plus(Math.max(differs, 0)),
                view.termHistory());
        require(
                Invariant.FLUSH_ON_RECORD_BOUNDARY,
                isBoundary(view, view.flushLsn()),
                "flush_lsn %s is inside a record, history %s",
                view.flushLsn(),
                view.termHistory());
        verifiedTo = view.flushLsn();
    }

    private boolean isBoundary(AcceptorView view, Lsn lsn) {
        return lsn.equals(view.timelineStartLsn()) || cluster.written().isRecordBoundary(view.termHistory(), lsn);
    }

    @SuppressWarnings("AnnotateFormatMethod")
    private void require(Invariant invariant, boolean holds, String format, @Nullable Object... arguments) {
        if (!holds) {
            throw new InvariantViolation(
                    invariant, "safekeeper " + node + ": " + String.format(Locale.ROOT, format, arguments));
        }
    }
}
