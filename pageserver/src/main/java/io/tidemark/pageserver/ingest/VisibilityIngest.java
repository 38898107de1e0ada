package io.tidemark.pageserver.ingest;

import io.tidemark.pageserver.ingest.RelationDirectory.Relation;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.pgpage.VisibilityMap;
import io.tidemark.pageserver.redo.RecordData;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalFlavour;
import io.tidemark.wire.wal.WalRecord;
import java.io.IOException;
import java.util.List;

/**
 * Visibility bits that heap records clear without naming the map's page.
 *
 * <pre>
 *   record                                  flags at                  bit   clears          of the heap block
 *   INSERT, MULTI_INSERT                    2, 0                      01    visible frozen  of reference 0
 *   DELETE                                  7 (neon 14, 15: 13)       01    visible frozen  of reference 0
 *   UPDATE, HOT_UPDATE                      7                         01    visible frozen  of the last reference, the old page
 *                                                                     02    visible frozen  of reference 0, the new page
 *   LOCK                                    7 (neon 14, 15: 13)       01    frozen          of reference 0
 *   LOCK_UPDATED                            7                         01    frozen          of reference 0
 *   neon's manager: INSERT 2, DELETE 7, UPDATE 7, HOT_UPDATE 7, LOCK 11, MULTI_INSERT 0
 * </pre>
 */
final class VisibilityIngest {
    private static final int OPCODE = 0x70;
    private static final int CLEARED = 0x01;
    private static final int NEW_CLEARED = 0x02;

    private final IngestContext context;

    VisibilityIngest(IngestContext context) {
        this.context = context;
    }

    void ingest(WalRecord record, RecordData main) throws IOException {
        List<BlockReference> blocks = record.blocks();
        if (blocks.isEmpty()) {
            throw new IndexOutOfBoundsException("it has no block reference");
        }
        int opcode = record.info() & OPCODE;
        switch (record.rmgrId()) {
            case ResourceManagers.HEAP2 -> {
                if (opcode == 0x50) {
                    clear(blocks.get(0), main.u8() & CLEARED, VisibilityMap.VALID_BITS);
                } else {
                    clear(blocks.get(0), main.seek(7).u8() & CLEARED, VisibilityMap.ALL_FROZEN);
                }
            }
            case ResourceManagers.HEAP -> heap(blocks, opcode, main);
            default -> neon(blocks, opcode, main);
        }
    }

    private void heap(List<BlockReference> blocks, int opcode, RecordData main) throws IOException {
        boolean widened = context.rules().flavour() == WalFlavour.NEON && context.pgMajor() < 16;
        switch (opcode) {
            case 0x00 -> clear(blocks.get(0), main.seek(2).u8() & CLEARED, VisibilityMap.VALID_BITS);
            case 0x10 -> clear(blocks.get(0), main.seek(widened ? 13 : 7).u8() & CLEARED, VisibilityMap.VALID_BITS);
            case 0x60 -> clear(blocks.get(0), main.seek(widened ? 13 : 7).u8() & CLEARED, VisibilityMap.ALL_FROZEN);
            default -> update(blocks, main.seek(7).u8());
        }
    }

    private void neon(List<BlockReference> blocks, int opcode, RecordData main) throws IOException {
        switch (opcode) {
            case 0x00 -> clear(blocks.get(0), main.seek(2).u8() & CLEARED, VisibilityMap.VALID_BITS);
            case 0x10 -> clear(blocks.get(0), main.seek(7).u8() & CLEARED, VisibilityMap.VALID_BITS);
            case 0x40 -> clear(blocks.get(0), main.seek(11).u8() & CLEARED, VisibilityMap.ALL_FROZEN);
            case 0x50 -> clear(blocks.get(0), main.u8() & CLEARED, VisibilityMap.VALID_BITS);
            default -> update(blocks, main.seek(7).u8());
        }
    }

    private void update(List<BlockReference> blocks, int flags) throws IOException {
        clear(blocks.get(blocks.size() - 1), flags & CLEARED, VisibilityMap.VALID_BITS);
        clear(blocks.get(0), flags & NEW_CLEARED, VisibilityMap.VALID_BITS);
    }

    private void clear(BlockReference heap, int flagged, int bits) throws IOException {
        if (flagged == 0) {
            return;
        }
        Relation map = context.relations().find(heap.tablespace(), heap.database(), heap.relation(), Fork.VM.number());
        int mapBlock = VisibilityMap.mapBlockOf(heap.block());
        // A map that does not reach that far says "not visible" already.
        if (map != null && Integer.compareUnsigned(mapBlock, map.blocks()) < 0) {
            context.changes()
                    .put(
                            Keys.relationBlock(map.tag(), mapBlock),
                            new Value.VisibilityCleared(new int[] {heap.block()}, new byte[] {(byte) bits}));
        }
    }
}
