package io.tidemark.shim.compute;

import io.netty.channel.EventLoop;
import io.tidemark.shim.libpq.Questions;
import io.tidemark.shim.link.WalComparison;
import io.tidemark.shim.link.WalFeed;
import io.tidemark.shim.proposer.ProposerEffect;
import io.tidemark.shim.proposer.SafekeeperRef;
import io.tidemark.shim.source.PostgresIdentity;
import io.tidemark.shim.source.PostgresInquiry;
import io.tidemark.shim.source.PostgresRefusedException;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.frame.TextTable;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.Term;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether a PostgreSQL and the WAL on the safekeepers belong together. Blocks; never on the event loop.
 *
 * <p>Asked twice: before a campaign, since a campaign disturbs a compute that is running and a wrong PostgreSQL should not get that
 * far; and after it, when the quorum's log is known for sure.
 */
final class QuorumCheck {
    private static final Logger log = LoggerFactory.getLogger(QuorumCheck.class);
    private static final long ASK_SECONDS = 3;
    private static final long NAME_SECONDS = 2;
    private static final long ASK_AGAIN_MILLIS = 200;
    private static final long COMPARE_SECONDS = 30;

    private final EventLoop loop;
    private final ShimConfig config;
    private final Endpoints endpoints;

    QuorumCheck(EventLoop loop, ShimConfig config, Endpoints endpoints) {
        this.loop = loop;
        this.config = config;
        this.endpoints = endpoints;
    }

    private record Answer(PgClientConfig safekeeper, SystemId systemId, Lsn commitLsn) {}

    /**
     * Refuses a PostgreSQL that some safekeeper knows to be the wrong one. Says nothing about safekeepers that do not answer or do not
     * know the timeline: the election will.
     *
     * <p>PostgreSQL is asked after the safekeepers. The other way round one that commits all the while, through the shim that this one
     * is to replace, would look as if it were behind.
     */
    void requireFits(PostgresInquiry inquiry) throws IOException, PostgresRefusedException, InterruptedException {
        List<Answer> answers = askAll(this::identify);
        PostgresIdentity identity = inquiry.identify();
        for (Answer answer : answers) {
            requireSameSystem(config, answer.systemId(), identity);
            if (identity.flushLsn().isBefore(answer.commitLsn())) {
                throw behind(identity, answer.commitLsn(), "is committed (safekeeper " + answer.safekeeper() + ")");
            }
        }
        Optional<Answer> best = answers.stream().max(Comparator.comparing(Answer::commitLsn));
        if (best.isPresent() && best.get().commitLsn().isValid()) {
            requireCommittedWal(identity, best.get());
        }
    }

    /** Compares the last segment of committed WAL; what can't be compared now is compared after the election. */
    private void requireCommittedWal(PostgresIdentity identity, Answer answer)
            throws PostgresRefusedException, InterruptedException {
        Lsn endLsn = answer.commitLsn();
        Lsn fromLsn = startOfLastSegment(identity, endLsn).max(config.builtAtLsn());
        if (!fromLsn.isBefore(endLsn)) {
            return;
        }
        try {
            Optional<Lsn> difference = await(WalComparison.compare(
                    loop,
                    listener -> WalFeed.fromPostgres(loop, endpoints.reader(), fromLsn, listener),
                    listener -> WalFeed.fromCommitted(loop, answer.safekeeper(), fromLsn, listener),
                    endLsn,
                    WalComparison.Strictness.IGNORING_GENERATED));
            if (difference.isPresent()) {
                throw diverged(difference.get(), answer.safekeeper());
            }
        } catch (WalComparison.FeedFailedException | IOException e) {
            log.info("committed WAL {} to {} not compared before the election: {}", fromLsn, endLsn, e.getMessage());
        }
    }

    private static Lsn startOfLastSegment(PostgresIdentity identity, Lsn endLsn) {
        int segmentBytes = identity.segmentSizeBytes();
        return Lsn.ofSegment(endLsn.plus(-1).segmentNumber(segmentBytes), segmentBytes);
    }

