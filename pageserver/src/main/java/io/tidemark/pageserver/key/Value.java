package io.tidemark.pageserver.key;

/**
 * What happened to a key at an LSN: either all of it, or a change to the version before.
 *
 * <p>Instances are handed over with their arrays: nobody changes them afterwards. {@link ValueFormat} has the bytes.
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public sealed interface Value {
    Value REMOVED = new Removed();
    Value ZERO_PAGE = new ZeroPage();

    /** Whether no older version of the key is needed. */
    boolean isBase();

    /** It no longer exists, or never did. */
    record Removed() implements Value {
        @Override
        public boolean isBase() {
            return true;
        }
    }

    /** A page of zeros: created, not yet written to. */
    record ZeroPage() implements Value {
        @Override
        public boolean isBase() {
            return true;
        }
    }

    /** Everything: a page or a small value. */
    record Image(byte[] bytes) implements Value {
        @Override
        public boolean isBase() {
            return true;
        }
    }

    /**
     * What a WAL record does to one of its blocks.
     *
     * @param blockId which of the record's block references this page is
     * @param beforeEnd how many bytes before the value's LSN, its end, the record starts
     * @param onZeros the page is built from nothing, whatever was there: the reference says WILL_INIT, or the page is new to its
     *     relation
     * @param array has the record, as {@link io.tidemark.wire.wal.WalDecoder} takes it
     */
    record Redo(int blockId, long beforeEnd, boolean onZeros, byte[] array, int offset, int length) implements Value {
        @Override
        public boolean isBase() {
            return onZeros;
        }
    }

    /**
     * Heap pages are no longer all-visible or all-frozen; a change of one page of their map.
     *
     * @param heapBlocks the heap blocks, all on this page of the map
     * @param bits for each the bits that are cleared
     */
    record VisibilityCleared(int[] heapBlocks, byte[] bits) implements Value {
        @Override
        public boolean isBase() {
            return false;
        }
    }

    /** The heap now ends inside of what this page of its map covers: the bits from this heap block on are cleared. */
    record VisibilityTruncated(int heapBlocks) implements Value {
        @Override
        public boolean isBase() {
            return false;
        }
    }

    /**
     * Transactions have ended; a change of one clog page.
     *
     * @param status 1 committed, 2 aborted
     */
    record TransactionStatus(int status, int[] xids) implements Value {
        @Override
        public boolean isBase() {
            return false;
        }
    }

    /** Where members of multixacts start; a change of one page of offsets. */
    record MultixactOffsets(int[] multis, int[] offsets) implements Value {
        @Override
        public boolean isBase() {
            return false;
        }
    }

    /**
     * Members of a multixact; a change of one page of members.
     *
     * @param firstOffset where the first of them goes; the others follow, all on this page
     * @param flags for each its status
     */
    record MultixactMembers(int firstOffset, int[] xids, byte[] flags) implements Value {
        @Override
        public boolean isBase() {
            return false;
        }
    }
}
