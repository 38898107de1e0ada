package io.tidemark.wire.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.tidemark.wire.frame.HexBytes;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.replication.WalReceiverMessage.PageserverStatus;
import io.tidemark.wire.replication.WalReceiverMessage.StandbyFeedback;
import io.tidemark.wire.replication.WalReceiverMessage.StandbyStatus;
import io.tidemark.wire.replication.WalReceiverMessage.Unknown;
import io.tidemark.wire.replication.WalSenderMessage.Keepalive;
import io.tidemark.wire.replication.WalSenderMessage.XLogData;
import java.time.Instant;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ReplicationCodecTest {
    private static final Lsn L = Lsn.parse("0/149FD18");

    @Test
    void pageserverFeedbackHasItsVector() {
        PageserverStatus message = new PageserverStatus(new PageserverFeedback(4096, L, L, L, 1_000_000, 0, false));
        String hex = "7a00000000000000840563757272656e745f74696d656c696e655f73697a6500000000080000000000001000"
                + "70735f77726974656c736e0000000008000000000149fd1870735f666c7573686c736e0000000008000000000149fd18"
                + "70735f6170706c796c736e0000000008000000000149fd1870735f7265706c7974696d65000000000800000000000f4240";
        assertThat(HexBytes.written(message::encode)).isEqualTo(hex);
        assertThat(WalReceiverMessage.decode(HexBytes.of(hex))).isEqualTo(message);
    }

    @Test
    void theXidComesBeforeItsEpoch() {
        String hex = "68" + "0000000000000005" + "00000007" + "00000001" + "00000000" + "00000001";
        assertThat(WalReceiverMessage.decode(HexBytes.of(hex)))
                .isEqualTo(new StandbyFeedback(new HotStandbyFeedback(5, 1L << 32 | 7, 0)));
    }

    @Test
    void everyMessageComesBackAsItWas() {
        for (int seed = 0; seed < 300; seed++) {
            for (WalSenderMessage message : walSenderMessages(seed)) {
                assertThat(WalSenderMessage.decode(encode(message)))
                        .as("seed %s", seed)
                        .isEqualTo(message);
            }
            for (WalReceiverMessage message : walReceiverMessages(seed)) {
                assertThat(WalReceiverMessage.decode(encode(message)))
                        .as("seed %s", seed)
                        .isEqualTo(message);
            }
        }
        assertThat(WalReceiverMessage.decode(HexBytes.of("7801"))).isEqualTo(new Unknown('x'));
    }

    @Test
    void everyStrictPrefixIsRefused() {
        for (WalSenderMessage message : walSenderMessages(1)) {
            ByteBuf bytes = encode(message);
            int complete = message instanceof XLogData ? XLogData.HEADER_BYTES : bytes.readableBytes();
            for (int length = 0; length < complete; length++) {
                ByteBuf prefix = bytes.slice(0, length);
                assertThatThrownBy(() -> WalSenderMessage.decode(prefix)).isInstanceOf(InvalidMessageException.class);
            }
        }
        for (WalReceiverMessage message : walReceiverMessages(1)) {
            ByteBuf bytes = encode(message);
            for (int length = 0; length < bytes.readableBytes(); length++) {
                ByteBuf prefix = bytes.slice(0, length);
                assertThatThrownBy(() -> WalReceiverMessage.decode(prefix)).isInstanceOf(InvalidMessageException.class);
            }
        }
    }

    @Test
    void messagesOfAFixedSizeHaveExactlyThatSize() {
        assertThatThrownBy(() -> WalSenderMessage.decode(
                        encode(new Keepalive(L, 1, true)).writeByte(0)))
                .isInstanceOf(InvalidMessageException.class);
        ByteBuf status = encode(new StandbyStatus(L, L, L, 1, false));
        assertThat(status.readableBytes()).isEqualTo(1 + 33);
        assertThatThrownBy(() -> WalReceiverMessage.decode(status.writeByte(0)))
                .isInstanceOf(InvalidMessageException.class);
        ByteBuf feedback = encode(new StandbyFeedback(HotStandbyFeedback.NONE));
        assertThat(feedback.readableBytes()).isEqualTo(1 + 24);
        assertThatThrownBy(() -> WalReceiverMessage.decode(feedback.writeByte(0)))
                .isInstanceOf(InvalidMessageException.class);
        assertThatThrownBy(() -> WalSenderMessage.decode(HexBytes.of("30"))).hasMessageContaining("0x30");
    }

    @Test
    void decodedWalIsASliceOfTheFrameWithItsOwnReference() {
        ByteBuf frame = PooledByteBufAllocator.DEFAULT.directBuffer();
        new XLogData(L, L.plus(3), 1, HexBytes.of("010203")).encode(frame);
        XLogData decoded = (XLogData) WalSenderMessage.decode(frame);
        frame.release();
        assertThat(HexBytes.of(decoded.wal())).isEqualTo("010203");
        assertThat(decoded.wal().release()).isTrue();
    }

    @Test
    void randomBytesAreMessagesOrTypedErrorsAndLeakNothing() {
        for (int seed = 0; seed < 5_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            ByteBuf bytes = PooledByteBufAllocator.DEFAULT.buffer();
            bytes.writeByte("wkrhzx0".charAt(random.nextInt(7)));
            for (int i = random.nextInt(60); i > 0; i--) {
                bytes.writeByte(random.nextInt(3) == 0 ? random.nextInt() : 0);
            }
            try {
                if (random.nextBoolean()) {
                    WalReceiverMessage.decode(bytes);
                } else if (WalSenderMessage.decode(bytes) instanceof XLogData data) {
                    data.wal().release();
                }
            } catch (InvalidMessageException expected) {
                assertThat(expected).as("seed %s", seed).hasMessageNotContaining("null");
            }
            assertThat(bytes.refCnt()).as("seed %s", seed).isEqualTo(1);
            bytes.release();
        }
    }

    @Test
    void timeStartsIn2000() {
        assertThat(PostgresTime.ofInstant(Instant.parse("2000-01-01T00:00:01.000002Z")))
                .isEqualTo(1_000_002);
        assertThat(PostgresTime.toInstant(1_000_002)).isEqualTo(Instant.parse("2000-01-01T00:00:01.000002Z"));
        assertThat(PostgresTime.ofInstant(PostgresTime.toInstant(-5))).isEqualTo(-5);
        assertThat(PostgresTime.toInstant(Long.MIN_VALUE)).isBefore(PostgresTime.toInstant(Long.MAX_VALUE));
    }

    private static List<WalSenderMessage> walSenderMessages(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] wal = new byte[random.nextInt(50)];
        random.nextBytes(wal);
        return List.of(
                new XLogData(
                        Lsn.of(random.nextLong()),
                        Lsn.of(random.nextLong()),
                        random.nextLong(),
                        Unpooled.wrappedBuffer(wal)),
                new Keepalive(Lsn.of(random.nextLong()), random.nextLong(), random.nextBoolean()));
    }

    private static List<WalReceiverMessage> walReceiverMessages(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        return List.of(
                new StandbyStatus(
                        Lsn.of(random.nextLong()),
                        Lsn.of(random.nextLong()),
                        Lsn.of(random.nextLong()),
                        random.nextLong(),
                        random.nextBoolean()),
                new StandbyFeedback(
                        new HotStandbyFeedback(random.nextLong(), random.nextLong() | 1, random.nextLong() | 1)),
                new PageserverStatus(new PageserverFeedback(
                        random.nextLong(),
                        Lsn.of(random.nextLong()),
                        Lsn.of(random.nextLong()),
                        Lsn.of(random.nextLong()),
                        random.nextLong(),
                        random.nextInt(2) * random.nextInt(),
                        random.nextBoolean())));
    }

    private static ByteBuf encode(WalSenderMessage message) {
        ByteBuf out = Unpooled.buffer();
        message.encode(out);
        return out;
    }

    private static ByteBuf encode(WalReceiverMessage message) {
        ByteBuf out = Unpooled.buffer();
        message.encode(out);
        return out;
    }
}
