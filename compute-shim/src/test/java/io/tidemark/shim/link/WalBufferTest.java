package io.tidemark.shim.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.tidemark.wire.id.Lsn;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class WalBufferTest {
    private static final int CAPACITY = WalBuffer.MIN_CAPACITY_BYTES;
    private static final Lsn START = Lsn.parse("0/16B3748");

    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true);
    private final WalBuffer buffer = new WalBuffer(allocator, CAPACITY);

    @AfterEach
    void everyByteOfMemoryIsGivenBack() {
        buffer.close();
        assertThat(allocator.metric().usedDirectMemory()).isZero();
    }

    @Test
    void slicesGiveBackWhatWasAppendedAcrossChunks() {
        byte[] wal = new byte[5 * WalBuffer.CHUNK_BYTES + 12_345];
        new Random(1).nextBytes(wal);
        buffer.restartAt(START);
        for (int at = 0; at < wal.length; at += 100_000) {
            buffer.append(START.plus(at), Unpooled.wrappedBuffer(wal, at, Math.min(100_000, wal.length - at)));
        }
        assertThat(buffer.endLsn()).isEqualTo(START.plus(wal.length));
        Random random = new Random(2);
        for (int i = 0; i < 200; i++) {
            int from = random.nextInt(wal.length);
            int to = Math.min(wal.length, from + random.nextInt(2_500_000));
            ByteBuf slice = buffer.slice(START.plus(from), START.plus(to));
            assertThat(slice).isNotNull();
            assertThat(ByteBufUtil.getBytes(slice)).isEqualTo(Arrays.copyOfRange(wal, from, to));
            slice.release();
        }
    }

    @Test
    void oldestChunkGoesWhenTheCapacityIsReachedAndAHeldSliceOutlivesIt() {
        buffer.restartAt(START);
        append(1000);
        ByteBuf held = buffer.slice(START, START.plus(1000));
        append(2 * CAPACITY);
        assertThat(buffer.allocatedBytes()).isLessThanOrEqualTo(CAPACITY);
        assertThat(buffer.startLsn().isAfter(START)).isTrue();
        assertThat(buffer.slice(START, START.plus(10))).isNull();
        assertThat(buffer.holds(START)).isFalse();
        assertThat(held).isNotNull();
        assertThat(held.readableBytes()).isEqualTo(1000);
        held.release();
    }

    @Test
    void fullMeansThatNeededBytesWouldBeForcedOut() {
        buffer.restartAt(START);
        assertThat(buffer.isFull(START)).isFalse();
        append(CAPACITY - 2 * WalBuffer.CHUNK_BYTES);
        assertThat(buffer.isFull(START)).isTrue();
        assertThat(buffer.isFull(buffer.endLsn())).isFalse();
        // What a paused socket may still bring fits without forcing out what is needed.
        append(WalBuffer.CHUNK_BYTES);
        assertThat(buffer.holds(START)).isTrue();
    }

    @Test
    void gapsAndUnarrivedBytesAreRefused() {
        buffer.restartAt(START);
        assertThatThrownBy(() -> buffer.append(START.plus(1), Unpooled.wrappedBuffer(new byte[1])))
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> buffer.slice(START, START.plus(1))).isInstanceOf(IllegalStateException.class);
        ByteBuf nothing = buffer.slice(START, START);
        assertThat(nothing).isNotNull();
        assertThat(nothing.isReadable()).isFalse();
    }

    private void append(int bytes) {
        for (int left = bytes; left > 0; left -= 100_000) {
            buffer.append(buffer.endLsn(), Unpooled.wrappedBuffer(new byte[Math.min(left, 100_000)]));
        }
    }
}
