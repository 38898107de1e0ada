package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.pgpage.SlruPages;
import io.tidemark.pageserver.pgpage.VisibilityMap;

/** Applies the changes that are no WAL records: visibility bits, and everything of the SLRUs. */
public final class ChangeRedo {
    private ChangeRedo() {}

    /**
     * Makes the change; the page's LSN stays.
     *
     * @return false when the value is not such a change, and the page is untouched
     */
    public static boolean apply(Value change, byte[] page) {
        switch (change) {
            case Value.VisibilityCleared cleared -> {
                for (int i = 0; i < cleared.heapBlocks().length; i++) {
                    VisibilityMap.clear(page, cleared.heapBlocks()[i], cleared.bits()[i]);
                }
            }
            case Value.VisibilityTruncated truncated -> VisibilityMap.truncate(page, truncated.heapBlocks());
            case Value.TransactionStatus status -> {
                for (int xid : status.xids()) {
                    SlruPages.setStatus(page, xid, status.status());
                }
            }
            case Value.MultixactOffsets multis -> {
                for (int i = 0; i < multis.multis().length; i++) {
                    SlruPages.setOffset(page, multis.multis()[i], multis.offsets()[i]);
                }
            }
            case Value.MultixactMembers members -> {
                for (int i = 0; i < members.xids().length; i++) {
                    SlruPages.setMember(page, members.firstOffset() + i, members.xids()[i], members.flags()[i]);
                }
            }
            case Value.Redo record -> {
                return false;
            }
            case Value.Image image -> {
                return false;
            }
            case Value.ZeroPage zeros -> {
                return false;
            }
            case Value.Removed removed -> {
                return false;
            }
        }
        return true;
    }
}
