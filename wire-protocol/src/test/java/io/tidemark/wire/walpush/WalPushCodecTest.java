package io.tidemark.wire.walpush;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.tidemark.wire.frame.HexBytes;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.frame.MessageReader;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.replication.PageserverFeedback;
import io.tidemark.wire.walpush.ProposerMessage.AppendRequest;
import io.tidemark.wire.walpush.ProposerMessage.ProposerGreeting;
import io.tidemark.wire.walpush.ProposerMessage.VoteRequest;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class WalPushCodecTest {
    private static final int SEEDS = 300;

    @ParameterizedTest
    @EnumSource
    void everyProposerMessageComesBackAsItWas(WalPushVersion version) {
        for (int seed = 0; seed < SEEDS; seed++) {
            for (ProposerMessage message : new WalPushGenerator(seed, version).everyProposerMessage()) {
                ByteBuf bytes = encode(version, message);
                assertThat(ProposerMessage.decode(version, bytes))
                        .as("seed %s", seed)
                        .isEqualTo(message);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyAcceptorMessageComesBackAsItWas(WalPushVersion version) {
        for (int seed = 0; seed < SEEDS; seed++) {
            for (AcceptorMessage message : new WalPushGenerator(seed, version).everyAcceptorMessage()) {
                ByteBuf bytes = Unpooled.buffer();
                message.encode(version, bytes);
                assertThat(AcceptorMessage.decode(version, bytes))
                        .as("seed %s", seed)
                        .isEqualTo(message);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyStrictPrefixOfAProposerMessageIsRefused(WalPushVersion version) {
        for (int seed = 0; seed < 20; seed++) {
            for (ProposerMessage message : new WalPushGenerator(seed, version).everyProposerMessage()) {
                ByteBuf bytes = encode(version, message);
                // A v2 vote request ends, for an acceptor, with its term: the proposer's uuid behind it says nothing.
                int complete =
                        message instanceof VoteRequest && version == WalPushVersion.V2 ? 16 : bytes.readableBytes();
                for (int length = 0; length < complete; length++) {
                    ByteBuf prefix = bytes.slice(0, length);
                    assertThatThrownBy(() -> ProposerMessage.decode(version, prefix))
                            .as("seed %s, %s bytes of %s", seed, length, message)
                            .isInstanceOf(InvalidMessageException.class);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyStrictPrefixOfAnAcceptorMessageIsRefused(WalPushVersion version) {
        for (int seed = 0; seed < 20; seed++) {
            for (AcceptorMessage message : new WalPushGenerator(seed, version).everyAcceptorMessage()) {
                ByteBuf bytes = Unpooled.buffer();
                message.encode(version, bytes);
                for (int length = 0; length < bytes.readableBytes(); length++) {
                    if (isWholeWithoutFeedback(version, message, length)) {
                        continue;
                    }
                    ByteBuf prefix = bytes.slice(0, length);
                    assertThatThrownBy(() -> AcceptorMessage.decode(version, prefix))
                            .as("seed %s, %s bytes of %s", seed, length, message)
                            .isInstanceOf(InvalidMessageException.class);
                }
            }
        }
    }

    private static boolean isWholeWithoutFeedback(WalPushVersion version, AcceptorMessage message, int length) {
        return message instanceof AcceptorMessage.AppendResponse && length == (version == WalPushVersion.V2 ? 56 : 53);
    }

    @ParameterizedTest
    @EnumSource
    void trailingBytesAreIgnoredByTheAcceptorAndRefusedByTheProposer(WalPushVersion version) {
        WalPushGenerator generator = new WalPushGenerator(7, version);
        for (ProposerMessage message : generator.everyProposerMessage()) {
            ByteBuf longer = encode(version, message).writeByte(1);
            assertThat(ProposerMessage.decode(version, longer)).isEqualTo(message);
        }
        for (AcceptorMessage message : generator.everyAcceptorMessage()) {
            ByteBuf longer = Unpooled.buffer();
            message.encode(version, longer);
            longer.writeByte(1);
            assertThatThrownBy(() -> AcceptorMessage.decode(version, longer))
                    .isInstanceOf(InvalidMessageException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"80000000", "ffffffff", "00000010"})
    void aHostileCountIsRefusedBeforeItIsAllocated(String count) {
        String elected = "65" + "00000002" + "0000000000000008" + "000000000149fd18";
        refused(WalPushVersion.V3, elected + count + "00".repeat(255));
        String greeting = "67" + "30".repeat(32) + "00" + "30".repeat(32) + "00";
        refused(WalPushVersion.V3, greeting + "00000001" + count + "00".repeat(170));
        refused(WalPushVersion.V3, greeting + "00000001" + "00000000" + count + "00".repeat(170));
    }

    @Test
    void unsupportedVersionsAreRefused() {
        assertThat(decodeWithPgVersion(0)).isInstanceOf(ProposerGreeting.class);
        for (int major = 14; major <= 18; major++) {
            assertThat(decodeWithPgVersion(major * 10_000 + 3)).isInstanceOf(ProposerGreeting.class);
        }
        for (int number : new int[] {1, 139_999, 190_000, -1, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            assertThatThrownBy(() -> decodeWithPgVersion(number))
                    .hasMessageContaining("pg_version")
                    .isInstanceOf(InvalidMessageException.class);
        }
        String v2Greeting = "6700000000000000" + "03000000" + "00".repeat(68);
        assertThatThrownBy(() -> ProposerMessage.decode(WalPushVersion.V2, HexBytes.of(v2Greeting)))
                .hasMessageContaining("unsupported protocol version 3");
    }

    private static ProposerMessage decodeWithPgVersion(int number) {
        ByteBuf bytes = encode(
                WalPushVersion.V3,
                new WalPushGenerator(1, WalPushVersion.V3)
                        .everyProposerMessage()
                        .getFirst());
        bytes.setInt(bytes.writerIndex() - 16, number);
        return ProposerMessage.decode(WalPushVersion.V3, bytes);
    }

    @Test
    void segmentSizeMustBeAPowerOfTwo() {
        for (int size : new int[] {0, -1, 16_777_215, 1 << 19, Integer.MIN_VALUE}) {
            ByteBuf bytes = encode(
                    WalPushVersion.V3,
                    new WalPushGenerator(1, WalPushVersion.V3)
                            .everyProposerMessage()
                            .getFirst());
            bytes.setInt(bytes.writerIndex() - 4, size);
            assertThatThrownBy(() -> ProposerMessage.decode(WalPushVersion.V3, bytes))
                    .hasMessageContaining("wal_seg_size")
                    .isInstanceOf(InvalidMessageException.class);
        }
    }

    @Test
    void anAppendLongerThanTheLimitOrBackwardsIsRefused() {
        Lsn begin = Lsn.of(0x1000000);
        ByteBuf longest = Unpooled.wrappedBuffer(new byte[AppendRequest.MAX_WAL_BYTES]);
        AppendRequest atTheLimit = append(begin, begin.plus(AppendRequest.MAX_WAL_BYTES), longest);
        assertThat(ProposerMessage.decode(WalPushVersion.V3, encode(WalPushVersion.V3, atTheLimit)))
                .isEqualTo(atTheLimit);

        ByteBuf tooLong = Unpooled.wrappedBuffer(new byte[AppendRequest.MAX_WAL_BYTES + 1]);
        refused(append(begin, begin.plus(AppendRequest.MAX_WAL_BYTES + 1), tooLong), "MAX_SEND_SIZE");
        refused(append(begin.plus(8), begin, tooLong), "is after end_lsn");
        refused(append(Lsn.INVALID, Lsn.of(-1), tooLong), "MAX_SEND_SIZE");
    }

    private static AppendRequest append(Lsn begin, Lsn end, ByteBuf wal) {
        return new AppendRequest(1, Term.of(1), begin, end, Lsn.INVALID, Lsn.INVALID, wal);
    }

    private static void refused(ProposerMessage message, String why) {
        assertThatThrownBy(() -> ProposerMessage.decode(WalPushVersion.V3, encode(WalPushVersion.V3, message)))
                .isInstanceOf(InvalidMessageException.class)
                .hasMessageContaining(why);
    }

    @Test
    void decodedWalIsASliceOfTheFrameWithItsOwnReference() {
        AppendRequest message = (AppendRequest) new WalPushGenerator(3, WalPushVersion.V3)
                .everyProposerMessage()
                .getLast();
        ByteBuf frame = PooledByteBufAllocator.DEFAULT.directBuffer();
        message.encode(WalPushVersion.V3, frame);
        AppendRequest decoded = (AppendRequest) ProposerMessage.decode(WalPushVersion.V3, frame);
        assertThat(frame.refCnt()).isEqualTo(2);
        frame.release();
        assertThat(decoded.wal()).isEqualTo(message.wal());
        assertThat(decoded.wal().release()).isTrue();
        assertThat(frame.refCnt()).isZero();
    }

    @Test
    void disorderedHistoriesAndWrongMembershipsAreRefused() {
        String elected = "65" + "00000002" + "0000000000000008" + "000000000149fd18" + "00000002";
        refused(
                WalPushVersion.V3,
                elected + "0000000000000002" + "0000000000000001" + "0000000000000001" + "0000000000000002");
        String greeting = "670000000000000001";
        String member = "0000000000000001" + "736b3100" + "154e";
        refusedByProposer(greeting + "00000001" + "00000000" + "00000000" + "0000000000000007");
        refusedByProposer(greeting + "00000001" + "00000002" + member + member + "00000000" + "0000000000000007");
    }

    @Test
    void aKnownFeedbackKeyOfAnotherLengthIsRefusedAndAnUnknownOneSkipped() {
        assertThatThrownBy(() -> feedback("01" + "70735f77726974656c736e00" + "00000004" + "00000000"))
                .isInstanceOf(InvalidMessageException.class);
        assertThatThrownBy(() -> feedback("01" + "7800" + "ffffffff" + "00000000"))
                .isInstanceOf(InvalidMessageException.class);
        assertThatThrownBy(() -> feedback("01" + "7800" + "7fffffff" + "00000000"))
                .isInstanceOf(InvalidMessageException.class);
        PageserverFeedback read = feedback("02" + "7800" + "00000003" + "010203"
                + "6c6173745f72656365697665645f6c736e00" + "00000008" + "0000000000000009");
        assertThat(read).isEqualTo(new PageserverFeedback(0, Lsn.of(9), Lsn.INVALID, Lsn.INVALID, 0, 0, false));
    }

    private static PageserverFeedback feedback(String hex) {
        return PageserverFeedback.decodeBody(new MessageReader("feedback", HexBytes.of(hex)));
    }

    @ParameterizedTest
    @EnumSource
    void mutatedMessagesAreMessagesOrTypedErrorsAndLeakNothing(WalPushVersion version) {
        for (int seed = 0; seed < 2_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            WalPushGenerator generator = new WalPushGenerator(seed, version);
            ByteBuf bytes = PooledByteBufAllocator.DEFAULT.buffer();
            boolean fromProposer = random.nextBoolean();
            if (fromProposer) {
                generator.everyProposerMessage().get(random.nextInt(4)).encode(version, bytes);
            } else {
                generator.everyAcceptorMessage().get(random.nextInt(4)).encode(version, bytes);
            }
            for (int i = random.nextInt(8); i >= 0; i--) {
                bytes.setByte(random.nextInt(bytes.writerIndex()), random.nextInt());
            }
            bytes.writerIndex(random.nextInt(bytes.writerIndex() + 1));
            try {
                if (!fromProposer) {
                    AcceptorMessage.decode(version, bytes);
                } else if (ProposerMessage.decode(version, bytes) instanceof AppendRequest append) {
                    append.wal().release();
                }
            } catch (InvalidMessageException expected) {
                assertThat(expected).as("seed %s", seed).hasMessageNotContaining("null");
            }
            assertThat(bytes.refCnt()).as("seed %s", seed).isEqualTo(1);
            bytes.release();
        }
    }

    private static ByteBuf encode(WalPushVersion version, ProposerMessage message) {
        ByteBuf out = Unpooled.buffer();
        message.encode(version, out);
        return out;
    }

    private static void refused(WalPushVersion version, String hex) {
        assertThatThrownBy(() -> ProposerMessage.decode(version, HexBytes.of(hex)))
                .isInstanceOf(InvalidMessageException.class);
    }

    private static void refusedByProposer(String hex) {
        assertThatThrownBy(() -> AcceptorMessage.decode(WalPushVersion.V3, HexBytes.of(hex)))
                .isInstanceOf(InvalidMessageException.class);
    }
}
