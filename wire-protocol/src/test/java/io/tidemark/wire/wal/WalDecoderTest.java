package io.tidemark.wire.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.github.luben.zstd.Zstd;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.InvalidWalException.Reason;
import java.util.Arrays;
import java.util.Random;
import net.jpountz.lz4.LZ4Factory;
import org.junit.jupiter.api.Test;

class WalDecoderTest {
    private static final Lsn START = Lsn.parse("0/1000028");
    private static final Lsn END = Lsn.parse("0/1000100");

    /** A record with the given bytes after its header. */
    private static byte[] record(int rmgr, ByteBuf body) {
        int total = 24 + body.readableBytes();
        ByteBuf out = Unpooled.buffer();
        out.writeIntLE(total)
                .writeIntLE(735)
                .writeLongLE(0x1000000)
                .writeByte(0x10)
                .writeByte(rmgr);
        out.writeShortLE(0).writeIntLE(0xCAFE).writeBytes(body);
        byte[] bytes = new byte[total];
        out.readBytes(bytes);
        return bytes;
    }

    private static WalRecord decode(int major, byte[] record) throws InvalidWalException {
        // Bytes around the record that do not belong to it must not matter.
        byte[] padded = new byte[record.length + 200];
        Arrays.fill(padded, (byte) 0x55);
        System.arraycopy(record, 0, padded, 100, record.length);
        return new WalDecoder(major).decode(padded, 100, record.length, START, END);
    }

    private static Reason refusal(int major, ByteBuf body) {
        InvalidWalException e = catchThrowableOfType(InvalidWalException.class, () -> decode(major, record(10, body)));
        assertThat(e).isNotNull();
        assertThat(e.lsn()).isEqualTo(START);
        return e.reason();
    }

    private static ByteBuf body() {
        return Unpooled.buffer();
    }

    private static ByteBuf locator(ByteBuf out, int rel) {
        return out.writeIntLE(1663).writeIntLE(5).writeIntLE(rel);
    }

    private static ByteBuf block(ByteBuf out, int id, int flags, int dataLength) {
        return out.writeByte(id).writeByte(flags).writeShortLE(dataLength);
    }

    @Test
    void everyPartOfARecordIsFound() throws Exception {
        ByteBuf body = body();
        locator(block(body, 0, 0x20, 3), 1259).writeIntLE(7);
        block(body, 2, 0x80 | 0x40 | 0x02, 0).writeIntLE(-2);
        body.writeByte(253).writeShortLE(9);
        body.writeByte(252).writeIntLE(-5);
        body.writeByte(255).writeByte(2);
        body.writeBytes(new byte[] {1, 2, 3}).writeBytes(new byte[] {8, 9});
        byte[] bytes = record(10, body);
        WalRecord record = decode(17, bytes);
        assertThat(record.start()).isEqualTo(START);
        assertThat(record.end()).isEqualTo(END);
        assertThat(record.totalLength()).isEqualTo(bytes.length);
        assertThat(record.xid()).isEqualTo(735);
        assertThat(record.prev()).isEqualTo(Lsn.parse("0/1000000"));
        assertThat(record.info()).isEqualTo(0x10);
        assertThat(record.rmgrId()).isEqualTo(10);
        assertThat(record.crc()).isEqualTo(0xCAFE);
        assertThat(record.originId()).isEqualTo(9);
        assertThat(record.topLevelXid()).isEqualTo(-5);
        assertThat(record.mainData()).containsExactly(8, 9);
        assertThat(record.imageLength()).isZero();
        assertThat(record.toBytes()).isEqualTo(bytes);
        assertThat(record.blocks()).hasSize(2);
        BlockReference first = record.blocks().get(0);
        assertThat(first.data()).containsExactly(1, 2, 3);
        assertThat(first.willInit()).isFalse();
        BlockReference second = record.blocks().get(1);
        assertThat(second.id()).isEqualTo(2);
        assertThat(second.fork()).isEqualTo(2);
        assertThat(second.willInit()).isTrue();
        assertThat(second.tablespace()).isEqualTo(1663);
        assertThat(second.database()).isEqualTo(5);
        assertThat(second.relation()).isEqualTo(1259);
        assertThat(second.block()).isEqualTo(-2);
        assertThat(second.data()).isEmpty();
    }

    @Test
    void longMainDataAndNoneAtAll() throws Exception {
        byte[] data = new byte[300];
        data[299] = 1;
        assertThat(decode(14, record(1, body().writeByte(254).writeIntLE(300).writeBytes(data)))
                        .mainData())
                .isEqualTo(data);
        WalRecord empty = decode(14, record(0, body()));
        assertThat(empty.mainDataLength()).isZero();
        assertThat(empty.blocks()).isEmpty();
    }

