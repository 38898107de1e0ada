package io.tidemark.pageserver.ingest;

import io.tidemark.pageserver.ingest.RelationDirectory.Relation;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.redo.PageRedo;
import io.tidemark.pageserver.redo.RedoException;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.PageImage;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalFlavour;
import io.tidemark.wire.wal.WalRecord;
import java.io.IOException;
import java.util.List;

/**
 * What records do to the blocks they name.
 *
 * <p>An image to apply becomes a page at once, so no reader has to. Anything else stays a record, on zeros when the reference says
 * WILL_INIT or the block is new to its relation; blocks between the old end and the new one are zeros.
 */
final class BlockIngest {
    /** A record that leaves a larger hole is not believed: PostgreSQL extends by at most some thousand blocks at a time. */
    static final int MAX_GAP_BLOCKS = RelTag.BLOCKS_PER_SEGMENT;

    private static final int FPI_FOR_HINT = 0xA0;
    private static final int BTREE_SPLIT_LEFT = 0x30;
    private static final int BTREE_SPLIT_RIGHT = 0x40;

    private final IngestContext context;
    private final PageRedo redo;
    private final RecordCut cut = new RecordCut();

    BlockIngest(IngestContext context) {
        this.context = context;
        this.redo = new PageRedo(context.rules());
    }

    void ingest(WalRecord record) throws IOException, RedoException, UnsupportedRecordException {
        cut.reset();
        List<BlockReference> blocks = record.blocks();
        for (int i = 0; i < blocks.size(); i++) {
            ingest(record, blocks.get(i));
        }
    }

    private void ingest(WalRecord record, BlockReference block)
            throws IOException, RedoException, UnsupportedRecordException {
        Relation relation = relationOf(block);
        boolean isNew = Integer.compareUnsigned(block.block(), relation.blocks()) >= 0;
        if (isNew) {
            extend(relation, block.block());
        }
        PageImage image = block.image();
        Value value;
        if (image != null && image.apply()) {
            byte[] page = new byte[Page.SIZE_BYTES];
            redo.apply(record, block, page);
            value = new Value.Image(page);
        } else if (isHintWithoutImage(record)) {
            if (!isNew) {
                return;
            }
            value = Value.ZERO_PAGE; // a page of free space that only this record tells of
        } else if (needsForeignImages(record)) {
            value = RecordCut.whole(record, block, isNew || block.willInit());
        } else {
            value = cut.cut(record, block, isNew || block.willInit());
        }
        context.changes().put(Keys.relationBlock(relation.tag(), block.block()), value);
    }

    private Relation relationOf(BlockReference block) throws IOException, UnsupportedRecordException {
        Relation relation =
                context.relations().find(block.tablespace(), block.database(), block.relation(), block.fork());
        if (relation == null) {
            relation = context.relations()
                    .findOrCreate(
                            new RelTag(block.tablespace(), block.database(), block.relation(), Fork.of(block.fork())));
        }
        return relation;
    }

    private void extend(Relation relation, int block) {
        int end = relation.blocks();
        int gap = block - end;
        if (Integer.compareUnsigned(gap, MAX_GAP_BLOCKS) > 0 || block == -1) {
            throw new IndexOutOfBoundsException("it names block " + Integer.toUnsignedString(block) + " of "
                    + relation.tag() + ", which has " + Integer.toUnsignedString(end) + " blocks");
        }
        for (int zeros = end; zeros != block; zeros++) {
            context.changes().put(Keys.relationBlock(relation.tag(), zeros), Value.ZERO_PAGE);
        }
        context.relations().resize(relation, block + 1);
    }

    private static boolean isHintWithoutImage(WalRecord record) {
        return record.rmgrId() == ResourceManagers.XLOG && (record.info() & 0xF0) == FPI_FOR_HINT;
    }

    // Neon's split finds a cycle id in the image of the left page when it builds the right one.
    private boolean needsForeignImages(WalRecord record) {
        int opcode = record.info() & 0xF0;
        return context.rules().flavour() == WalFlavour.NEON
                && record.rmgrId() == ResourceManagers.BTREE
                && (opcode == BTREE_SPLIT_LEFT || opcode == BTREE_SPLIT_RIGHT);
    }
}
