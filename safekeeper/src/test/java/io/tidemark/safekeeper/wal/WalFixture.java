package io.tidemark.safekeeper.wal;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.safekeeper.acceptor.AcceptorState;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.wal.WalStreamWriter;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.TermHistory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** A timeline's WAL in memory, to be written, torn and compared. Segments of 1 MiB. */
public final class WalFixture {
    public static final int SEGMENT = 1 << 20;
    public static final Path DIRECTORY = Path.of("t");
    public static final PgVersion PG = PgVersion.of(150004);
    public static final SystemId SYSTEM = SystemId.of(7_123_456_789L);
    public static final TenantTimelineId TTID = new TenantTimelineId(new TenantId(1, 2), new TimelineId(3, 4));

    public final Lsn start;
    private final ByteBuf bytes = Unpooled.buffer();
    private final List<Lsn> recordEnds = new ArrayList<>();
    private final WalStreamWriter writer;
    private final SplittableRandom random;

    public WalFixture(Lsn start, long seed) {
        this(start, seed, Lsn.INVALID);
    }

    private WalFixture(Lsn start, long seed, Lsn previousRecord) {
        this.start = start;
        this.random = new SplittableRandom(seed);
        this.writer = new WalStreamWriter(PG.major(), SYSTEM, SEGMENT, start, previousRecord);
    }

    /** Records of random sizes until so many bytes are there. */
    public WalFixture fill(int atLeastBytes) {
        while (bytes.readableBytes() < atLeastBytes) {
            int size = random.nextInt(20) == 0 ? random.nextInt(100_000) : random.nextInt(2000);
            record(size);
        }
        return this;
    }

    /** An XLOG_NOOP. */
    public Lsn record(int sizeBytes) {
        byte[] data = new byte[sizeBytes];
        random.nextBytes(data);
        Lsn end = writer.append(0, 0x20, 1, data);
        bytes.writeBytes(writer.drain());
        recordEnds.add(end);
        return end;
    }

    Lsn switchSegment() {
        Lsn end = writer.switchSegment();
        bytes.writeBytes(writer.drain());
        recordEnds.add(end);
        return end;
    }

    public Lsn end() {
        return start.plus(bytes.readableBytes());
    }

    public List<Lsn> recordEnds() {
        return recordEnds;
    }

    /** The last record boundary at or before a position. */
    public Lsn boundaryAt(Lsn position) {
        Lsn found = start;
        for (Lsn end : recordEnds) {
            if (end.isAtMost(position)) {
                found = end;
            }
        }
        return found;
    }

    public ByteBuf slice(Lsn from, Lsn to) {
        return bytes.slice((int) from.minus(start), (int) to.minus(from));
    }

    /** The same WAL up to a record boundary, and other records behind it. */
    public WalFixture divergingAt(Lsn boundary, long seed, int atLeastBytes) {
        WalFixture other = new WalFixture(boundary, seed, boundary.plus(-8));
        WalFixture joined = new WalFixture(start, seed);
        other.fill(atLeastBytes);
        joined.bytes.writeBytes(slice(start, boundary)).writeBytes(other.bytes.duplicate());
        recordEnds.stream().filter(end -> end.isAtMost(boundary)).forEach(joined.recordEnds::add);
        joined.recordEnds.addAll(other.recordEnds);
        return joined;
    }

    public AcceptorState stateWithCommit(Lsn commit) {
        return new AcceptorState(
                TTID,
                Term.of(1),
                TermHistory.EMPTY,
                MembershipConfig.NONE,
                PG,
                SYSTEM,
                SEGMENT,
                start,
                start,
                commit,
                start,
                start,
                start,
                0);
    }

    WalLayout layout() {
        return WalLayout.of(stateWithCommit(start));
    }

    /** A WAL on the disk that takes writes at the fixture's start. */
    SegmentedWal fresh(Disk disk) throws IOException {
        disk.createDirectory(DIRECTORY);
        disk.syncDirectory(Path.of(""));
        SegmentedWal wal = new SegmentedWal(disk, DIRECTORY, SEGMENT);
        wal.initFirstSegment(start, PG, SYSTEM);
        wal.truncate(start);
        return wal;
    }

    /** Everything from the start to {@code end} as the disk has it. */
    ByteBuf readBack(Disk disk, Lsn end) throws IOException {
        ByteBuf out = Unpooled.buffer();
        try (WalReader reader = new WalReader(disk, DIRECTORY, layout())) {
            Lsn at = start;
            while (at.isBefore(end)) {
                at = at.plus(reader.read(at, end, 100_000, out));
            }
        }
        return out;
    }
}
