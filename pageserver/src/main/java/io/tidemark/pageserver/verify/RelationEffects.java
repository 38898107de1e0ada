package io.tidemark.pageserver.verify;

import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.pgpage.VisibilityMap;
import io.tidemark.pageserver.redo.RecordData;
import io.tidemark.pageserver.redo.RedoRules;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.ResourceManagers;
import io.tidemark.wire.wal.WalFlavour;
import io.tidemark.wire.wal.WalRecord;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * What records do beside changing the pages they name: to relations as a whole, and to visibility maps.
 *
 * <pre>
 *   Storage CREATE, TRUNCATE                        a fork appears; main, vm (whose last page loses its tail) and fsm are cut
 *   Transaction COMMIT, ABORT, and *_PREPARED       relations are dropped
 *   Database CREATE (by file copy), DROP            all relations of a database are copied, dropped
 *   Heap, Heap2, Neon with a flag *_CLEARED         bits of a heap block's visibility map entry are cleared, without a stamp
 * </pre>
 */
final class RelationEffects {
    private static final int OPCODE = 0xF0;
    private static final int HEAP_OPCODE = 0x70;
    private static final int NEON = 134;

    private static final int STORAGE_CREATE = 0x10;
    private static final int STORAGE_TRUNCATE = 0x20;
    private static final int TRUNCATE_HEAP = 1;
    private static final int TRUNCATE_VM = 2;

    private static final int XACT_HAS_INFO = 0x80;
    private static final int XACT_COMMIT = 0x00;
    private static final int XACT_ABORT = 0x20;
    private static final int XACT_COMMIT_PREPARED = 0x30;
    private static final int XACT_ABORT_PREPARED = 0x40;
    private static final int XINFO_DBINFO = 0x01;
    private static final int XINFO_SUBXACTS = 0x02;
    private static final int XINFO_RELATIONS = 0x04;

    private final ReplayedCluster cluster;
    private final int pgMajor;

    /** Where DELETE and LOCK have their flags: Neon's 14 and 15 have t_cid before them. */
    private final int flagsOffset;

    RelationEffects(ReplayedCluster cluster, RedoRules rules) {
        this.cluster = cluster;
        this.pgMajor = rules.pgMajor();
        this.flagsOffset = rules.flavour() == WalFlavour.NEON && pgMajor < 16 ? 13 : 7;
    }

    void apply(WalRecord record) throws IOException {
        RecordData main = new RecordData(record.array(), record.mainDataOffset(), record.mainDataLength());
        switch (record.rmgrId()) {
            case ResourceManagers.STORAGE -> storage(record.info() & OPCODE, main);
            case ResourceManagers.TRANSACTION -> transaction(record.info(), main);
            case ResourceManagers.DATABASE -> database(record.info() & OPCODE, main);
            case ResourceManagers.HEAP -> heap(record, main);
            case ResourceManagers.HEAP2 -> heap2(record, main);
            case NEON -> neon(record, main);
            default -> {}
        }
    }

    private static RelTag locator(RecordData data, Fork fork) {
        return new RelTag(data.i32(), data.i32(), data.i32(), fork);
    }

    private void storage(int opcode, RecordData main) throws IOException {
        if (opcode == STORAGE_CREATE) {
            RelTag tag = locator(main, Fork.MAIN);
            cluster.relation(tag.withFork(Fork.of(main.i32())));
        } else if (opcode == STORAGE_TRUNCATE) {
            int blocks = main.i32();
            RelTag tag = locator(main, Fork.MAIN);
            int what = main.i32();
            if ((what & TRUNCATE_HEAP) != 0) {
                cluster.relation(tag).truncate(blocks);
            }
            if ((what & TRUNCATE_VM) != 0) {
                truncateMap(tag.withFork(Fork.VM), blocks);
            }
        }
    }

    /** visibilitymap_prepare_truncate. */
    private void truncateMap(RelTag tag, int heapBlocks) throws IOException {
        ReplayedRelation map = cluster.find(tag);
        if (map == null) {
            return;
        }
        int mapBlock = VisibilityMap.mapBlockOf(heapBlocks);
        if (heapBlocks % VisibilityMap.HEAP_BLOCKS_PER_PAGE == 0) {
            map.truncate(mapBlock);
            return;
        }
        map.truncate(mapBlock + 1);
        if (map.find(mapBlock) != null || map.isInBase(mapBlock)) {
            VisibilityMap.truncate(map.hold(mapBlock, cluster.base()).bytes, heapBlocks);
        }
    }