    private PostgresRefusedException behind(PostgresIdentity identity, Lsn needed, String what) {
        return new PostgresRefusedException(
                "PostgreSQL at " + config.postgres() + " has WAL up to " + identity.flushLsn()
                        + ", but " + needed + " of timeline " + config.timeline() + " " + what
                        + ": it is an older copy. Start the newer one, or build this one anew from the timeline.");
    }

    static void requireSameSystem(ShimConfig config, SystemId expected, PostgresIdentity identity)
            throws PostgresRefusedException {
        if (expected.isKnown() && !expected.equals(identity.systemId())) {
            throw new PostgresRefusedException("PostgreSQL at " + config.postgres() + " has system identifier "
                    + identity.systemId() + ", but timeline " + config.timeline() + " is of " + expected
                    + ": it is another cluster. Use its own timeline id.");
        }
    }

    private @Nullable Answer identify(PgClientConfig safekeeper) throws IOException, InterruptedException {
        try (Questions questions = Questions.open(loop, safekeeper)) {
            List<List<@Nullable String>> rows = questions.ask("IDENTIFY_SYSTEM").rows();
            if (rows.size() != 1 || rows.getFirst().size() < 3) {
                return null;
            }
            String systemId = rows.getFirst().get(0);
            String commitLsn = rows.getFirst().get(2);
            return systemId == null || commitLsn == null
                    ? null
                    : new Answer(safekeeper, SystemId.parse(systemId), Lsn.parse(commitLsn));
        } catch (IllegalArgumentException e) {
            log.warn("safekeeper {} answered IDENTIFY_SYSTEM with nonsense: {}", safekeeper, e.getMessage());
            return null;
        }
    }

    private interface Question<T> {
        @Nullable
        T ask(PgClientConfig safekeeper) throws IOException, InterruptedException;
    }

    /** Asks all at once and takes what arrives in time. */
    private <T> List<T> askAll(Question<T> question) {
        List<CompletableFuture<@Nullable T>> futures = new ArrayList<>();
        for (PgClientConfig safekeeper : endpoints.safekeepers()) {
            CompletableFuture<@Nullable T> future = new CompletableFuture<>();
            Thread.ofVirtual().name("shim-ask").start(() -> {
                try {
                    future.complete(question.ask(safekeeper));
                } catch (IOException | RuntimeException e) {
                    log.debug("safekeeper {} did not answer: {}", safekeeper, e.getMessage());
                    future.complete(null);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    future.complete(null);
                }
            });
            futures.add(future.completeOnTimeout(null, ASK_SECONDS, TimeUnit.SECONDS));
        }
        List<T> answers = new ArrayList<>();
        for (CompletableFuture<@Nullable T> future : futures) {
            T answer = future.join();
            if (answer != null) {
                answers.add(answer);
            }
        }
        return answers;
    }

