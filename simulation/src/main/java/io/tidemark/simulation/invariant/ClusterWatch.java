package io.tidemark.simulation.invariant;

import io.tidemark.simulation.invariant.WrittenWal.Piece;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.TermHistory;
import io.tidemark.wire.walpush.TermLsn;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/** Follows the cluster as a whole: who was elected by whom, what was acknowledged to whom, what is committed. */
public final class ClusterWatch {
    private final WrittenWal written = new WrittenWal();
    private final Map<Long, MembershipConfig> configurations = new HashMap<>();
    private final Map<Term, Lsn> termStarts = new HashMap<>();
    private final Map<Ballot, TreeSet<NodeId>> votes = new HashMap<>();
    private final Map<Ballot, TreeMap<NodeId, Lsn>> acknowledged = new HashMap<>();
    private final TreeMap<Term, Election> elections = new TreeMap<>();
    private final TreeMap<Term, Lsn> commits = new TreeMap<>();
    private TermHistory committedHistory = TermHistory.EMPTY;
    private Lsn committedLsn;
    private int truncations;

    /** A term within one membership generation: votes and acknowledgements of another generation don't count. */
    private record Ballot(Term term, long generation) {}

    /** One won election. */
    private record Election(String proposer, TermHistory history, Lsn start, Electorate electorate) {}

    /**
     * Whose majority counts for a proposer.
     *
     * @param generation 0 when the proposer's own list is the set
     * @param safekeepers that list
     */
    public record Electorate(long generation, List<NodeId> safekeepers) {}

    /** @param timelineStart where WAL begins; up to there everything is committed from the beginning */
    public ClusterWatch(Lsn timelineStart) {
        committedLsn = timelineStart;
    }

    public WrittenWal written() {
        return written;
    }

    public Lsn committedLsn() {
        return committedLsn;
    }

    /** How much WAL has been committed, in bytes. */
    public long committedBytes() {
        return committedHistory.isEmpty()
                ? 0
                : committedLsn.minus(committedHistory.entries().getFirst().lsn());
    }

    /** The term history of the committed WAL, cut at {@link #committedLsn}. */
    public TermHistory committedHistory() {
        return committedHistory;
    }

    /** How many terms have had a proposer. */
    public int elections() {
        return elections.size();
    }

    /** The controller has decided this configuration: nobody may see another one of its generation. */
    public void decided(MembershipConfig configuration) {
        MembershipConfig before = configurations.putIfAbsent(configuration.generation(), configuration);
        Invariant.GENERATION_NEVER_DECREASES.require(
                before == null || before.equals(configuration),
                "generation %d is two configurations: %s and %s",
                configuration.generation(),
                before,
                configuration);
    }

    /** Checks a configuration that an acceptor or proposer has. */
    void sawConfiguration(MembershipConfig configuration) {
        MembershipConfig known = configurations.get(configuration.generation());
        Invariant.GENERATION_NEVER_DECREASES.require(
                configuration.generation() == 0 || configuration.equals(known),
                "generation %d is %s, the controller decided %s",
                configuration.generation(),
                configuration,
                known);
    }

    void sawHistory(TermHistory history) {
        for (TermLsn entry : history.entries()) {
            Lsn before = termStarts.putIfAbsent(entry.term(), entry.lsn());
            Invariant.TERM_STARTS_ONCE.require(
                    before == null || before.equals(entry.lsn()),
                    "term %s starts at %s and at %s",
                    entry.term(),
                    before,
                    entry.lsn());
        }
    }

    void voted(NodeId node, Term term, long generation) {
        votes.computeIfAbsent(new Ballot(term, generation), t -> new TreeSet<>())
                .add(node);
    }

    void truncated() {
        truncations++;
    }

    /** How often an elected proposer has cut flushed WAL of a log that had left its own. */
    public int truncations() {
        return truncations;
    }

    void acknowledged(NodeId node, Term term, long generation, Lsn flushLsn) {
        acknowledged
                .computeIfAbsent(new Ballot(term, generation), t -> new TreeMap<>())
                .merge(node, flushLsn, Lsn::max);
    }

