package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.metrics.PageserverMetrics;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.time.FakeTimeSource;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.rel.SlruKind;
import io.tidemark.wire.wal.LittleEndian;
import io.tidemark.wire.wal.WalFlavour;
import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Optional;

/** Timelines of one tenant on some disk, each with one relation whose pages are filled with one byte. */
final class TimelineFixture implements AutoCloseable {
    static final Lsn START = Lsn.of(0x2000000);
    static final TenantId TENANT = new TenantId(1, 2);
    static final RelTag RELATION = new RelTag(RelTag.DEFAULT_TABLESPACE, 5, 16384, Fork.MAIN);
    static final int BLOCKS = 4;
    static final Key CLOG_PAGE = Keys.slruBlock(SlruKind.CLOG, 0, 0);
    private static final Key CLOG_SIZE = Keys.slruSegmentSize(SlruKind.CLOG, 0);
    private static final int PAGE = 8192;
    private static final Instant POSTGRES_EPOCH = Instant.parse("2000-01-01T00:00:00Z");

    private final Disk disk;
    final FakeTimeSource time = new FakeTimeSource();
    TimelineRegistry registry;
    TimelineBranches branches;

    TimelineFixture(Disk disk) throws IOException {
        this.disk = disk;
        this.registry = open();
        this.branches = new TimelineBranches(registry);
    }

    private TimelineRegistry open() throws IOException {
        return TimelineRegistry.open(
                disk, StorageTuning.DEFAULT, 1 << 20, TimelineRegistry.Companion.NONE, new PageserverMetrics());
    }

    /** Opens what a crash has left. */
    void restartAfterCrash() throws IOException {
        registry = open();
        branches = new TimelineBranches(registry);
    }

    /** Closes and opens: what was not flushed is gone. */
    void restart() throws IOException {
        registry.close();
        registry = open();
        branches = new TimelineBranches(registry);
    }

    TimelineMaintenance maintenance(RetentionConfig retention) {
        return new TimelineMaintenance(registry, retention, time);
    }

    static TenantTimelineId id(long number) {
        return new TenantTimelineId(TENANT, new TimelineId(0, number));
    }

    Timeline timeline(long number) {
        return registry.find(id(number)).orElseThrow();
    }

    /** A timeline without ancestor; its pages are filled with {@code fill} at {@link #START}. */
    Timeline createRoot(long number, int fill) throws IOException {
        return registry.create(id(number), head -> {
            head.put(CLOG_SIZE, START, new Value.Image(new byte[] {1, 0, 0, 0}));
            head.put(CLOG_PAGE, START, Value.ZERO_PAGE);
            head.put(Keys.relationSize(RELATION), START, new Value.Image(new byte[] {BLOCKS, 0, 0, 0}));
            for (int block = 0; block < BLOCKS; block++) {
                head.put(Keys.relationBlock(RELATION, block), START, new Value.Image(page(fill)));
            }
            return new TimelineMetadata(
                    id(number),
                    17,
                    SystemId.of(42),
                    WalFlavour.STOCK,
                    false,
                    false,
                    1 << 24,
                    START,
                    START,
                    Optional.empty());
        });
    }

    static byte[] page(int fill) {
        byte[] page = new byte[PAGE];
        Arrays.fill(page, (byte) fill);
        return page;
    }

    /** Fills a page with another byte at {@code lsn}, and publishes it. */
    static void write(Timeline timeline, long lsn, int block, int fill) throws IOException {
        timeline.writer().put(Keys.relationBlock(RELATION, block), Lsn.of(lsn), new Value.Image(page(fill)));
        timeline.writer().publish(Lsn.of(lsn), Lsn.of(lsn - 8), 0);
    }

    /** Something is committed at a moment; {@code lsn} is the end of its record. */
    static void commit(Timeline timeline, long lsn, Instant moment) throws IOException {
        byte[] value = new byte[8];
        LittleEndian.putI64(value, 0, ChronoUnit.MICROS.between(POSTGRES_EPOCH, moment));
        timeline.writer().put(Keys.COMMIT_TIME, Lsn.of(lsn), new Value.Image(value));
        timeline.writer().publish(Lsn.of(lsn), Lsn.of(lsn - 8), 0);
    }

    /** The byte that a page is filled with. */
    static int read(Timeline timeline, int block, Lsn at) throws ReadException {
        byte[] page = new byte[PAGE];
        timeline.reader().page(RELATION, block, at, page);
        for (byte one : page) {
            if (one != page[0]) {
                throw new AssertionError("torn page: block " + block + " at " + at);
            }
        }
        return page[0] & 0xFF;
    }

    @Override
    public void close() {
        registry.close();
    }
}
