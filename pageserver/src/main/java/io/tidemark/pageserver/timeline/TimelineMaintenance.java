package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.layer.LsnGarbageCollectedException;
import io.tidemark.runtime.time.TimeSource;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is done to timelines from time to time, or because somebody asks: flushing, moving the gc cutoff, leasing LSNs.
 *
 * <p>The cutoff is the lowest LSN that {@link RetentionConfig} asks for, and never moves back. Branch points of children and leased LSNs stay
 * readable below it: see {@link TimelineRetention}.
 *
 * <p>Leases are only in memory. A timeline that was there at the start keeps all that it had until one lease length is over: whoever had
 * a lease has renewed it by then.
 */
public final class TimelineMaintenance {
    private static final Logger LOG = LoggerFactory.getLogger(TimelineMaintenance.class);

    private static final Duration ANCESTOR_PATIENCE = Duration.ofSeconds(10);

    private final TimelineRegistry timelines;
    private final RetentionConfig config;
    private final TimeSource time;
    private final Set<TenantTimelineId> hereAtStart;
    private final Instant graceEnd;

    /** Made when all timelines have been opened; the grace period of their leases begins. */
    public TimelineMaintenance(TimelineRegistry timelines, RetentionConfig config, TimeSource time) {
        this.timelines = timelines;
        this.config = config;
        this.time = time;
        this.hereAtStart = timelines.all().stream()
                .map(timeline -> timeline.metadata().id())
                .collect(Collectors.toUnmodifiableSet());
        this.graceEnd = time.now().plus(config.leaseLength());
    }

    public RetentionConfig config() {
        return config;
    }

    /** Makes durable what has been ingested by now. */
    public void flush(Timeline timeline) throws IOException {
        timeline.flush();
    }

    /**
     * Moves the gc cutoff to where it should be; never back, never above disk_consistent_lsn, and not at all while holders of leases may still come
     * back.
     *
     * @param retention how much is to be kept; its lease lengths don't matter
     * @return where it is now
     */
    public Lsn moveCutoff(Timeline timeline, RetentionConfig retention) {
        return moveCutoff(timeline, retention, time.now());
    }

    private Lsn moveCutoff(Timeline timeline, RetentionConfig retention, Instant now) {
        if (hereAtStart.contains(timeline.metadata().id()) && now.isBefore(graceEnd)) {
            return timeline.gcCutoff();
        }
        Lsn byTime = timeCutoff(timeline, retention.pitrInterval(), now);
        return timeline.retention()
                .moveCutoff(
                        () -> {
                            Lsn head = timeline.lastRecordLsn();
                            long horizon = retention.horizonBytes();
                            Lsn bySpace =
                                    Long.compareUnsigned(head.value(), horizon) > 0 ? head.plus(-horizon) : Lsn.INVALID;
                            return bySpace.min(byTime)
                                    .min(timeline.diskConsistentLsn())
                                    .max(timeline.metadata().readableLsn());
                        },
                        now);
    }

    /** Up to where nothing was committed within the interval. */
    private static Lsn timeCutoff(Timeline timeline, Duration interval, Instant now) {
        if (interval.isZero()) {
            return timeline.lastRecordLsn();
        }
        try {
            LsnByTimestamp.Answer answer = LsnByTimestamp.find(timeline, now.minus(interval));
            // Without any commit nobody knows how old what is here is.
            return answer.kind() == LsnByTimestamp.Kind.NODATA ? timeline.gcCutoff() : answer.lsn();
        } catch (ReadException e) {
            LOG.warn("timeline {}: the gc cutoff stays: {}", timeline.metadata().id(), e.text());
            return timeline.gcCutoff();
        }
    }

    /** Moves the cutoffs of all timelines, all of them to the same moment. */
    public void moveCutoffs() {
        Instant now = time.now();
        timelines.all().forEach(timeline -> moveCutoff(timeline, config, now));
    }

    /**
     * Keeps an LSN readable for a while from now on; a lease that it has already is only ever made longer.
     *
     * @param length usually one of {@link RetentionConfig}'s
     * @return until when; empty when it is not readable any more
     */
    public Optional<Instant> lease(Timeline timeline, Lsn lsn, Duration length) {
        Lsn normalized = timeline.normalized(lsn);
        if (normalized.isBefore(timeline.metadata().readableLsn())) {
            return Optional.empty();
        }
        try {
            return Optional.of(timeline.retention().lease(normalized, time.now().plus(length)));
        } catch (LsnGarbageCollectedException e) {
            LOG.info("timeline {}: no lease: {}", timeline.metadata().id(), e.getMessage());
            return Optional.empty();
        }
    }

    /** Which keys exist at an LSN. */
    public List<KeyRange> keyspace(Timeline timeline, Lsn at) throws ReadException {
        Lsn effective = timeline.effectiveLsn(at, Lsn.INVALID, Duration.ZERO);
        try {
            timeline.requireAncestor(ANCESTOR_PATIENCE);
            List<KeyRange> keys = new TimelineCompaction(timeline).at(effective);
            if (keys == null) {
                throw new IOException("the ancestor is going away");
            }
            return keys;
        } catch (IOException e) {
            throw new ReadException(ReadException.Kind.DAMAGED, String.valueOf(e.getMessage()), e);
        }
    }
}
