package io.tidemark.pageserver.ingest;

import io.tidemark.pageserver.ingest.RelationDirectory.Relation;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.pgpage.VisibilityMap;
import io.tidemark.pageserver.redo.RecordData;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import java.io.IOException;

/** Relations and databases that come, shrink and go. */
final class StorageIngest {
    private static final int TRUNCATE_HEAP = 0x1;
    private static final int TRUNCATE_VM = 0x2;
    private static final int TRUNCATE_FSM = 0x4;

    private static final int FSM_SLOTS_PER_PAGE = 4_069;

    private final IngestContext context;

    StorageIngest(IngestContext context) {
        this.context = context;
    }

    /** XLOG_SMGR_CREATE: {@code tablespace database relation (u32 each) fork(i32)}. No harm when it exists. */
    void createFork(RecordData main) throws IOException, UnsupportedRecordException {
        RelTag tag = readTag(main);
        int fork = main.i32();
        context.relations().findOrCreate(tag.withFork(Fork.of(fork)));
    }

    /**
     * XLOG_SMGR_TRUNCATE: {@code blocks(u32) tablespace database relation (u32 each) flags(i32)}.
     *
     * <p>Blocks that are cut off keep their versions; nobody asks for them behind the end, and when the relation grows again each
     * begins with a base.
     */
    void truncate(RecordData main) throws IOException, UnsupportedRecordException {
        int blocks = main.i32();
        RelTag tag = readTag(main);
        int flags = main.i32();
        if ((flags & TRUNCATE_HEAP) != 0) {
            shrink(context.relations().findOrCreate(tag), blocks);
        }
        if ((flags & TRUNCATE_FSM) != 0) {
            truncateFsm(tag.withFork(Fork.FSM), blocks);
        }
        if ((flags & TRUNCATE_VM) != 0) {
            truncateVm(tag.withFork(Fork.VM), blocks);
        }
    }

    private void shrink(Relation relation, int blocks) {
        if (Integer.compareUnsigned(blocks, relation.blocks()) < 0) {
            context.relations().resize(relation, blocks);
        }
    }

    // FreeSpaceMapPrepareTruncateRel clears the tail of one page; free space is a hint that WAL does not have anyway,
    // so the whole page goes.
    private void truncateFsm(RelTag fsm, int heapBlocks) throws IOException {
        Relation relation = context.relations().find(fsm);
        if (relation == null) {
            return;
        }
        int leaf = Integer.divideUnsigned(heapBlocks, FSM_SLOTS_PER_PAGE);
        int page = leaf + 1 + leaf / FSM_SLOTS_PER_PAGE + 1 + leaf / FSM_SLOTS_PER_PAGE / FSM_SLOTS_PER_PAGE;
        if (Integer.remainderUnsigned(heapBlocks, FSM_SLOTS_PER_PAGE) != 0) {
            if (page < relation.blocks()) {
                context.changes().put(Keys.relationBlock(fsm, page), Value.ZERO_PAGE);
            }
            page++;
        }
        shrink(relation, page);
    }

    private void truncateVm(RelTag vm, int heapBlocks) throws IOException {
        Relation relation = context.relations().find(vm);
        if (relation == null) {
            return;
        }
        int page = VisibilityMap.mapBlockOf(heapBlocks);
        if (Integer.remainderUnsigned(heapBlocks, VisibilityMap.HEAP_BLOCKS_PER_PAGE) != 0) {
            if (page < relation.blocks()) {
                context.changes().put(Keys.relationBlock(vm, page), new Value.VisibilityTruncated(heapBlocks));
            }
            page++;
        }
        shrink(relation, page);
    }

    /** RELMAP_UPDATE: {@code database(u32) tablespace(u32) length(i32)} and the file. */
    void relationMap(RecordData main) throws IOException, UnsupportedRecordException {
        int database = main.i32();
        int tablespace = main.i32();
        byte[] file = new byte[Math.min(Math.max(0, main.i32()), main.remaining())];
        System.arraycopy(main.array(), main.take(file.length), file, 0, file.length);
        context.relations().createDatabase(tablespace, database);
        context.changes().put(Keys.relationMap(tablespace, database), new Value.Image(file));
    }

    /** XLOG_DBASE_CREATE_WAL_LOG: {@code database(u32) tablespace(u32)}. Its map and its pages follow in records of their own. */
    void createDatabase(RecordData main) throws IOException, UnsupportedRecordException {
        int database = main.i32();
        context.relations().createDatabase(main.i32(), database);
    }

    /** XLOG_DBASE_DROP: {@code database(u32) n(i32) n * tablespace(u32)}. */
    void dropDatabase(RecordData main) throws IOException {
        int database = main.i32();
        for (int tablespace : TransactionEnd.numbers(main, main.i32(), 1)) {
            if (RelationDirectory.isKept(tablespace)) {
                context.relations().dropDatabase(tablespace, database);
            }
        }
    }

    /**
     * XLOG_DBASE_CREATE (14) and XLOG_DBASE_CREATE_FILE_COPY: {@code database tablespace sourceDatabase sourceTablespace}, u32
     * each. The source is as at a checkpoint and nobody writes to it; its pages keep their LSNs.
     */
    void copyDatabase(RecordData main) throws IOException, UnsupportedRecordException {
        int database = main.i32();
        int tablespace = main.i32();
        int sourceDatabase = main.i32();
        int sourceTablespace = main.i32();
        RelationDirectory.requireKept(sourceTablespace);
        RelationDirectory relations = context.relations();
        relations.createDatabase(tablespace, database);
        byte[] map = context.head().read(Keys.relationMap(sourceTablespace, sourceDatabase));
        if (map != null) {
            context.changes().put(Keys.relationMap(tablespace, database), new Value.Image(map));
        }
        for (RelTag source : relations.relationsOf(sourceTablespace, sourceDatabase)) {
            copyFork(source, new RelTag(tablespace, database, source.relation(), source.fork()));
        }
    }

    private void copyFork(RelTag source, RelTag copy) throws IOException, UnsupportedRecordException {
        Relation from = context.relations().find(source);
        int blocks = from == null ? 0 : from.blocks();
        context.relations().resize(context.relations().findOrCreate(copy), blocks);
        for (int block = 0; block != blocks; block++) {
            byte[] page = context.head().read(Keys.relationBlock(source, block));
            Value value = page == null ? Value.ZERO_PAGE : new Value.Image(page);
            context.changes().putThrough(context.head(), Keys.relationBlock(copy, block), value);
        }
    }

    private static RelTag readTag(RecordData main) {
        return new RelTag(main.i32(), main.i32(), main.i32(), Fork.MAIN);
    }
}
