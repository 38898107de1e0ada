package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.wire.wal.BlockReference;

/**
 * Redo of heap records (heap_redo in heapam.c). The opcode has three bits; the fourth says that block 0 starts from nothing. Layouts:
 * {@link HeapLayout}.
 *
 * <pre>
 *   INSERT               0 the tuple's page: header, bitmap, columns
 *   DELETE LOCK          0 the tuple's page
 *   UPDATE HOT_UPDATE    {@link HeapUpdate}
 *   CONFIRM              offnum(u16)         0 the tuple's page
 *   INPLACE              offnum(u16) ...     0 the tuple's page: columns
 * </pre>
 *
 * <p>Any of them may clear bits of the visibility map, and name its page or not: {@link VisibilityChange}.
 */
final class HeapRedo implements ResourceManagerRedo {
    static final int INSERT = 0x00;
    static final int DELETE = 0x10;
    static final int UPDATE = 0x20;
    static final int HOT_UPDATE = 0x40;
    static final int CONFIRM = 0x50;
    static final int LOCK = 0x60;
    static final int INPLACE = 0x70;

    static final int OPCODE_MASK = 0x70;

    private final HeapInsertion insertion;
    private final HeapModification modification;
    private final HeapUpdate update;

    HeapRedo(HeapLayout layout) {
        insertion = new HeapInsertion(layout);
        modification = new HeapModification(layout);
        update = new HeapUpdate(layout, insertion, modification);
    }

    @Override
    public boolean redo(RedoRecord record, BlockReference block, Page page) {
        if (VisibilityChange.isMap(block)) {
            VisibilityChange.redo(record, block, page);
            return true;
        }
        int opcode = record.info() & OPCODE_MASK;
        if (block.id() != 0 && !(block.id() == 1 && opcode == UPDATE)) {
            throw record.unknown(block);
        }
        switch (opcode) {
            case INSERT -> insertion.insert(record, block, page);
            case DELETE -> modification.delete(record, block, page);
            case UPDATE -> update.update(record, block, page, false);
            case HOT_UPDATE -> update.update(record, block, page, true);
            case CONFIRM -> HeapModification.confirm(record, block, page);
            case LOCK -> modification.lock(record, block, page);
            case INPLACE -> HeapModification.overwrite(record, block, page);
            default -> throw record.unknown(block);
        }
        return true;
    }
}
