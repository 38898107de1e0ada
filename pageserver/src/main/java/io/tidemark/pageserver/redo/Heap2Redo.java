package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.VisibilityMap;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.LittleEndian;

/**
 * Redo of heap2 records (heap2_redo in heapam.c), the heap's second resource manager.
 *
 * <pre>
 *   10 20 30       0 the page                       {@link PruneFreeze}; 17 gave the three opcodes other meanings
 *   VISIBLE        horizon(u32) flags(u8)           0 visibility map page; 1 the heap page that it is about
 *   MULTI_INSERT   {@link HeapLayout}               0 the page, maybe made from nothing: tuples
 *   LOCK_UPDATED   xmax(u32) offnum(u16) infobits(u8) flags(u8)     0 the page
 * </pre>
 */
final class Heap2Redo implements ResourceManagerRedo {
    static final int PRUNE = 0x10;
    static final int VACUUM = 0x20;
    static final int FREEZE_PAGE = 0x30;
    static final int VISIBLE = 0x40;
    static final int MULTI_INSERT = 0x50;
    static final int LOCK_UPDATED = 0x60;

    /** SizeOfHeapVisible. */
    private static final int VISIBLE_SIZE_BYTES = 5;

    private final HeapInsertion insertion;

    Heap2Redo(HeapLayout layout) {
        insertion = new HeapInsertion(layout);
    }

    @Override
    public boolean redo(RedoRecord record, BlockReference block, Page page) {
        int opcode = record.info() & HeapRedo.OPCODE_MASK;
        if (opcode == VISIBLE) {
            return visible(record, block, page);
        }
        if (VisibilityChange.isMap(block)) {
            VisibilityChange.redo(record, block, page);
            return true;
        }
        if (block.id() != 0) {
            throw record.unknown(block);
        }
        switch (opcode) {
            case PRUNE, VACUUM, FREEZE_PAGE -> PruneFreeze.redo(record, opcode, block, page);
            case MULTI_INSERT -> insertion.multiInsert(record, block, page);
            case LOCK_UPDATED -> HeapModification.lockUpdated(record, page);
            default -> throw record.unknown(block);
        }
        return true;
    }

    private static boolean visible(RedoRecord record, BlockReference block, Page page) {
        return switch (block.id()) {
            case 0 -> {
                int main = record.mainAt(VISIBLE_SIZE_BYTES);
                // From 16 on there is a third flag, which is about the relation.
                int bits = LittleEndian.u8(record.array(), main + 4) & VisibilityMap.VALID_BITS;
                int heapBlock = record.blockNumber(1);
                if (page.isNew()) {
                    page.init(0);
                }
                boolean changes = VisibilityMap.get(page.bytes(), heapBlock) != bits;
                VisibilityMap.set(page.bytes(), heapBlock, bits);
                yield changes;
            }
            case 1 -> {
                page.setFlags(page.flags() | Page.PD_ALL_VISIBLE);
                // As a hint, the flag alone moves pd_lsn only where hints are logged.
                yield record.rules().hintBitsLogged();
            }
            default -> throw record.unknown(block);
        };
    }
}
