package io.tidemark.pageserver.timeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.metrics.PageserverMetrics;
import io.tidemark.pageserver.pgcontrol.CheckPoint;
import io.tidemark.runtime.durable.RealDisk;
import io.tidemark.runtime.time.TimeSource;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.wal.LittleEndian;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalFlavour;
import io.tidemark.wire.wal.WalRecord;
import io.tidemark.wire.wal.WalRecordReader;
import io.tidemark.wire.wal.WalStreamWriter;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TimelineIngestTest {
    private static final int NEXT_OID = 0x30;
    private static final int SEGMENT = 1 << 24;
    private static final Lsn START = Lsn.of(2L * SEGMENT);
    private static final TenantTimelineId ID = new TenantTimelineId(new TenantId(1, 2), new TimelineId(3, 4));
    private static final TimelineMetadata METADATA = new TimelineMetadata(
            ID, 17, SystemId.of(42), WalFlavour.STOCK, false, false, SEGMENT, START, START, Optional.empty());

    @TempDir
    private Path directory;

    @Test
    void aConnectionThatBreaksInTheMiddleOfABatchLosesNothingAndIsGoneOnFrom() throws Exception {
        byte[] wal = walOfOids(1, 2, 3, 4, 5, 6);
        try (TimelineRegistry registry = TimelineRegistry.open(
                new RealDisk(directory),
                StorageTuning.DEFAULT,
                1 << 20,
                TimelineRegistry.Companion.NONE,
                new PageserverMetrics())) {
            Timeline timeline = registry.create(ID, head -> {
                head.put(
                        Keys.CHECKPOINT,
                        START,
                        new Value.Image(CheckPoint.copyOf(new byte[CheckPoint.SIZE_BYTES], 0)
                                .toBytes()));
                return METADATA;
            });
            TimelineIngest ingest = new TimelineIngest(timeline, TimeSource.system());
            assertThat(ingest.resume()).isEqualTo(START);
            WalRecordReader first = reader(wal, START);
            ingest.ingest(Objects.requireNonNull(first.next()));
            ingest.endBatch();
            Lsn published = timeline.lastRecordLsn();
            for (int i = 0; i < 3; i++) {
                ingest.ingest(Objects.requireNonNull(first.next()));
            }
            assertThat(timeline.lastRecordLsn()).isEqualTo(published);

            // The connection is gone, and the next one begins where resume says.
            Lsn from = ingest.resume();
            assertThat(from).isEqualTo(first.position());
            assertThat(timeline.lastRecordLsn()).isEqualTo(from);
            WalRecordReader second = reader(wal, from);
            for (WalRecord record = second.next(); record != null; record = second.next()) {
                ingest.ingest(record);
            }
            ingest.endBatch();
            assertThat(timeline.lastRecordLsn()).isEqualTo(second.position());
            assertThat(nextOid(timeline, published)).isEqualTo(1);
            assertThat(nextOid(timeline, from)).isEqualTo(4);
            assertThat(nextOid(timeline, second.position())).isEqualTo(6);
        }
    }

    private static int nextOid(Timeline timeline, Lsn at) throws ReadException {
        byte[] value = timeline.reader().find(Keys.CHECKPOINT, at);
        return CheckPoint.copyOf(Objects.requireNonNull(value), 0).nextOid();
    }

    private static byte[] walOfOids(int... oids) {
        WalStreamWriter writer = new WalStreamWriter(17, SystemId.of(42), SEGMENT, START, Lsn.INVALID);
        for (int oid : oids) {
            byte[] data = new byte[4];
            LittleEndian.putI32(data, 0, oid);
            writer.append(ResourceManagers.XLOG, NEXT_OID, 0, data);
        }
        ByteBuf buffer = writer.drain();
        byte[] bytes = new byte[buffer.readableBytes()];
        buffer.readBytes(bytes).release();
        return bytes;
    }

    private static WalRecordReader reader(byte[] wal, Lsn from) {
        return new WalRecordReader(
                (at, into, offset, length) -> {
                    int skip = (int) at.minus(START);
                    int n = Math.max(0, Math.min(length, wal.length - skip));
                    System.arraycopy(wal, skip, into, offset, n);
                    return n;
                },
                17,
                SEGMENT,
                from);
    }
}