    private void transaction(int info, RecordData main) {
        int opcode = info & HEAP_OPCODE;
        boolean ends = opcode == XACT_COMMIT
                || opcode == XACT_ABORT
                || opcode == XACT_COMMIT_PREPARED
                || opcode == XACT_ABORT_PREPARED;
        if (!ends || (info & XACT_HAS_INFO) == 0) {
            return;
        }
        main.skip(8); // xact_time
        int xinfo = main.i32();
        if ((xinfo & XINFO_DBINFO) != 0) {
            main.skip(8);
        }
        if ((xinfo & XINFO_SUBXACTS) != 0) {
            main.skip(Math.multiplyExact(main.i32(), 4));
        }
        if ((xinfo & XINFO_RELATIONS) != 0) {
            for (int n = main.i32(); n > 0; n--) {
                cluster.drop(main.i32(), main.i32(), main.i32());
            }
        }
    }

    private void database(int opcode, RecordData main) {
        int createByCopy = 0x00;
        int drop = pgMajor < 15 ? 0x10 : 0x20;
        if (opcode == createByCopy) {
            int database = main.i32();
            int tablespace = main.i32();
            int sourceDatabase = main.i32();
            cluster.copyDatabase(main.i32(), sourceDatabase, tablespace, database);
        } else if (opcode == drop) {
            int database = main.i32();
            for (int n = main.i32(); n > 0; n--) {
                cluster.dropDatabase(main.i32(), database);
            }
        }
    }

    private void heap(WalRecord record, RecordData main) throws IOException {
        switch (record.info() & HEAP_OPCODE) {
            case 0x00 -> clearIf(main.seek(2).u8() & 1, record, 0, VisibilityMap.VALID_BITS); // INSERT
            case 0x10 -> clearIf(main.seek(flagsOffset).u8() & 1, record, 0, VisibilityMap.VALID_BITS); // DELETE
            case 0x20, 0x40 -> update(record, main.seek(7).u8()); // UPDATE, HOT_UPDATE
            case 0x60 -> clearIf(main.seek(flagsOffset).u8() & 1, record, 0, VisibilityMap.ALL_FROZEN); // LOCK
            default -> {}
        }
    }

    private void heap2(WalRecord record, RecordData main) throws IOException {
        switch (record.info() & HEAP_OPCODE) {
            case 0x50 -> clearIf(main.u8() & 1, record, 0, VisibilityMap.VALID_BITS); // MULTI_INSERT
            case 0x60 -> clearIf(main.seek(7).u8() & 1, record, 0, VisibilityMap.ALL_FROZEN); // LOCK_UPDATED
            default -> {}
        }
    }

    private void neon(WalRecord record, RecordData main) throws IOException {
        switch (record.info() & HEAP_OPCODE) {
            case 0x00 -> clearIf(main.seek(2).u8() & 1, record, 0, VisibilityMap.VALID_BITS); // INSERT
            case 0x10 -> clearIf(main.seek(7).u8() & 1, record, 0, VisibilityMap.VALID_BITS); // DELETE
            case 0x20, 0x30 -> update(record, main.seek(7).u8()); // UPDATE, HOT_UPDATE
            case 0x40 -> clearIf(main.seek(11).u8() & 1, record, 0, VisibilityMap.ALL_FROZEN); // LOCK
            case 0x50 -> clearIf(main.u8() & 1, record, 0, VisibilityMap.VALID_BITS); // MULTI_INSERT
            default -> {}
        }
    }

    /** XLH_UPDATE_OLD_ALL_VISIBLE_CLEARED is for the old tuple's page, which reference 1 names when it is another one. */
    private void update(WalRecord record, int flags) throws IOException {
        clearIf(flags & 1, record, blockOf(record, 1) == null ? 0 : 1, VisibilityMap.VALID_BITS);
        clearIf(flags & 2, record, 0, VisibilityMap.VALID_BITS);
    }

    private static @Nullable BlockReference blockOf(WalRecord record, int id) {
        for (BlockReference block : record.blocks()) {
            if (block.id() == id) {
                return block;
            }
        }
        return null;
    }

    private void clearIf(int flag, WalRecord record, int reference, int bits) throws IOException {
        BlockReference heap = blockOf(record, reference);
        if (flag == 0 || heap == null) {
            return;
        }
        int mapBlock = VisibilityMap.mapBlockOf(heap.block());
        ReplayedRelation map = cluster.relation(ReplayedCluster.tagOf(heap).withFork(Fork.VM));
        if (map.find(mapBlock) == null && !map.isInBase(mapBlock) && cluster.base() == null) {
            return; // what else the page has is not known, so this change of it can wait until its first image
        }
        byte[] bytes = map.hold(mapBlock, cluster.base()).bytes;
        Page page = new Page(bytes);
        if (page.isNew()) {
            page.init(0);
        }
        VisibilityMap.clear(bytes, heap.block(), bits);
    }
}
