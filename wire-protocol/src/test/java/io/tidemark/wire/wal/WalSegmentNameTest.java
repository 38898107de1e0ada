package io.tidemark.wire.wal;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.wire.id.Lsn;
import org.junit.jupiter.api.Test;

class WalSegmentNameTest {
    private static final int SEGMENT = WalPageHeader.DEFAULT_SEGMENT_SIZE_BYTES;

    @Test
    void namesAreThoseOfPostgres() {
        assertThat(WalSegmentName.holding(Lsn.parse("0/16B3748"), SEGMENT).fileName())
                .isEqualTo("000000010000000000000001");
        assertThat(WalSegmentName.holding(Lsn.parse("2/FF000000"), SEGMENT)
                        .asPartial()
                        .fileName())
                .isEqualTo("0000000100000002000000FF.partial");
        assertThat(WalSegmentName.holding(Lsn.parse("1/40000000"), 1 << 30).fileName())
                .isEqualTo("000000010000000100000001");
        assertThat(WalSegmentName.holding(Lsn.parse("FFFFFFFF/FF000000"), SEGMENT)
                        .fileName())
                .isEqualTo("00000001FFFFFFFF000000FF");
    }

    @Test
    void aNameIsReadBack() {
        for (String name : new String[] {"0000000100000002000000FF", "0000000100000002000000FF.partial"}) {
            WalSegmentName read = WalSegmentName.find(name, SEGMENT).orElseThrow();
            assertThat(read.fileName()).isEqualTo(name);
            assertThat(read.startLsn()).isEqualTo(Lsn.parse("2/FF000000"));
            assertThat(read.endLsn()).isEqualTo(Lsn.parse("3/0"));
            assertThat(read.next().startLsn()).isEqualTo(Lsn.parse("3/0"));
        }
    }

    @Test
    void otherNamesAreNot() {
        for (String name : new String[] {
            "",
            ".partial",
            "archive_status",
            "000000010000000000000100",
            "00000001000000000000000g",
            "0000000100000000000000ff",
            "000000010000000000000001.backup",
            "+00000010000000000000001",
            "00000002.history"
        }) {
            assertThat(WalSegmentName.find(name, SEGMENT)).as(name).isEmpty();
        }
    }
}