    private static byte[] page(int holeOffset, int holeLength) {
        byte[] page = new byte[8192];
        Random random = new Random(1);
        for (int i = 0; i < page.length; i++) {
            page[i] = (byte) random.nextInt(3);
        }
        Arrays.fill(page, holeOffset, holeOffset + holeLength, (byte) 0);
        return page;
    }

    private static byte[] withoutHole(byte[] page, int holeOffset, int holeLength) {
        byte[] raw = new byte[page.length - holeLength];
        System.arraycopy(page, 0, raw, 0, holeOffset);
        System.arraycopy(page, holeOffset + holeLength, raw, holeOffset, raw.length - holeOffset);
        return raw;
    }

    private static ByteBuf image(byte[] packed, int holeOffset, int info, int holeLength) {
        ByteBuf out = block(body(), 0, 0x10, 0);
        out.writeShortLE(packed.length).writeShortLE(holeOffset).writeByte(info);
        if (holeLength > 0) {
            out.writeShortLE(holeLength);
        }
        return locator(out, 1).writeIntLE(0).writeBytes(packed);
    }

    private static void restores(int major, ByteBuf body, byte[] expected, boolean apply) throws Exception {
        PageImage image = decode(major, record(10, body)).blocks().get(0).image();
        assertThat(image).isNotNull();
        assertThat(image.apply()).isEqualTo(apply);
        byte[] page = new byte[8192];
        Arrays.fill(page, (byte) 0x77);
        image.restore(page);
        assertThat(page).isEqualTo(expected);
    }

    @Test
    void plainImagesWithAndWithoutAHole() throws Exception {
        for (int major = 14; major <= 18; major++) {
            int apply = major == 14 ? 4 : 2;
            byte[] page = page(100, 1000);
            restores(major, image(withoutHole(page, 100, 1000), 100, 1 | apply, 0), page, true);
            restores(major, image(page, 0, apply, 0), page, true);
            restores(major, image(page, 0, 0, 0), page, false);
        }
    }

    @Test
    void lz4AndZstdImagesWithAndWithoutAHole() throws Exception {
        for (int hole : new int[] {0, 5000}) {
            byte[] page = page(64, hole);
            byte[] raw = withoutHole(page, 64, hole);
            int flags = 2 | (hole > 0 ? 1 : 0);
            byte[] lz4 = LZ4Factory.safeInstance().fastCompressor().compress(raw);
            restores(16, image(lz4, hole > 0 ? 64 : 0, flags | 8, hole), page, true);
            restores(16, image(Zstd.compress(raw), hole > 0 ? 64 : 0, flags | 16, hole), page, true);
        }
    }

    @Test
    void pglzMatchesMayOverlapAndBeLong() throws Exception {
        // "ab", then a match at distance 2 of 18 + 255 bytes, again and again, then one that is cut by the end.
        ByteBuf packed = body().writeByte(0b11111100).writeByte('a').writeByte('b');
        int produced = 2;
        for (int items = 2; produced < 8192; items++) {
            if (items % 8 == 0) {
                packed.writeByte(0xFF);
            }
            packed.writeByte(0x0F).writeByte(2).writeByte(255);
            produced += 273;
        }
        byte[] bytes = new byte[packed.readableBytes()];
        packed.readBytes(bytes);
        byte[] expected = new byte[8192];
        for (int i = 0; i < expected.length; i++) {
            expected[i] = (byte) (i % 2 == 0 ? 'a' : 'b');
        }
        restores(14, image(bytes, 0, 2 | 4, 0), expected, true);
        restores(15, image(bytes, 0, 4 | 2, 0), expected, true);
    }

