package io.tidemark.simulation;

import static io.tidemark.simulation.invariant.Invariant.*;

import io.tidemark.safekeeper.acceptor.AcceptorEffect;
import io.tidemark.simulation.invariant.Invariant;
import io.tidemark.simulation.mutant.Sabotage;
import io.tidemark.simulation.mutant.Sabotages;
import io.tidemark.simulation.mutant.Sabotages.On;
import io.tidemark.simulation.mutant.WrongAcceptor;
import io.tidemark.simulation.mutant.WrongProposer;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Deliberate bugs, each with the invariants that may be the first to break. A simulator that does not see one is blind. */
// The suppliers have no state, the sets are copies.
@SuppressWarnings("ImmutableEnumChecker")
public enum Mutant {
    NONE("the honest classes", () -> Sabotage.NONE),
    VOTE_NOT_DURABLE(
            "a vote is sent without being saved",
            () -> Sabotages.without(On.VOTE_REQUEST, AcceptorEffect.PersistState.class),
            TERM_NEVER_DECREASES,
            ONE_VOTE_PER_TERM),
    VOTE_SENT_BEFORE_DURABLE(
            "a vote is sent, then saved",
            () -> Sabotages.first(On.VOTE_REQUEST, AcceptorEffect.Send.class),
            TERM_NEVER_DECREASES,
            ONE_VOTE_PER_TERM),
    VOTE_TWICE(
            "a vote is given to all who ask in one term",
            () -> Sabotages.of(new WrongAcceptor.VotesTwice()),
            ONE_VOTE_PER_TERM),
    VOTE_WITHOUT_FLUSH(
            "the flush_lsn of a vote is not durable",
            () -> Sabotages.without(On.VOTE_REQUEST, AcceptorEffect.FlushWal.class),
            FLUSHED_IS_DURABLE),
    ACK_BEFORE_FLUSH(
            "WAL is acknowledged, then flushed",
            () -> Sabotages.first(On.BATCH_END, AcceptorEffect.Send.class),
            FLUSHED_IS_DURABLE),
    ACK_WITHOUT_FLUSH(
            "WAL is acknowledged without a flush",
            () -> Sabotages.without(On.BATCH_END, AcceptorEffect.FlushWal.class),
            FLUSHED_IS_DURABLE),
    COMMIT_OF_OLD_TERM(
            "WAL of older terms commits by being on a quorum",
            () -> Sabotages.of(new WrongProposer.CountsOldTerms()),
            COMMIT_IN_OWN_TERM),
    NO_TRUNCATION(
            "an elected message does not cut the log",
            () -> Sabotages.forgetsToCutAndDelete(Mutant::isWal),
            TRUNCATED_BEFORE_HISTORY,
            // What was not cut is read as WAL again, behind a record that ends where it begins.
            LOG_MATCHES_HISTORY,
            PROGRESS_WHEN_HEALTHY),
    HISTORY_BEFORE_TRUNCATION(
            "the history is adopted, then the log is cut",
            () -> Sabotages.first(On.ELECTED, AcceptorEffect.PersistState.class),
            TRUNCATED_BEFORE_HISTORY,
            FLUSHED_IS_DURABLE),
    TAIL_NOT_WIPED(
            "what is behind the end of WAL in its segment stays there",
            () -> Sabotages.forgetsToCut(Mutant::isWal),
            TRUNCATED_BEFORE_HISTORY),
    STALE_TERM_ACCEPTED(
            "messages of a replaced proposer are followed",
            () -> Sabotages.of(new WrongAcceptor.FollowsStaleTerms()),
            STALE_TERM_WRITES_NOTHING),
    FULL_HISTORY_IN_VOTE(
            "a vote shows history whose WAL is not here",
            () -> Sabotages.of(new WrongAcceptor.ShowsFullHistory()),
            HISTORY_IN_ORDER,
            LOG_SAFETY),
    QUORUM_OF_ONE_SET(
            "a joint configuration needs a majority of the old set only",
            () -> Sabotages.of(new WrongProposer.CountsFirstSet()),
            ELECTION_SAFETY,
            COMMIT_ON_QUORUM),
    QUORUM_OF_UNION(
            "a joint configuration needs a majority of the union",
            () -> Sabotages.of(new WrongProposer.CountsUnion()),
            ELECTION_SAFETY,
            COMMIT_ON_QUORUM),
    FLUSH_INSIDE_RECORD(
            "flush_lsn is what was written, not the end of a record",
            () -> Sabotages.of(new WrongAcceptor.ReportsWriteLsn()),
            FLUSH_ON_RECORD_BOUNDARY,
            FLUSHED_IS_DURABLE),
    COMMIT_REPORTED_FROM_MEMORY(
            "the commit_lsn of an answer is not persisted",
            () -> Sabotages.of(new WrongAcceptor.ReportsCommitInMemory()),
            FLUSHED_IS_DURABLE),
    COMMIT_BEYOND_FLUSH(
            "commit_lsn is taken as announced, whatever is flushed here",
            () -> Sabotages.of(new WrongAcceptor.CommitsBeyondFlush()),
            COMMIT_AT_MOST_FLUSH,
            CONTROL_FILE_ATOMIC),
    CONTROL_FILE_NOT_SYNCED(
            "the control file is renamed into place without an fsync",
            () -> Sabotages.forgetsToSync(file -> !isWal(file)),
            CONTROL_FILE_ATOMIC,
            TERM_NEVER_DECREASES),
    DIRECTORY_NOT_SYNCED(
            "renames are not followed by an fsync of the directory",
            Sabotages::forgetsToSyncDirectories,
            CONTROL_FILE_ATOMIC,
            TERM_NEVER_DECREASES,
            GENERATION_NEVER_DECREASES,
            FLUSHED_IS_DURABLE),
    WAL_NOT_SYNCED(
            "fsync of WAL segments does nothing",
            () -> Sabotages.forgetsToSync(Mutant::isWal),
            FLUSHED_IS_DURABLE,
            LOG_MATCHES_HISTORY),
    DONOR_BY_LENGTH(
            "the longest log wins, whatever term wrote its end",
            () -> Sabotages.of(new WrongProposer.LongestLogWins()),
            LOG_SAFETY,
            TERM_STARTS_ONCE,
            HISTORY_IN_ORDER),
    GENERATION_IGNORED(
            "messages of another membership generation are followed",
            () -> Sabotages.of(new WrongAcceptor.IgnoresGeneration()),
            GENERATIONS_MATCH,
            ELECTION_SAFETY,
            COMMIT_ON_QUORUM),
    START_POINT_AT_FLUSH(
            "a log is continued where it ends, not where it leaves the proposer's",
            () -> Sabotages.of(new WrongAcceptor.BelievesStartPoint(), new WrongProposer.StartsAtFlush()),
            LOG_MATCHES_HISTORY,
            FLUSH_ON_RECORD_BOUNDARY),
    TRUNCATE_BEYOND_COMMIT(
            "truncate_lsn ignores commit_lsn",
            () -> Sabotages.of(new WrongProposer.TruncatesAtFlush()),
            TRUNCATE_AT_MOST_COMMIT);

    private final String bug;
    private final Supplier<Sabotage> sabotage;
    private final Set<Invariant> breaks;

    Mutant(String bug, Supplier<Sabotage> sabotage, Invariant... breaks) {
        this.bug = bug;
        this.sabotage = sabotage;
        this.breaks = Set.copyOf(List.of(breaks));
    }

    /** Of the files of a timeline all but the control file are WAL. */
    private static boolean isWal(Path file) {
        return !file.toString().contains("control");
    }

    /** What is wrong, in a sentence. */
    public String bug() {
        return bug;
    }

    /** The name on the command line. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The invariants of which one should be the first to break. */
    public Set<Invariant> breaks() {
        return breaks;
    }

    Sabotage sabotage() {
        return sabotage.get();
    }

    /** The mutant of this name, as {@link #label} has it. */
    public static Optional<Mutant> find(String label) {
        return Stream.of(values()).filter(m -> m.label().equals(label)).findFirst();
    }
}
