package io.tidemark.pageserver.pgpage;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PageChecksumTest {
    /** Values of an implementation that agreed with each of 3069 pages that PostgreSQL 16 had written. */
    @Test
    void thePageAndItsNumberMakeTheChecksum() {
        byte[] page = page();
        assertThat(PageChecksum.of(page, 0)).isEqualTo(62_803);
        assertThat(PageChecksum.of(page, 1)).isEqualTo(62_802);
        assertThat(PageChecksum.of(page, 0xFFFFFFFE)).isEqualTo(2_735);
    }

    @Test
    void theChecksumDoesNotCountItself() {
        byte[] page = page();
        PageChecksum.set(page, 7);
        int checksum = new Page(page).u16(Page.PD_CHECKSUM);
        assertThat(checksum).isEqualTo(PageChecksum.of(page, 7));
        assertThat(PageChecksum.of(page(), 7)).isEqualTo(checksum);
    }

    @Test
    void everyOtherByteCounts() {
        byte[] page = page();
        int checksum = PageChecksum.of(page, 7);
        for (int i = 0; i < page.length; i++) {
            page[i] ^= 1;
            boolean isItself = i == Page.PD_CHECKSUM || i == Page.PD_CHECKSUM + 1;
            assertThat(PageChecksum.of(page, 7) == checksum).as("byte %d", i).isEqualTo(isItself);
            page[i] ^= 1;
        }
    }

    @Test
    void aNewPageHasNone() {
        byte[] page = new byte[Page.SIZE_BYTES];
        page[Page.PD_CHECKSUM] = 5;
        PageChecksum.set(page, 7);
        assertThat(page).isEqualTo(new byte[Page.SIZE_BYTES]);
    }

    private static byte[] page() {
        byte[] page = new byte[Page.SIZE_BYTES];
        for (int i = 0; i < page.length; i++) {
            page[i] = (byte) (i * 31 + (i >> 8));
        }
        return page;
    }
}
