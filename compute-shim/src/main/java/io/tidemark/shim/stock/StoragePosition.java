package io.tidemark.shim.stock;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.tidemark.runtime.net.HostPort;
import io.tidemark.shim.compute.SyncSafekeepers;
import io.tidemark.shim.libpq.Questions;
import io.tidemark.shim.libpq.Sockets;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.frame.TextTable;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.walpush.WalPushVersion;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * Where a timeline ends: at the end of the WAL that a quorum has, and, as long as no WAL was ever written, where its base data or its
 * branch point is.
 */
final class StoragePosition implements AutoCloseable {
    private static final long POLL_MILLIS = 20;

    private final EventLoopGroup group =
            new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("position"), Sockets.ioHandlerFactory());
    private final EventLoop loop = group.next();
    private final StockComputeConfig config;
    private final PgClientConfig pageserver;

    StoragePosition(StockComputeConfig config) {
        this.config = config;
        this.pageserver = pageserver(config.pageserver());
    }

    static PgClientConfig pageserver(HostPort address) {
        return PgClientConfig.of(address.host(), address.port(), "tidemark")
                .withParameter("application_name", "compute");
    }

    EventLoop loop() {
        return loop;
    }

    /** How far a pageserver is with a timeline, and where the timeline began there. */
    record Ingested(Lsn startLsn, Lsn lastRecordLsn) {}

    /**
     * Wins a term and answers the end of committed WAL: from now on the compute before can commit nothing.
     *
     * @throws IOException when no quorum or no pageserver answers in time, or when they can't belong together
     */
    Lsn electAndLevel() throws IOException, InterruptedException {
        Ingested ingested = ingested();
        Lsn committed =
                SyncSafekeepers.run(config.safekeepers(), config.timeline(), WalPushVersion.V3, config.patience());
        if (committed.isValid()) {
            return committed;
        }
        if (ingested.lastRecordLsn().isAfter(ingested.startLsn())) {
            throw new IOException("the safekeepers " + config.safekeepers() + " have no WAL of timeline "
                    + config.timeline() + ", but pageserver " + config.pageserver() + " has ingested it up to "
                    + ingested.lastRecordLsn() + ": name the safekeepers that it came from");
        }
        return ingested.lastRecordLsn();
    }

    /** Waits until the pageserver has everything up to {@code lsn}. */
    void awaitIngested(Lsn lsn) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + config.patience().toNanos();
        while (true) {
            Lsn last = ingested().lastRecordLsn();
            if (last.isAtLeast(lsn)) {
                return;
            }
            if (System.nanoTime() > deadline) {
                throw new IOException("pageserver " + config.pageserver() + " has timeline " + config.timeline()
                        + " only up to " + last + " after " + seconds(config.patience()) + ", and " + lsn
                        + " is committed; psql -h " + config.pageserver().host() + " -p "
                        + config.pageserver().port() + " -c 'SHOW timelines' says what it waits for");
            }
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
    }

    private static String seconds(Duration duration) {
        return duration.toSeconds() + " s";
    }

    /** How far the pageserver is now. */
    Ingested ingested() throws IOException, InterruptedException {
        TenantTimelineId id = config.timeline();
        try (Questions questions = Questions.open(loop, pageserver)) {
            TextTable table = questions.ask("SHOW lsns");
            for (int row = 0; row < table.rows().size(); row++) {
                if (id.tenantId().toString().equals(table.value(row, "tenant_id"))
                        && id.timelineId().toString().equals(table.value(row, "timeline_id"))) {
                    return new Ingested(lsn(table, row, "start_lsn"), lsn(table, row, "last_record_lsn"));
                }
            }
        } catch (IllegalArgumentException | NullPointerException e) {
            throw new IOException("pageserver " + config.pageserver() + " answered SHOW lsns with nonsense", e);
        }
        throw new IOException("timeline " + id + " is not on pageserver " + config.pageserver());
    }

    private static Lsn lsn(TextTable table, int row, String column) {
        return Lsn.parse(Objects.requireNonNull(table.value(row, column)));
    }

    @Override
    public void close() {
        group.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly();
    }
}
