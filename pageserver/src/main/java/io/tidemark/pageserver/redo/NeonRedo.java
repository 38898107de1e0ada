package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.wire.wal.BlockReference;

/**
 * Redo of the resource manager that Neon's computes have from PostgreSQL 16 on: heap records that say command ids, in the layout {@link
 * HeapLayout#NEON_MANAGER}. Opcodes are not all those of {@link HeapRedo} and {@link Heap2Redo}, whose other records stay there.
 *
 * <pre>
 *   INSERT DELETE LOCK MULTI_INSERT   0 the page
 *   UPDATE HOT_UPDATE                 {@link HeapUpdate}
 *   FILE (60)                         no page
 * </pre>
 */
final class NeonRedo implements ResourceManagerRedo {
    /** The resource manager's id. */
    static final int RMGR_ID = 134;

    static final int INSERT = 0x00;
    static final int DELETE = 0x10;
    static final int UPDATE = 0x20;
    static final int HOT_UPDATE = 0x30;
    static final int LOCK = 0x40;
    static final int MULTI_INSERT = 0x50;

    private final HeapInsertion insertion = new HeapInsertion(HeapLayout.NEON_MANAGER);
    private final HeapModification modification = new HeapModification(HeapLayout.NEON_MANAGER);
    private final HeapUpdate update = new HeapUpdate(HeapLayout.NEON_MANAGER, insertion, modification);

    @Override
    public boolean redo(RedoRecord record, BlockReference block, Page page) {
        if (VisibilityChange.isMap(block)) {
            VisibilityChange.redo(record, block, page);
            return true;
        }
        int opcode = record.info() & HeapRedo.OPCODE_MASK;
        if (block.id() != 0 && !(block.id() == 1 && opcode == UPDATE)) {
            throw record.unknown(block);
        }
        switch (opcode) {
            case INSERT -> insertion.insert(record, block, page);
            case DELETE -> modification.delete(record, block, page);
            case UPDATE -> update.update(record, block, page, false);
            case HOT_UPDATE -> update.update(record, block, page, true);
            case LOCK -> modification.lock(record, block, page);
            case MULTI_INSERT -> insertion.multiInsert(record, block, page);
            default -> throw record.unknown(block);
        }
        return true;
    }
}