    /**
     * Refuses a PostgreSQL whose WAL before the elected start differs from the quorum's, as far back as the last segment goes.
     *
     * @param identity asked anew, after the election
     * @throws IOException when no donor could give its WAL now
     */
    void requireSameHistory(PostgresIdentity identity, ProposerEffect.Elected election)
            throws IOException, PostgresRefusedException, InterruptedException {
        Lsn startLsn = election.startLsn();
        if (identity.flushLsn().isBefore(startLsn)) {
            throw behind(identity, startLsn, "is on the quorum");
        }
        if (startLsn.isBefore(config.builtAtLsn())) {
            throw new PostgresRefusedException("the data directory of PostgreSQL at " + config.postgres()
                    + " was built at " + config.builtAtLsn() + ", but the quorum's WAL of timeline "
                    + config.timeline() + " ends at " + startLsn + ": these are not the safekeepers it was built from");
        }
        Lsn timelineStart = election.termHistory().entries().getFirst().lsn();
        Lsn fromLsn = startOfLastSegment(identity, startLsn).max(timelineStart).max(config.builtAtLsn());
        if (!fromLsn.isBefore(startLsn)) {
            return;
        }
        String lastProblem = "no donor is known";
        for (SafekeeperRef donor : election.donors()) {
            try {
                Optional<Lsn> difference = compare(donor, fromLsn, startLsn, election.term());
                if (difference.isPresent()) {
                    throw diverged(difference.get(), endpoint(donor));
                }
                log.info("WAL {} to {} of PostgreSQL equals that of safekeeper {}", fromLsn, startLsn, endpoint(donor));
                return;
            } catch (WalComparison.FeedFailedException e) {
                lastProblem = String.valueOf(e.getMessage());
                if (e.isFirst() && startLsn.segmentOffset(identity.segmentSizeBytes()) == 0) {
                    // The segment before may be recycled already when nothing of it is needed any more.
                    log.warn("PostgreSQL can't show its WAL before {}, not compared: {}", startLsn, lastProblem);
                    return;
                }
            }
        }
        throw new IOException("could not compare WAL before " + startLsn + ": " + lastProblem);
    }

    private Optional<Lsn> compare(SafekeeperRef donor, Lsn fromLsn, Lsn endLsn, Term term)
            throws WalComparison.FeedFailedException, IOException, InterruptedException {
        return await(WalComparison.compare(
                loop,
                listener -> WalFeed.fromPostgres(loop, endpoints.reader(), fromLsn, listener),
                listener -> WalFeed.fromDonor(loop, endpoint(donor), fromLsn, term, listener),
                endLsn,
                WalComparison.Strictness.EXACT));
    }

    private static Optional<Lsn> await(CompletableFuture<Optional<Lsn>> comparison)
            throws WalComparison.FeedFailedException, IOException, InterruptedException {
        try {
            return comparison.get(COMPARE_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            comparison.cancel(false);
            throw new IOException("comparing WAL took more than " + COMPARE_SECONDS + " s", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof WalComparison.FeedFailedException failed) {
                throw failed;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    private PgClientConfig endpoint(SafekeeperRef safekeeper) {
        return endpoints.safekeepers().get(safekeeper.index());
    }

    private PostgresRefusedException diverged(Lsn at, PgClientConfig safekeeper) {
        return new PostgresRefusedException("PostgreSQL at " + config.postgres()
                + " has diverged from timeline " + config.timeline()
                + ": its WAL first differs from that of safekeeper "
                + safekeeper + " at " + at
                + ". Start the PostgreSQL that wrote the timeline, or use another timeline id.");
    }

    /**
     * Who was elected in a term, as the safekeepers know it: application name and address. Asks again for a while, since the winner may
     * still be campaigning; empty when none can tell in time.
     */
    String winnerOf(Term term) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(NAME_SECONDS);
        while (true) {
            Optional<String> winner =
                    askAll(safekeeper -> proposerOf(safekeeper, term)).stream().findFirst();
            if (winner.isPresent() || System.nanoTime() > deadline) {
                return winner.orElse("");
            }
            TimeUnit.MILLISECONDS.sleep(ASK_AGAIN_MILLIS);
        }
    }

    private @Nullable String proposerOf(PgClientConfig safekeeper, Term term) throws IOException, InterruptedException {
        try (Questions questions = Questions.open(loop, safekeeper)) {
            TextTable table = questions.ask("SHOW connections");
            for (int row = 0; row < table.rows().size(); row++) {
                if ("proposer".equals(table.value(row, "kind"))
                        && config.timeline().tenantId().toString().equals(table.value(row, "tenant_id"))
                        && config.timeline().timelineId().toString().equals(table.value(row, "timeline_id"))
                        && term.toString().equals(table.value(row, "term"))) {
                    return table.value(row, "application_name") + " from " + table.value(row, "peer");
                }
            }
            return null;
        }
    }
}
