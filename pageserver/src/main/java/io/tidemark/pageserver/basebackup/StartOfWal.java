package io.tidemark.pageserver.basebackup;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.pageserver.pgcontrol.CheckPoint;
import io.tidemark.pageserver.timeline.TimelineMetadata;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.WalPageHeader;
import io.tidemark.wire.wal.WalSegmentName;
import io.tidemark.wire.wal.WalStreamWriter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The WAL files of a server that has none below an LSN and starts there.
 *
 * <pre>
 *   segment start        page of the LSN                        LSN
 *   | long header, zeros | header: first is contrecord, zeros   | the checkpoint record, or nothing | zeros
 *                          xlp_rem_len = LSN - end of header
 * </pre>
 *
 * <p>A reader thus believes that a record goes on up to the LSN and finds the next one there; where the LSN is the start of a page, there
 * is no such record, and the next one stands behind the header. A checkpoint record that does not fit goes on in the next page as any
 * record does, and in the next segment, which is then a second file.
 */
public final class StartOfWal {
    /** RM_XLOG_ID and XLOG_CHECKPOINT_SHUTDOWN are both 0. */
    private static final int SHUTDOWN_CHECKPOINT = 0;

    private static final int TLI = 1;

    private final int segmentSizeBytes;
    private final Lsn recordLsn;
    private final Lsn endLsn;
    private final List<Piece> pieces = new ArrayList<>();

    /** Bytes between zeros. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Piece(Lsn start, byte[] bytes) {}

    private StartOfWal(TimelineMetadata metadata, Lsn lsn, Lsn prev, @Nullable CheckPoint checkPoint) {
        this.segmentSizeBytes = metadata.walSegmentSizeBytes();
        this.recordLsn = recordLsn(lsn, segmentSizeBytes);
        addHeaders(metadata, lsn);
        if (checkPoint == null) {
            this.endLsn = lsn;
        } else {
            CheckPoint ownStart = CheckPoint.copyOf(checkPoint.toBytes(), 0);
            ownStart.setRedo(recordLsn);
            WalStreamWriter writer = new WalStreamWriter(
                    metadata.pgMajor(), metadata.systemId(), segmentSizeBytes, lsn.alignRecord(), prev);
            this.endLsn = writer.append(SHUTDOWN_CHECKPOINT, SHUTDOWN_CHECKPOINT, 0, ownStart.toBytes());
            pieces.add(new Piece(lsn.alignRecord(), take(writer.drain())));
        }
    }

    /**
     * With no record at all: whoever starts on it writes the first one.
     *
     * @throws IllegalArgumentException when no record can end at {@code lsn}
     */
    static StartOfWal empty(TimelineMetadata metadata, Lsn lsn) {
        return new StartOfWal(metadata, requireRecordEnd(metadata, lsn), Lsn.INVALID, null);
    }

    /**
     * With the record of a shutdown checkpoint at {@code lsn}, whose redo is its own start.
     *
     * @param prev where the record before it starts; invalid when not known
     * @throws IllegalArgumentException when no record can end at {@code lsn}
     */
    static StartOfWal withCheckPoint(TimelineMetadata metadata, Lsn lsn, Lsn prev, CheckPoint checkPoint) {
        return new StartOfWal(metadata, requireRecordEnd(metadata, lsn), prev, checkPoint);
    }

    private static Lsn requireRecordEnd(TimelineMetadata metadata, Lsn lsn) {
        Lsn aligned = lsn.alignRecord();
        int inPage = aligned.pageOffset();
        if (inPage != 0 && inPage < WalPageHeader.sizeAt(aligned.plus(-inPage), metadata.walSegmentSizeBytes())) {
            throw new IllegalArgumentException("no record can end at " + lsn + ": it is inside of a page's header");
        }
        return aligned;
    }

    /** Where the record starts that is the first behind {@code lsn}: past a page header, at a multiple of 8. */
    static Lsn recordLsn(Lsn lsn, int segmentSizeBytes) {
        Lsn aligned = lsn.alignRecord();
        return aligned.pageOffset() == 0 ? aligned.plus(WalPageHeader.sizeAt(aligned, segmentSizeBytes)) : aligned;
    }

    private void addHeaders(TimelineMetadata metadata, Lsn lsn) {
        int magic = WalPageHeader.magicOf(metadata.pgMajor());
        Lsn segment = Lsn.ofSegment(lsn.segmentNumber(segmentSizeBytes), segmentSizeBytes);
        Lsn page = lsn.plus(-lsn.pageOffset());
        addHeader(WalPageHeader.longHeader(
                magic,
                page.equals(segment) ? contrecord(lsn) : 0,
                TLI,
                segment,
                page.equals(segment) ? remaining(lsn, WalPageHeader.LONG_SIZE_BYTES) : 0,
                metadata.systemId(),
                segmentSizeBytes));
        if (!page.equals(segment)) {
            addHeader(WalPageHeader.shortHeader(
                    magic, contrecord(lsn), TLI, page, remaining(lsn, WalPageHeader.SHORT_SIZE_BYTES)));
        }
    }

    private static int contrecord(Lsn lsn) {
        return lsn.pageOffset() == 0 ? 0 : WalPageHeader.FIRST_IS_CONTRECORD;
    }

    private static int remaining(Lsn lsn, int headerBytes) {
        return lsn.pageOffset() == 0 ? 0 : lsn.pageOffset() - headerBytes;
    }

    private void addHeader(WalPageHeader header) {
        ByteBuf out = Unpooled.buffer(WalPageHeader.LONG_SIZE_BYTES);
        header.encode(out);
        pieces.add(new Piece(header.pageAddress(), take(out)));
    }

    private static byte[] take(ByteBuf buffer) {
        byte[] bytes = new byte[buffer.readableBytes()];
        buffer.readBytes(bytes);
        buffer.release();
        return bytes;
    }

    /** Where the checkpoint record starts, or the first record of whoever writes one. */
    public Lsn recordLsn() {
        return recordLsn;
    }

    /** The end of the checkpoint record; without one, the LSN itself. */
    public Lsn endLsn() {
        return endLsn;
    }

    /** The segments, mostly one. */
    List<WalSegmentName> segments() {
        WalSegmentName first = WalSegmentName.holding(pieces.getFirst().start(), segmentSizeBytes);
        // A record that ends where a segment does needs no further one.
        boolean goesOn = endLsn.isAfter(first.endLsn());
        return goesOn ? List.of(first, first.next()) : List.of(first);
    }

    /** One page of WAL, with what was made for it between zeros. */
    void page(Lsn page, byte[] into) {
        java.util.Arrays.fill(into, (byte) 0);
        for (Piece piece : pieces) {
            long from = piece.start().minus(page);
            int first = (int) Math.max(0, Math.min(into.length, from));
            int end = (int) Math.max(0, Math.min(into.length, from + piece.bytes().length));
            if (first < end) {
                System.arraycopy(piece.bytes(), (int) (first - from), into, first, end - first);
            }
        }
    }
}