    /** A proposer says that it has won {@code term} and that WAL goes on at {@code start}. */
    public WrittenWal.Chapter elected(
            String proposer, Term term, Lsn start, TermHistory history, Electorate electorate) {
        Election other = elections.get(term);
        Invariant.ELECTION_SAFETY.require(
                other == null,
                "%s and %s were both elected in term %s",
                other == null ? "" : other.proposer,
                proposer,
                term);
        TreeSet<NodeId> voters = votes.getOrDefault(new Ballot(term, electorate.generation), new TreeSet<>());
        Invariant.ELECTION_SAFETY.require(
                hasQuorum(electorate, voters::contains),
                "%s was elected in term %s by %s, no quorum of %s",
                proposer,
                term,
                voters,
                describe(electorate));
        sawHistory(history);
        Invariant.HISTORY_IN_ORDER.require(
                history.entries().getLast().equals(new TermLsn(term, start)),
                "%s was elected in term %s at %s with history %s",
                proposer,
                term,
                start,
                history);
        Election election = new Election(proposer, history, start, electorate);
        NavigableMap<Term, Lsn> earlier = commits.headMap(term, false);
        for (Map.Entry<Term, Lsn> commit : earlier.entrySet()) {
            requireContains(term, election, commit.getKey(), commit.getValue());
        }
        elections.put(term, election);
        return written.begin(term, start);
    }

    /** A proposer says that everything below {@code lsn} is committed. */
    public void committed(String proposer, Term term, Lsn lsn) {
        Election election = elections.get(term);
        Invariant.COMMIT_IN_OWN_TERM.require(
                election != null && election.proposer.equals(proposer),
                "%s commits in term %s without having been elected",
                proposer,
                term);
        if (election == null) {
            return;
        }
        Invariant.COMMIT_IN_OWN_TERM.require(
                lsn.isAtLeast(election.start), "%s commits %s, its term starts at %s", proposer, lsn, election.start);
        Lsn before = commits.getOrDefault(term, Lsn.INVALID);
        Invariant.ONE_COMMITTED_SEQUENCE.require(
                lsn.isAtLeast(before), "%s commits %s after %s", proposer, lsn, before);
        TreeMap<NodeId, Lsn> acks =
                acknowledged.getOrDefault(new Ballot(term, election.electorate.generation), new TreeMap<>());
        Invariant.COMMIT_ON_QUORUM.require(
                hasQuorum(
                        election.electorate,
                        node -> acks.getOrDefault(node, Lsn.INVALID).isAtLeast(lsn)),
                "%s commits %s in term %s, acknowledged %s of %s",
                proposer,
                lsn,
                term,
                acks,
                describe(election.electorate));
        requireWritten(proposer, election, lsn);
        Invariant.FLUSH_ON_RECORD_BOUNDARY.require(
                written.isRecordBoundary(election.history, lsn), "%s commits %s, inside a record", proposer, lsn);
        commits.put(term, lsn);
        for (Map.Entry<Term, Election> later : elections.tailMap(term, false).entrySet()) {
            requireContains(later.getKey(), later.getValue(), term, lsn);
        }
        extendCommitted(election.history, lsn, proposer);
    }

    private void requireWritten(String proposer, Election election, Lsn lsn) {
        Lsn start = election.history.entries().getFirst().lsn();
        Invariant.ONE_COMMITTED_SEQUENCE.require(
                written.covers(election.history, start, lsn), "%s commits %s that nobody has written", proposer, lsn);
    }

    /** LogSafety: the proposer of a later term has everything that was committed in an earlier one. */
    private void requireContains(Term term, Election election, Term commitTerm, Lsn commitLsn) {
        Election committer = elections.get(commitTerm);
        if (committer == null) {
            return;
        }
        Invariant.LOG_SAFETY.require(
                election.start.isAtLeast(commitLsn),
                "%s was elected in term %s at %s, but %s was committed in term %s",
                election.proposer,
                term,
                election.start,
                commitLsn,
                commitTerm);
        Lsn differs = WrittenWal.divergence(
                WrittenWal.pieces(committer.history, commitLsn),
                WrittenWal.pieces(election.history, election.start),
                commitLsn);
        Invariant.LOG_SAFETY.require(
                differs == null,
                "%s was elected in term %s with history %s that differs at %s from what was committed in term %s up to %s",
                election.proposer,
                term,
                election.history,
                differs,
                commitTerm,
                commitLsn);
    }

