package io.tidemark.pageserver.verify;

import io.tidemark.pageserver.pgpage.BrinPage;
import io.tidemark.pageserver.pgpage.GistPage;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.redo.PageMask;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.PageImage;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalRecord;
import java.util.Arrays;

/**
 * Where PostgreSQL differs from itself: what its own redo makes is not what its primary has. Each is forgiven exactly, and counted.
 *
 * <ul>
 *   <li>Redo of GiST DELETE sets F_TUPLES_DELETED, which the primary's removal of killed tuples does not, and the mask does not
 *       hide it (gistRedoDeleteRecord against gistprunepage). 14 to 18.
 *   <li>CREATE DATABASE with the strategy wal_log logs each page as if nothing stood between pd_lower and pd_upper
 *       (RelationCopyStorageUsingBuffer). Pages of the visibility map and of BRIN's range map have all their content there, so it
 *       arrives as zeros: nothing is all-visible, nothing is summarised. 15 to 18.
 *   <li>With full_page_writes off the first hint on a page after a checkpoint is logged without the page: the primary stamps it,
 *       redo has nothing to restore and does not (XLogSaveBufferForHint against xlog_redo). 15 to 18.
 *   <li>A GiST index built by sorting writes its pages with GistBuildLSN to the file before they are logged and stamped
 *       (gist_indexsortbuild_flush_ready_pages). 14 to 16.
 * </ul>
 *
 * <p>The last two concern the page's LSN only.
 */
final class KnownDifferences {
    private static final int OPCODE = 0xF0;
    private static final int GIST_DELETE = 0x10;
    private static final long GIST_BUILD_LSN = 1;

    private KnownDifferences() {}

    /** Whether an image that was just restored to a page has lost the page's content. */
    static boolean isEmptied(BlockReference block, PageImage image, byte[] bytes) {
        Page page = new Page(bytes);
        boolean contentInHole = block.fork() == Fork.VM.number()
                || block.fork() == Fork.MAIN.number()
                        && PageKind.of(bytes) == PageKind.BRIN
                        && page.u16(BrinPage.TYPE) == BrinPage.BRIN_PAGETYPE_REVMAP;
        return contentInHole && image.holeLength() == page.special() - Page.HEADER_SIZE_BYTES;
    }

    /** Whether two pages, one of them emptied, agree in all but the content that was lost. */
    static boolean agreeOutsideOfContent(byte[] expected, byte[] actual) {
        int special = new Page(expected).special();
        return Arrays.equals(expected, Page.PD_FLAGS, Page.PD_PRUNE_XID, actual, Page.PD_FLAGS, Page.PD_PRUNE_XID)
                && Arrays.equals(expected, special, Page.SIZE_BYTES, actual, special, Page.SIZE_BYTES);
    }

    /** Whether the flag of a GiST DELETE is all that differs; then takes it from {@code actual}. */
    static boolean forgiveTuplesDeleted(WalRecord record, BlockReference block, byte[] expected, byte[] actual) {
        if (record.rmgrId() != ResourceManagers.GIST
                || (record.info() & OPCODE) != GIST_DELETE
                || (expected[GistPage.FLAGS] & GistPage.TUPLES_DELETED) != 0
                || (actual[GistPage.FLAGS] & GistPage.TUPLES_DELETED) == 0) {
            return false;
        }
        byte[] left = expected.clone();
        byte[] right = actual.clone();
        right[GistPage.FLAGS] &= (byte) ~GistPage.TUPLES_DELETED;
        PageMask.apply(ResourceManagers.GIST, block.block(), left);
        PageMask.apply(ResourceManagers.GIST, block.block(), right);
        if (!Arrays.equals(left, right)) {
            return false;
        }
        actual[GistPage.FLAGS] &= (byte) ~GistPage.TUPLES_DELETED;
        return true;
    }

    /** Whether a page's LSN differs as it may, having been last stamped by what only one side does. */
    static boolean isLsnExplained(ReplayedRelation.Held held, byte[] disk) {
        long onDisk = new Page(disk).lsn();
        long replayed = new Page(held.bytes).lsn();
        boolean hint = onDisk == held.stampedByPrimary && Long.compareUnsigned(onDisk, replayed) > 0;
        boolean sortedBuild =
                onDisk == GIST_BUILD_LSN && PageKind.of(disk) == PageKind.GIST && replayed == held.broughtWhole;
        return hint || sortedBuild;
    }

    /** For comparing at the end, when it is not known any more which record set or did not set the flag. */
    static void hideTuplesDeleted(byte[] page) {
        page[GistPage.FLAGS] &= (byte) ~GistPage.TUPLES_DELETED;
    }
}
