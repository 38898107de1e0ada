package io.tidemark.wire.wal;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.SystemId;
import java.util.List;
import org.junit.jupiter.api.Test;

class WalPageHeaderTest {
    @Test
    void whatIsEncodedIsDecoded() {
        List<WalPageHeader> headers = List.of(
                WalPageHeader.shortHeader(0xD118, 1, 1, Lsn.parse("1/2000"), 77),
                WalPageHeader.longHeader(0xD10D, 8, 1, Lsn.parse("1/0"), 0, SystemId.of(-2), 16 << 20));
        for (WalPageHeader header : headers) {
            ByteBuf out = Unpooled.buffer();
            header.encode(out);
            assertThat(out.readableBytes()).isEqualTo(header.sizeBytes());
            assertThat(WalPageHeader.decode(out.nioBuffer(), 0)).isEqualTo(header);
        }
    }

    @Test
    void magicAndMajorAreInverse() {
        for (int major = 14; major <= 18; major++) {
            assertThat(WalPageHeader.majorOf(WalPageHeader.magicOf(major))).isEqualTo(major);
        }
        assertThat(WalPageHeader.majorOf(0)).isZero();
    }
}
