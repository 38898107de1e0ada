package io.tidemark.safekeeper.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.tidemark.safekeeper.acceptor.AcceptorState;
import io.tidemark.safekeeper.control.InvalidControlFileException.Reason;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.TermHistory;
import io.tidemark.wire.walpush.TermLsn;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ControlFileFormatTest {
    private static final Lsn START = Lsn.parse("0/149FD18");
    private static final TenantTimelineId TTID = new TenantTimelineId(
            TenantId.parse("cf0480929707ee75372337efaa5ecf96"), TimelineId.parse("112ded66422aa5e953e5440fa5427ac4"));

    /** A file as Neon writes it: joint configuration, two terms. */
    private static final String VERSION_10 =
            "efcefeca0a00000020000000000000006366303438303932393730376565373533373233333765666161356563663936"
                    + "200000000000000031313264656436363432326161356539353365353434306661353432376163340200000001000000"
                    + "0000000001000000000000000300000000000000736b314e150101000000000000000200000000000000030000000000"
                    + "0000736b324e1508000000000000000200000000000000000000000000000018fd490100000000080000000000000018"
                    + "fd49010000000014980200efcdab89674523010000000120000000000000003030303030303030303030303030303030"
                    + "30303030303030303030303030303018fd49010000000018fd49010000000020fd49010000000018fd49010000000018"
                    + "fd490100000000000000000000000000000000000000000000000000f153650000000000000000cfcd4c60";

    /** A file as Neon writes it for a timeline that has seen nothing but its greeting. */
    private static final String VERSION_9 =
            "efcefeca0900000020000000000000006366303438303932393730376565373533373233333765666161356563663936"
                    + "200000000000000031313264656436363432326161356539353365353434306661353432376163340000000000000000"
                    + "000000000000000014980200000000000000000000000001200000000000000030303030303030303030303030303030"
                    + "303030303030303030303030303030300000000000000000000000000000000000000000000000000000000000000000"
                    + "0000000000000000000000000000000000000000000000000000000000000000000000009f7afc15";

    static final AcceptorState JOINT = new AcceptorState(
            TTID,
            Term.of(8),
            TermHistory.of(new TermLsn(Term.ZERO, START), new TermLsn(Term.of(8), START)),
            new MembershipConfig(
                    2,
                    List.of(new MembershipConfig.Member(new NodeId(1), "sk1", 5454)),
                    List.of(new MembershipConfig.Member(new NodeId(2), "sk2", 5454))),
            PgVersion.of(170004),
            SystemId.of(0x0123456789abcdefL),
            16 << 20,
            START,
            START,
            START.plus(8),
            START,
            START,
            Lsn.INVALID,
            1_700_000_000_000L);

    static final AcceptorState FRESH = new AcceptorState(
            TTID,
            Term.ZERO,
            TermHistory.EMPTY,
            MembershipConfig.NONE,
            PgVersion.of(170004),
            SystemId.UNKNOWN,
            16 << 20,
            Lsn.INVALID,
            Lsn.INVALID,
            Lsn.INVALID,
            Lsn.INVALID,
            Lsn.INVALID,
            Lsn.INVALID,
            0);

    @Test
    void writesWhatNeonWrites() {
        assertThat(ByteBufUtil.hexDump(ControlFileFormat.encode(JOINT))).isEqualTo(VERSION_10);
        assertThat(ByteBufUtil.hexDump(ControlFileFormat.encode(FRESH))).isEqualTo(VERSION_9);
    }

    @Test
    void readsWhatNeonWrites() throws InvalidControlFileException {
        assertThat(ControlFileFormat.decode(bytes(VERSION_10))).isEqualTo(JOINT);
        assertThat(ControlFileFormat.decode(bytes(VERSION_9))).isEqualTo(FRESH);
    }

    @Test
    void decodingLeavesTheBufferAlone() throws InvalidControlFileException {
        ByteBuf file =
                Unpooled.buffer().writeLong(1).writeBytes(bytes(VERSION_9)).skipBytes(8);
        assertThat(ControlFileFormat.decode(file)).isEqualTo(FRESH);
        assertThat(file.readerIndex()).isEqualTo(8);
    }

    @Test
    void readsVersionsThatLackTheNewestFields() throws InvalidControlFileException {
        // The vector ends with 8 bytes of peers, 8 of backups, 4 of eviction state, 4 of CRC.
        ByteBuf body = bytes(VERSION_9).slice(8, 232 - 8 - 24);
        assertThat(ControlFileFormat.decode(file(8, body, "0000000000000000" + "0000000000000000")))
                .isEqualTo(FRESH);
        assertThat(ControlFileFormat.decode(file(7, body, "0000000000000000"))).isEqualTo(FRESH);
    }

    @Test
    void skipsPeersAndPartialBackups() throws InvalidControlFileException {
        ByteBuf body = bytes(VERSION_9).slice(8, 232 - 8 - 24);
        String peer = "0100000000000000" + "ff".repeat(40);
        String backup = "0100000000000000" + "01000000" + "0300000000000000" + "616263" + "ff".repeat(24);
        assertThat(ControlFileFormat.decode(file(9, body, peer + backup + "00000000")))
                .isEqualTo(FRESH);
    }

    @Test
    void eachKindOfWrongFileIsAnErrorOfItsOwn() {
        ByteBuf body = bytes(VERSION_9).slice(8, 232 - 8 - 4);
        assertThat(reasonOf(bytes(VERSION_9).setByte(0, 0))).isEqualTo(Reason.NOT_A_CONTROL_FILE);
        assertThat(reasonOf(file(11, body, ""))).isEqualTo(Reason.TOO_NEW);
        assertThat(reasonOf(file(-1, body, ""))).isEqualTo(Reason.TOO_NEW);
        assertThat(reasonOf(file(6, body, ""))).isEqualTo(Reason.TOO_OLD);
        assertThat(reasonOf(bytes(VERSION_9).setByte(100, 0x7f))).isEqualTo(Reason.CORRUPT);
        assertThat(reasonOf(file(9, body, "00"))).isEqualTo(Reason.CORRUPT);
        ByteBuf start = bytes(VERSION_9).slice(8, 232 - 8 - 8);
        assertThat(reasonOf(file(9, start, "01000000" + "18fd490100000000"))).isEqualTo(Reason.UNSUPPORTED);
        assertThat(reasonOf(file(9, start, "02000000"))).isEqualTo(Reason.CORRUPT);
    }

    @Test
    void everyStrictPrefixIsRefused() {
        for (String whole : List.of(VERSION_9, VERSION_10)) {
            ByteBuf file = bytes(whole);
            for (int length = 0; length < file.readableBytes(); length++) {
                assertThat(reasonOf(file.slice(0, length)))
                        .as("first %s bytes", length)
                        .isEqualTo(Reason.CORRUPT);
            }
        }
    }

    @Test
    void everyFlippedBitIsNoticed() {
        for (String whole : List.of(VERSION_9, VERSION_10)) {
            for (int bit = 0; bit < whole.length() * 4; bit++) {
                ByteBuf file = bytes(whole);
                file.setByte(bit / 8, file.getByte(bit / 8) ^ 1 << bit % 8);
                assertThat(reasonOf(file)).as("bit %s", bit).isNotNull();
            }
        }
    }

    /** Damage under a CRC that fits, as a hostile snapshot would have it: a state or the typed error, and no huge allocation. */
    @Test
    void hostileBytesGiveAStateOrATypedError() {
        SplittableRandom random = new SplittableRandom(1);
        int refused = 0;
        for (int round = 0; round < 20_000; round++) {
            ByteBuf whole = bytes(random.nextBoolean() ? VERSION_9 : VERSION_10);
            ByteBuf body = whole.slice(8, whole.readableBytes() - 12);
            for (int flips = random.nextInt(4); flips >= 0; flips--) {
                body.setByte(random.nextInt(body.readableBytes()), random.nextBoolean() ? random.nextInt() : 0xff);
            }
            ByteBuf file = file(
                    whole.getIntLE(4),
                    body.slice(0, random.nextInt(4) > 0 ? body.readableBytes() : random.nextInt(body.readableBytes())),
                    "");
            try {
                AcceptorState state = ControlFileFormat.decode(file);
                assertThat(state).isNotNull();
            } catch (InvalidControlFileException e) {
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(1000);
    }

    private static ByteBuf file(int version, ByteBuf body, String moreHex) {
        ByteBuf file = Unpooled.buffer().writeIntLE(ControlFileFormat.MAGIC).writeIntLE(version);
        file.writeBytes(body.duplicate()).writeBytes(bytes(moreHex));
        CRC32C crc = new CRC32C();
        crc.update(file.nioBuffer());
        return file.writeIntLE((int) crc.getValue());
    }

    private static @Nullable Reason reasonOf(ByteBuf file) {
        InvalidControlFileException e =
                catchThrowableOfType(InvalidControlFileException.class, () -> ControlFileFormat.decode(file));
        return e == null ? null : e.reason();
    }

    private static ByteBuf bytes(String hex) {
        return Unpooled.wrappedBuffer(ByteBufUtil.decodeHexDump(hex));
    }
}
