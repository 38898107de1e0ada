package io.tidemark.cli.storage;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.cluster.SafekeeperProbe;
import io.tidemark.cli.cluster.SafekeeperProbe.TimelineStatus;
import io.tidemark.shim.compute.SyncSafekeepers;
import io.tidemark.shim.link.SafekeeperAddress;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.walpush.WalPushVersion;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is committed of a branch by now.
 *
 * <p>A safekeeper hears of a commit a moment after the client does. What a quorum has flushed is that commit, or about to be one, so it is
 * given that moment. A compute that was killed within it never tells: when nobody writes any more, the safekeepers are levelled, as
 * the start of the next compute would do it, and then say what was committed.
 */
final class CommittedWal {
    private static final Logger log = LoggerFactory.getLogger(CommittedWal.class);
    private static final Duration NEWS_PATIENCE = Duration.ofMillis(200);
    private static final Duration NEWS_POLL = Duration.ofMillis(2);
    private static final Duration LEVEL_PATIENCE = Duration.ofSeconds(20);

    private final StorageDirectory directory;
    private final TenantTimelineId id;

    CommittedWal(StorageDirectory directory, Branch branch) {
        this.directory = directory;
        this.id = new TenantTimelineId(directory.config().tenantId(), branch.timelineId());
    }

    /** Says how far the pageserver is. */
    @FunctionalInterface
    interface Ingested {
        Lsn lsn() throws IOException;
    }

    /**
     * The end of what is committed.
     *
     * @param ingested so much is, asked while the safekeepers answer; the answer when there was never any WAL
     * @throws IOException when nobody writes, and a quorum does not agree on what was committed
     */
    Lsn end(Ingested ingested) throws IOException {
        Lsn known;
        List<Future<Optional<TimelineStatus>>> asked;
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            asked = ask(threads);
            known = ingested.lsn();
        }
        List<TimelineStatus> statuses = answers(asked);
        Lsn flushed = flushedByQuorum(statuses);
        Lsn end = known.max(committed(statuses));
        long deadline = System.nanoTime() + NEWS_PATIENCE.toNanos();
        while (end.isBefore(flushed) && System.nanoTime() < deadline) {
            LockSupport.parkNanos(NEWS_POLL.toNanos());
            statuses = statuses();
            end = end.max(committed(statuses));
        }
        boolean untold = end.isBefore(flushed) && statuses.stream().noneMatch(status -> status.writers() > 0);
        return untold ? end.max(level()) : end;
    }

    private Lsn level() throws IOException {
        log.info("{}: what its last writer flushed was not said to be committed; levels the safekeepers", id);
        try {
            return SyncSafekeepers.run(
                    SafekeeperAddress.parseList(directory.config().safekeeperList()),
                    id,
                    WalPushVersion.V3,
                    LEVEL_PATIENCE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while the safekeepers were asked what is committed");
        }
    }

    private List<TimelineStatus> statuses() {
        List<Future<Optional<TimelineStatus>>> asked;
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            asked = ask(threads);
        }
        return answers(asked);
    }

    private List<Future<Optional<TimelineStatus>>> ask(ExecutorService threads) {
        return directory.config().safekeepers().stream()
                .map(place -> threads.submit(() -> status(place)))
                .toList();
    }

    private static List<TimelineStatus> answers(List<Future<Optional<TimelineStatus>>> asked) {
        return asked.stream().map(Future::resultNow).flatMap(Optional::stream).toList();
    }

    private Optional<TimelineStatus> status(SafekeeperPlace place) {
        try {
            return new SafekeeperProbe(place.httpAddress()).timeline(id);
        } catch (IOException down) {
            // A quorum of the others knows as much, or the compute could not have committed.
            log.debug("safekeeper {} is not asked: {}", place.id(), down.getMessage());
            return Optional.empty();
        }
    }

    private static Lsn committed(List<TimelineStatus> statuses) {
        return statuses.stream()
                .map(TimelineStatus::commitLsn)
                .max(Comparator.naturalOrder())
                .orElse(Lsn.INVALID);
    }

    private Lsn flushedByQuorum(List<TimelineStatus> statuses) {
        int quorum = directory.config().safekeepers().size() / 2 + 1;
        return statuses.stream()
                .map(TimelineStatus::flushLsn)
                .sorted(Comparator.reverseOrder())
                .skip(quorum - 1L)
                .findFirst()
                .orElse(Lsn.INVALID);
    }
}
