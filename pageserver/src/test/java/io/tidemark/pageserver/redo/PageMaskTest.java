package io.tidemark.pageserver.redo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.pageserver.pgpage.BtreePage;
import io.tidemark.pageserver.pgpage.GinPage;
import io.tidemark.pageserver.pgpage.GistPage;
import io.tidemark.pageserver.pgpage.HashPage;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.PageException;
import io.tidemark.wire.wal.ResourceManagers;
import java.util.Arrays;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What a mask hides, and what it must not hide. */
class PageMaskTest {
    @Test
    void theHeaderIsHiddenButNotItsPointers() {
        Page page = heapPage();
        assertThat(hides(ResourceManagers.HEAP, page, p -> p.setLsn(99))).isTrue();
        assertThat(hides(ResourceManagers.HEAP, page, p -> p.putU16(Page.PD_CHECKSUM, 99)))
                .isTrue();
        assertThat(hides(ResourceManagers.HEAP, page, p -> p.putI32(Page.PD_PRUNE_XID, 99)))
                .isTrue();
        assertThat(hides(ResourceManagers.HEAP, page, p -> p.setFlags(Page.PD_ALL_VISIBLE)))
                .isTrue();
        assertThat(hides(ResourceManagers.HEAP, page, p -> p.setUpper(p.upper() - 8)))
                .isFalse();
        assertThat(hides(ResourceManagers.HEAP, page, p -> p.putU8(p.upper() - 1, 99)))
                .isTrue();
    }

    @Test
    void heapTuplesLoseHintsOnly() {
        Page page = heapPage();
        int tuple = page.itemOffset(1);
        assertThat(hides(ResourceManagers.HEAP, page, p -> p.putU16(tuple + 20, 0x0900)))
                .isTrue();
        assertThat(hides(ResourceManagers.HEAP, page, p -> p.putI32(tuple + 8, 5)))
                .isTrue();
        assertThat(hides(ResourceManagers.HEAP, page, p -> p.putU8(tuple + 29, 5)))
                .as("padding")
                .isTrue();
        assertThat(hides(ResourceManagers.HEAP, page, p -> p.putU8(tuple + 28, 5)))
                .as("data")
                .isFalse();
        assertThat(hides(ResourceManagers.HEAP, page, p -> p.putI32(tuple + 4, 5)))
                .as("xmax")
                .isFalse();
        assertThat(hides(ResourceManagers.HEAP, page, p -> p.putU16(tuple + 20, 0x0001)))
                .as("nulls")
                .isFalse();
        assertThat(hides(ResourceManagers.HEAP, page, p -> p.putU16(tuple + 16, 5)))
                .as("ctid")
                .isFalse();
        page.putU16(tuple + 20, 0x0300);
        assertThat(hides(ResourceManagers.HEAP, page, p -> p.putU16(tuple + 20, 0x0B00)))
                .as("xmax of a frozen tuple")
                .isTrue();
        assertThat(hides(ResourceManagers.HEAP, page, p -> p.putU16(tuple + 20, 0x0100)))
                .as("frozen or not")
                .isFalse();
    }

    @Test
    void killedEntriesAreHiddenOnLeavesOnly() {
        for (int flags : new int[] {0, BtreePage.BTP_LEAF}) {
            Page page = new Page(new byte[Page.SIZE_BYTES]);
            BtreePage.init(page, 0, 0, 0, flags);
            page.addItem(new byte[16], 0, 16, 1);
            boolean leaf = flags != 0;
            assertThat(hides(ResourceManagers.BTREE, page, p -> p.setItem(1, p.itemOffset(1), Page.LP_DEAD, 16)))
                    .isEqualTo(leaf);
            assertThat(hides(ResourceManagers.BTREE, page, p -> p.setItem(1, p.itemOffset(1), Page.LP_NORMAL, 8)))
                    .isFalse();
            assertThat(hides(ResourceManagers.BTREE, page, p -> p.putU16(BtreePage.BTPO_CYCLEID, 7)))
                    .isTrue();
            assertThat(hides(ResourceManagers.BTREE, page, p -> p.putI32(BtreePage.BTPO_NEXT, 7)))
                    .isFalse();
        }
    }

    @Test
    void pagesThatAreGoneKeepTheirHeaderOnly() {
        Page gin = new Page(new byte[Page.SIZE_BYTES]);
        GinPage.init(gin, GinPage.DATA | GinPage.DELETED);
        assertThat(hides(ResourceManagers.GIN, gin, p -> p.putU8(4000, 7))).isTrue();
        GinPage.clearFlags(gin, GinPage.DELETED);
        gin.setLower(4100);
        assertThat(hides(ResourceManagers.GIN, gin, p -> p.putU8(4000, 7))).isFalse();
        Page hash = new Page(new byte[Page.SIZE_BYTES]);
        HashPage.init(hash, -1, -1, -1, HashPage.LH_UNUSED_PAGE);
        assertThat(hides(ResourceManagers.HASH, hash, p -> p.putU8(4000, 7))).isTrue();
        assertThat(hides(ResourceManagers.HASH, hash, p -> p.putI32(HashPage.HASHO_BUCKET, 7)))
                .isTrue();
        HashPage.init(hash, -1, -1, 5, HashPage.LH_BUCKET_PAGE);
        assertThat(hides(ResourceManagers.HASH, hash, p -> p.putI32(HashPage.HASHO_BUCKET, 7)))
                .isFalse();
    }

    @Test
    void gistHidesWhatThePrimaryChangesLater() {
        Page page = new Page(new byte[Page.SIZE_BYTES]);
        GistPage.init(page, GistPage.LEAF);
        assertThat(hides(ResourceManagers.GIST, page, p -> GistPage.setNsn(p, 7)))
                .isTrue();
        assertThat(hides(ResourceManagers.GIST, page, p -> GistPage.setFlags(p, GistPage.LEAF | GistPage.FOLLOW_RIGHT)))
                .isTrue();
        assertThat(hides(ResourceManagers.GIST, page, p -> p.putI32(GistPage.RIGHTLINK, 7)))
                .isFalse();
    }

    @Test
    void nonsenseIsRefused() {
        Page page = heapPage();
        page.setUpper(9000);
        assertThatThrownBy(() -> PageMask.apply(ResourceManagers.HEAP, 5, page.bytes()))
                .isInstanceOf(PageException.class)
                .hasMessageContaining("corrupted page pointers");
        assertThat(PageMask.exists(ResourceManagers.XLOG)).isFalse();
        assertThat(PageMask.exists(ResourceManagers.SEQUENCE)).isTrue();
    }

    private static boolean hides(int rmgrId, Page page, Consumer<Page> change) {
        byte[] before = page.bytes().clone();
        byte[] after = page.bytes().clone();
        change.accept(new Page(after));
        PageMask.apply(rmgrId, 5, before);
        PageMask.apply(rmgrId, 5, after);
        return Arrays.equals(before, after);
    }

    /** One tuple of 29 bytes: a header of 24 and five of data, three of padding behind. */
    private static Page heapPage() {
        Page page = new Page(new byte[Page.SIZE_BYTES]);
        page.init(0);
        page.addItem(new byte[29], 0, 29, 0);
        return page;
    }
}
