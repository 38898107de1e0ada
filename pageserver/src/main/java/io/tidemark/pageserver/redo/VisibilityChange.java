package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.VisibilityMap;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.LittleEndian;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalFlavour;
import java.util.List;

/**
 * What heap records clear in the visibility map: a flag in the main data says that the bits of a heap block were cleared.
 *
 * <pre>
 *   INSERT DELETE MULTI_INSERT   flag 01: both bits of block 0
 *   UPDATE HOT_UPDATE            flag 01: both bits of the old tuple's block, 02: of the new tuple's
 *   LOCK LOCK_UPDATED            flag 01: all-frozen of block 0
 * </pre>
 *
 * <p>Until 2026 no record named the map's page for that: it changes all the same, whether or not the heap page has an image, is made if it is
 * missing, and keeps its pd_lsn. The last minor versions of 17 and 18 name it, so that backups of changed blocks see it: reference 1,
 * or in UPDATE 2 for the new tuple's block and 3 for the old one's. One page may be named once for both; hence redo of a map page looks
 * at all heap blocks of the record. Such a page is stamped.
 */
public final class VisibilityChange {
    /** Where INSERT has its flags, behind offnum(u16), in any layout. */
    private static final int INSERT_FLAGS = 2;

    /** Where UPDATE has them in any layout. */
    private static final int UPDATE_FLAGS = 7;

    private static final int LOCK_UPDATED_FLAGS = 7;

    private static final int CLEARED = 0x01;
    private static final int NEW_CLEARED = 0x02;

    private VisibilityChange() {}

    /**
     * The bits of {@link VisibilityMap} that the record clears for the heap block that {@code block} names, on a page that it does not
     * name; 0 for nearly all.
     *
     * @throws io.tidemark.pageserver.pgpage.PageException when the record is shorter than its opcode says
     */
    public static int unnamedBits(RedoRecord record, BlockReference block) {
        int bits = bits(record, block);
        return bits == 0 || namesMapOf(record, block) ? 0 : bits;
    }

    private static boolean namesMapOf(RedoRecord record, BlockReference heap) {
        List<BlockReference> blocks = record.wal().blocks();
        for (int i = 0; i < blocks.size(); i++) {
            if (isMapOf(blocks.get(i), heap)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isMapOf(BlockReference map, BlockReference heap) {
        return isMap(map) && map.block() == VisibilityMap.mapBlockOf(heap.block());
    }

    static boolean isMap(BlockReference block) {
        return block.fork() == Fork.VM.number();
    }

    /** Redo of a reference to a page of the map (heap_xlog_vm_clear in heapam_xlog.c). */
    static void redo(RedoRecord record, BlockReference map, Page page) {
        boolean named = false;
        List<BlockReference> blocks = record.wal().blocks();
        for (int i = 0; i < blocks.size(); i++) {
            BlockReference heap = blocks.get(i);
            int bits = bits(record, heap);
            if (bits != 0 && isMapOf(map, heap)) {
                if (page.isNew()) {
                    page.init(0);
                }
                VisibilityMap.clear(page.bytes(), heap.block(), bits);
                named = true;
            }
        }
        if (!named) {
            throw record.unknown(map);
        }
    }

    private static int bits(RedoRecord record, BlockReference block) {
        if (isMap(block)) {
            return 0;
        }
        int opcode = record.info() & HeapRedo.OPCODE_MASK;
        return switch (record.wal().rmgrId()) {
            case ResourceManagers.HEAP -> heap(record, block, opcode);
            case ResourceManagers.HEAP2 ->
                switch (opcode) {
                    case Heap2Redo.MULTI_INSERT -> both(record, 0, CLEARED);
                    case Heap2Redo.LOCK_UPDATED -> frozen(record, LOCK_UPDATED_FLAGS);
                    default -> 0;
                };
            case NeonRedo.RMGR_ID -> record.rules().flavour() == WalFlavour.NEON ? neon(record, block, opcode) : 0;
            default -> 0;
        };
    }

    private static int heap(RedoRecord record, BlockReference block, int opcode) {
        HeapLayout layout = HeapLayout.ofHeap(record.rules());
        return switch (opcode) {
            case HeapRedo.INSERT -> both(record, INSERT_FLAGS, CLEARED);
            case HeapRedo.DELETE -> both(record, layout.deletion().flags(), CLEARED);
            case HeapRedo.UPDATE, HeapRedo.HOT_UPDATE -> update(record, block);
            case HeapRedo.LOCK -> frozen(record, layout.lock().flags());
            default -> 0;
        };
    }

    private static int neon(RedoRecord record, BlockReference block, int opcode) {
        HeapLayout layout = HeapLayout.NEON_MANAGER;
        return switch (opcode) {
            case NeonRedo.INSERT -> both(record, INSERT_FLAGS, CLEARED);
            case NeonRedo.DELETE -> both(record, layout.deletion().flags(), CLEARED);
            case NeonRedo.UPDATE, NeonRedo.HOT_UPDATE -> update(record, block);
            case NeonRedo.LOCK -> frozen(record, layout.lock().flags());
            case NeonRedo.MULTI_INSERT -> both(record, 0, CLEARED);
            default -> 0;
        };
    }

    private static int update(RedoRecord record, BlockReference block) {
        if (block.id() == 1) {
            return both(record, UPDATE_FLAGS, CLEARED);
        }
        boolean samePage = record.block(1) == null;
        return both(record, UPDATE_FLAGS, samePage ? CLEARED | NEW_CLEARED : NEW_CLEARED);
    }

    private static int both(RedoRecord record, int flagsAt, int anyOf) {
        return (flags(record, flagsAt) & anyOf) != 0 ? VisibilityMap.VALID_BITS : 0;
    }

    private static int frozen(RedoRecord record, int flagsAt) {
        return (flags(record, flagsAt) & CLEARED) != 0 ? VisibilityMap.ALL_FROZEN : 0;
    }

    private static int flags(RedoRecord record, int at) {
        return LittleEndian.u8(record.array(), record.mainAt(at + 1) + at);
    }
}