    private void extendCommitted(TermHistory history, Lsn lsn, String proposer) {
        Lsn common = committedLsn.min(lsn);
        List<Piece> known = WrittenWal.pieces(committedHistory, common);
        Lsn differs = WrittenWal.divergence(known, WrittenWal.pieces(history, common), common);
        Invariant.ONE_COMMITTED_SEQUENCE.require(
                differs == null, "%s commits another sequence of WAL from %s on", proposer, differs);
        if (lsn.isAfter(committedLsn)) {
            committedLsn = lsn;
            committedHistory = history.upTo(lsn);
        }
    }

    /** A proposer says that every safekeeper has everything below {@code lsn}. */
    public void truncateAdvanced(String proposer, Term term, Lsn lsn, Lsn ownCommitLsn) {
        Election election = elections.get(term);
        Lsn limit = election == null ? ownCommitLsn : ownCommitLsn.max(election.start);
        Invariant.TRUNCATE_AT_MOST_COMMIT.require(
                lsn.isAtMost(limit), "%s truncates at %s, commits at %s", proposer, lsn, limit);
    }

    /** A proposer in sync mode says that the log is level and ends at {@code lsn}. */
    public void syncFinished(String proposer, Lsn lsn) {
        Invariant.LOG_SAFETY.require(
                lsn.isAtMost(committedLsn), "%s synced to %s, only %s is committed", proposer, lsn, committedLsn);
    }

    /** An acceptor believes that everything below {@code lsn} of a log with this history is committed. */
    void acceptorKnowsCommit(NodeId node, TermHistory history, Lsn lsn, Lsn timelineStart) {
        if (lsn.isAtMost(timelineStart)) {
            return;
        }
        Invariant.ONE_COMMITTED_SEQUENCE.require(
                lsn.isAtMost(committedLsn),
                "safekeeper %s has commit_lsn %s, committed is %s",
                node,
                lsn,
                committedLsn);
        Lsn differs =
                WrittenWal.divergence(WrittenWal.pieces(committedHistory, lsn), WrittenWal.pieces(history, lsn), lsn);
        Invariant.ONE_COMMITTED_SEQUENCE.require(
                differs == null,
                "safekeeper %s has other WAL than was committed at %s (commit_lsn %s)",
                node,
                differs,
                lsn);
    }

    /** A reader got these bytes, which begin at {@code from}, as committed WAL. */
    public void readerSaw(String reader, Lsn from, byte[] bytes) {
        Lsn end = from.plus(bytes.length);
        Invariant.ONE_COMMITTED_SEQUENCE.require(
                end.isAtMost(committedLsn), "%s read up to %s, committed is %s", reader, end, committedLsn);
        byte[] expected = written.read(committedHistory, from, end);
        int differs = java.util.Arrays.mismatch(expected, bytes);
        Invariant.ONE_COMMITTED_SEQUENCE.require(
                differs < 0, "%s read other bytes than were committed at %s", reader, from.plus(Math.max(differs, 0)));
    }

    private boolean hasQuorum(Electorate electorate, Predicate<NodeId> predicate) {
        MembershipConfig configuration = configurations.get(electorate.generation);
        if (configuration != null) {
            return configuration.hasQuorum(predicate);
        }
        List<NodeId> set = electorate.safekeepers;
        return set.stream().filter(predicate).count() >= set.size() / 2 + 1;
    }

    private String describe(Electorate electorate) {
        MembershipConfig configuration = configurations.get(electorate.generation);
        if (configuration == null) {
            return electorate.safekeepers.toString();
        }
        return "generation " + configuration.generation() + " " + nodes(configuration.members())
                + (configuration.isJoint() ? " and " + nodes(configuration.newMembers()) : "");
    }

    private static List<NodeId> nodes(List<MembershipConfig.Member> members) {
        List<NodeId> nodes = new ArrayList<>();
        members.forEach(m -> nodes.add(m.nodeId()));
        return nodes;
    }
}
