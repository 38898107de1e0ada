package io.tidemark.pageserver.ingest;

import io.tidemark.pageserver.ingest.RelationDirectory.Relation;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.pgpage.VisibilityMap;
import io.tidemark.pageserver.redo.RedoRecord;
import io.tidemark.pageserver.redo.VisibilityChange;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.WalRecord;
import java.io.IOException;
import java.util.List;

/** Visibility bits that heap records clear on pages of the map that they do not name; which, says {@link VisibilityChange}. */
final class VisibilityIngest {
    private final IngestContext context;

    VisibilityIngest(IngestContext context) {
        this.context = context;
    }

    void ingest(WalRecord record) throws IOException {
        RedoRecord redo = new RedoRecord(record, context.rules());
        List<BlockReference> blocks = record.blocks();
        for (int i = 0; i < blocks.size(); i++) {
            int bits = VisibilityChange.unnamedBits(redo, blocks.get(i));
            if (bits != 0) {
                clear(blocks.get(i), bits);
            }
        }
    }

    private void clear(BlockReference heap, int bits) throws IOException {
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