    @Test
    void imagesThatDoNotUnpackAreRefused() throws Exception {
        Random random = new Random(7);
        int refused = 0;
        for (int i = 0; i < 3000; i++) {
            byte[] raw = page(0, 0);
            byte[] packed = switch (i % 3) {
                case 0 -> LZ4Factory.safeInstance().fastCompressor().compress(raw);
                case 1 -> Zstd.compress(raw);
                default -> new byte[500];
            };
            for (int k = 0; k < 4; k++) {
                packed[random.nextInt(packed.length)] = (byte) random.nextInt(256);
            }
            int cut = random.nextInt(packed.length) + 1;
            int flag = i % 3 == 0 ? 8 : i % 3 == 1 ? 16 : 4;
            PageImage image = decode(18, record(10, image(Arrays.copyOf(packed, cut), 0, flag, 0)))
                    .blocks()
                    .get(0)
                    .image();
            assertThat(image).isNotNull();
            try {
                image.restore(new byte[8192]);
            } catch (InvalidWalException e) {
                assertThat(e.reason()).isEqualTo(Reason.IMAGE);
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(2000);
    }

    @Test
    void contradictionsAreRefused() {
        byte[] page = new byte[8192];
        // flags and data length
        assertThat(refusal(17, locator(block(body(), 0, 0x20, 0), 1).writeIntLE(0)))
                .isEqualTo(Reason.RECORD_BODY);
        assertThat(refusal(17, locator(block(body(), 0, 0, 4), 1).writeIntLE(0).writeIntLE(0)))
                .isEqualTo(Reason.RECORD_BODY);
        // order of ids
        ByteBuf twice = locator(block(body(), 1, 0, 0), 1).writeIntLE(0);
        assertThat(refusal(17, block(twice, 1, 0x80, 0).writeIntLE(0))).isEqualTo(Reason.RECORD_BODY);
        // no relation to repeat, no such fork, no such fragment
        assertThat(refusal(17, block(body(), 0, 0x80, 0).writeIntLE(0))).isEqualTo(Reason.RECORD_BODY);
        assertThat(refusal(17, locator(block(body(), 0, 4, 0), 1).writeIntLE(0)))
                .isEqualTo(Reason.RECORD_BODY);
        assertThat(refusal(17, body().writeByte(33).writeZero(20))).isEqualTo(Reason.RECORD_BODY);
        // more or less data than announced
        assertThat(refusal(17, body().writeByte(255).writeByte(5).writeZero(4))).isEqualTo(Reason.RECORD_BODY);
        assertThat(refusal(17, body().writeByte(255).writeByte(5).writeZero(6))).isEqualTo(Reason.RECORD_BODY);
        assertThat(refusal(17, body().writeByte(254).writeIntLE(-1).writeZero(6)))
                .isEqualTo(Reason.RECORD_BODY);
        assertThat(refusal(17, body().writeByte(254).writeShortLE(1))).isEqualTo(Reason.RECORD_BODY);
        // holes and lengths
        assertThat(refusal(17, image(page, 0, 1, 0))).isEqualTo(Reason.RECORD_BODY);
        assertThat(refusal(17, image(new byte[8000], 0, 1, 0))).isEqualTo(Reason.RECORD_BODY);
        assertThat(refusal(17, image(new byte[8000], 8100, 1, 0))).isEqualTo(Reason.RECORD_BODY);
        assertThat(refusal(17, image(new byte[8000], 0, 0, 0))).isEqualTo(Reason.RECORD_BODY);
        assertThat(refusal(17, image(page, 0, 4, 0))).isEqualTo(Reason.RECORD_BODY);
        assertThat(refusal(17, image(new byte[9000], 0, 0, 0))).isEqualTo(Reason.RECORD_BODY);
        assertThat(refusal(17, image(new byte[100], 0, 4 | 8, 0))).isEqualTo(Reason.RECORD_BODY);
        assertThat(refusal(17, image(new byte[100], 8000, 1 | 4, 300))).isEqualTo(Reason.RECORD_BODY);
    }

    @Test
    void customResourceManagersExistFrom15On() throws Exception {
        assertThat(decode(15, record(128, body())).rmgrId()).isEqualTo(128);
        for (int[] majorAndRmgr : new int[][] {{14, 128}, {14, 22}, {18, 22}, {18, 127}}) {
            InvalidWalException e = catchThrowableOfType(
                    InvalidWalException.class, () -> decode(majorAndRmgr[0], record(majorAndRmgr[1], body())));
            assertThat(e.reason()).isEqualTo(Reason.RESOURCE_MANAGER);
        }
    }

    @Test
    void arbitraryBytesGiveARecordOrATypedError() {
        ByteBuf good = locator(block(body(), 0, 0x20, 3), 1259).writeIntLE(7);
        block(good, 1, 0xB0, 2)
                .writeShortLE(8000)
                .writeShortLE(100)
                .writeByte(3)
                .writeIntLE(9);
        good.writeByte(253).writeShortLE(1).writeByte(254).writeIntLE(10);
        good.writeZero(3 + 8000 + 2 + 10);
        byte[] template = record(10, good);
        Random random = new Random(3);
        int refused = 0;
        for (int i = 0; i < 200_000; i++) {
            byte[] bytes = template.clone();
            for (int k = random.nextInt(1, 4); k > 0; k--) {
                bytes[24 + random.nextInt(60)] = (byte) random.nextInt(256);
            }
            int major = 14 + random.nextInt(5);
            try {
                for (BlockReference block : decode(major, bytes).blocks()) {
                    block.data();
                    PageImage image = block.image();
                    if (image != null) {
                        image.restore(new byte[8192]);
                    }
                }
            } catch (InvalidWalException e) {
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(100_000);
    }
}
