package io.tidemark.shim.stock;

import io.netty.channel.EventLoop;
import io.tidemark.shim.libpq.Questions;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.frame.TextTable;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A pageserver's promise to keep an LSN readable, renewed when half of its time is over and until it is closed.
 *
 * <p>A pageserver that is away is asked again and again: after a start it keeps what was leased for as long as a lease lasts.
 */
final class LsnLease implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(LsnLease.class);
    private static final Duration RETRY = Duration.ofSeconds(5);
    private static final Duration SHORTEST_PAUSE = Duration.ofSeconds(1);

    private final EventLoop loop;
    private final PgClientConfig pageserver;
    private final TenantTimelineId timeline;
    private final Lsn lsn;
    private final Thread renewing;
    private volatile Instant validUntil;

    private LsnLease(EventLoop loop, PgClientConfig pageserver, TenantTimelineId timeline, Lsn lsn)
            throws IOException, InterruptedException {
        this.loop = loop;
        this.pageserver = pageserver;
        this.timeline = timeline;
        this.lsn = lsn;
        this.validUntil = ask();
        this.renewing = Thread.ofVirtual().name("lease").unstarted(this::renew);
    }

    /**
     * Takes a lease.
     *
     * @throws RefusedException when the LSN is not readable any more
     * @throws IOException when the pageserver cannot be asked
     */
    static LsnLease take(EventLoop loop, PgClientConfig pageserver, TenantTimelineId timeline, Lsn lsn)
            throws IOException, InterruptedException {
        LsnLease lease = new LsnLease(loop, pageserver, timeline, lsn);
        lease.renewing.start();
        return lease;
    }

    /** What was there at the LSN is not kept any more. */
    static final class RefusedException extends IOException {
        private static final long serialVersionUID = 1;

        RefusedException(String message) {
            super(message);
        }
    }

    private Instant ask() throws IOException, InterruptedException {
        try (Questions questions = Questions.open(loop, pageserver)) {
            TextTable answer =
                    questions.ask("lease lsn " + timeline.tenantId() + " " + timeline.timelineId() + " " + lsn);
            String millis = answer.rows().isEmpty() ? null : answer.value(0, "valid_until");
            if (millis == null) {
                throw new RefusedException("timeline " + timeline + " is not readable at " + lsn
                        + " any more: it is below the gc cutoff, or before the timeline's start; choose a later LSN");
            }
            return Instant.ofEpochMilli(Long.parseLong(millis));
        } catch (NumberFormatException e) {
            throw new IOException("pageserver " + pageserver + " leased " + lsn + " until no time at all", e);
        }
    }

    private void renew() {
        try {
            Duration pause = half();
            while (true) {
                TimeUnit.NANOSECONDS.sleep(pause.toNanos());
                try {
                    validUntil = ask();
                    pause = half();
                } catch (RefusedException gone) {
                    log.error("the lease is lost, and this data directory cannot be built again", gone);
                    return;
                } catch (IOException away) {
                    log.warn("the lease on {} is not renewed yet: {}", lsn, away.toString());
                    pause = RETRY;
                }
            }
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    private Duration half() {
        Duration half = Duration.between(Instant.now(), validUntil).dividedBy(2);
        return half.compareTo(SHORTEST_PAUSE) < 0 ? SHORTEST_PAUSE : half;
    }

    /** Until when it holds if it is not renewed. */
    Instant validUntil() {
        return validUntil;
    }

    /** Renews it no more; it ends by itself. */
    @Override
    public void close() {
        renewing.interrupt();
    }
}
