package io.tidemark.simulation.invariant;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What must always be true, by name and by the number it has in {@code docs/SAFETY.md} (0 for what only the simulator sees). */
public enum Invariant {
    TERM_NEVER_DECREASES(
            1, "an acceptor's term never decreases, and survives a crash once it has been told to anybody"),
    ONE_VOTE_PER_TERM(2, "an acceptor votes at most once in a term"),
    GENERATION_NEVER_DECREASES(3, "membership generation never decreases; one generation is one configuration"),
    GENERATIONS_MATCH(4, "votes, elections and appends are processed only when generations are equal"),
    HISTORY_IN_ORDER(5, "term history rises in term, never falls in LSN, and ends at or below the term"),
    TERM_STARTS_ONCE(6, "a term starts at one LSN, in whichever history it appears"),
    FLUSHED_IS_DURABLE(
            7, "flush_lsn that was reported survives a crash, unless an elected proposer truncated it since"),
    FLUSH_ON_RECORD_BOUNDARY(8, "flush_lsn is the end of a record, or where the timeline starts"),
    COMMIT_AT_MOST_FLUSH(9, "an acceptor's commit_lsn never decreases while it lives and is at most its flush_lsn"),
    COMMITTED_NEVER_TRUNCATED(10, "an acceptor never truncates below the commit_lsn it knows"),
    APPENDS_CONTIGUOUS(11, "what an acceptor holds has no gaps"),
    STALE_TERM_WRITES_NOTHING(12, "WAL of a lower term is never written after a higher one is known"),
    NO_WRITE_BEFORE_ELECTED(13, "nothing is written after a start before an election has truncated"),
    START_LSNS_FIXED(14, "timeline_start_lsn <= local_start_lsn <= flush_lsn, set once"),
    HORIZONS_MONOTONE(15, "peer_horizon, backup and remote_consistent LSNs never decrease nor precede the start"),
    TRUNCATED_BEFORE_HISTORY(17, "a recovered log agrees with its recovered history: no term claims WAL of another"),
    CONTROL_FILE_ATOMIC(18, "a control file is the old one or the new one: a timeline opens after any crash"),
    ELECTION_SAFETY(19, "at most one proposer is elected in a term, by a quorum of votes of that term"),
    LOG_SAFETY(20, "whoever is elected later starts at or above everything committed, with a history that contains it"),
    LOG_MATCHES_HISTORY(21, "the bytes of a log are those that the proposers of its history wrote"),
    COMMIT_IN_OWN_TERM(22, "a proposer commits only at or above where its term starts"),
    ONE_COMMITTED_SEQUENCE(23, "commit only grows, and every reader sees a prefix of one sequence of bytes"),
    COMMIT_ON_QUORUM(24, "what is committed was acknowledged in its term by a majority of each member set"),
    MEMBERSHIP_PRECONDITIONS(25, "a membership change finishes only when the new set has what the old one had"),
    TRUNCATE_AT_MOST_COMMIT(27, "truncate_lsn is at most commit_lsn"),
    ACKNOWLEDGED_NEVER_LOST(0, "a commit a client was told of is in the committed WAL at the end"),
    WAL_IS_VALID(0, "committed WAL decodes from the start of the timeline to commit_lsn"),
    PROGRESS_WHEN_HEALTHY(0, "when everything is healed, a proposer is elected and commits new WAL in time"),
    NOTHING_UNEXPECTED(0, "no actor throws what its contract does not name");

    private final int number;
    private final String statement;

    Invariant(int number, String statement) {
        this.number = number;
        this.statement = statement;
    }

    /** The number in docs/SAFETY.md; 0 when it is the simulator's own. */
    public int number() {
        return number;
    }

    /** What must be true, in a sentence. */
    public String statement() {
        return statement;
    }

    /** Throws a violation of this invariant unless {@code holds}. */
    @SuppressWarnings("AnnotateFormatMethod")
    public void require(boolean holds, String format, @Nullable Object... arguments) {
        if (!holds) {
            throw new InvariantViolation(this, String.format(Locale.ROOT, format, arguments));
        }
    }
}
