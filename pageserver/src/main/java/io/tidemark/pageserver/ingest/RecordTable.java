package io.tidemark.pageserver.ingest;

import static io.tidemark.wire.wal.ResourceManagers.*;

import io.tidemark.wire.wal.WalFlavour;
import org.jspecify.annotations.Nullable;

/**
 * Every opcode that a primary of one version can write, and what ingest does about it. What is not in here is refused.
 *
 * <p>Block references are handled whatever the action; {@link Action#carriesBlocks} says whether there may be any.
 */
final class RecordTable {
    /** What a record does beyond its block references. */
    enum Action {
        /** Nothing; it is all in the block references. */
        BLOCKS(true),
        /** Nothing at all for storage. */
        NONE(false),
        SHUTDOWN_CHECKPOINT(false),
        ONLINE_CHECKPOINT(false),
        NEXT_OID(false),
        PARAMETERS(false),
        FULL_PAGE_WRITES(false),
        END_OF_RECOVERY(false),
        RESTORE_POINT(false),
        COMMIT(false),
        ABORT(false),
        PREPARE(false),
        CREATE_FORK(false),
        TRUNCATE_RELATION(false),
        ZERO_CLOG_PAGE(false),
        TRUNCATE_CLOG(false),
        COPY_DATABASE(false),
        CREATE_DATABASE(false),
        DROP_DATABASE(false),
        ZERO_OFFSETS_PAGE(false),
        ZERO_MEMBERS_PAGE(false),
        CREATE_MULTIXACT(false),
        TRUNCATE_MULTIXACTS(false),
        RELATION_MAP(false),
        RUNNING_TRANSACTIONS(false),
        /** Clears visibility bits; which, says the opcode. */
        HEAP(true),
        SET_ORIGIN(false),
        DROP_ORIGIN(false),
        LOGICAL_MESSAGE(false);

        private final boolean carriesBlocks;

        Action(boolean carriesBlocks) {
            this.carriesBlocks = carriesBlocks;
        }

        boolean carriesBlocks() {
            return carriesBlocks;
        }
    }

    /** The resource manager of Neon's computes from 16 on. */
    static final int NEON = 134;

    private static final int INIT_PAGE = 0x80;
    private static final int XACT_HAS_INFO = 0x80;

    private final @Nullable Action[] byOpcode = new @Nullable Action[256 << 4];

    RecordTable(int pgMajor, WalFlavour flavour) {
        xlog(pgMajor);
        transactions();
        add(STORAGE, 0x10, Action.CREATE_FORK);
        add(STORAGE, 0x20, Action.TRUNCATE_RELATION);
        add(CLOG, 0x00, Action.ZERO_CLOG_PAGE);
        add(CLOG, 0x10, Action.TRUNCATE_CLOG);
        databases(pgMajor);
        // A tablespace without relations has nothing to store; a relation in it is refused when it appears.
        add(TABLESPACE, 0x00, Action.NONE);
        add(TABLESPACE, 0x10, Action.NONE);
        add(MULTIXACT, 0x00, Action.ZERO_OFFSETS_PAGE);
        add(MULTIXACT, 0x10, Action.ZERO_MEMBERS_PAGE);
        add(MULTIXACT, 0x20, Action.CREATE_MULTIXACT);
        add(MULTIXACT, 0x30, Action.TRUNCATE_MULTIXACTS);
        add(RELMAP, 0x00, Action.RELATION_MAP);
        add(STANDBY, 0x00, Action.NONE);
        add(STANDBY, 0x10, Action.RUNNING_TRANSACTIONS);
        add(STANDBY, 0x20, Action.NONE);
        heap();
        indexes();
        add(SEQUENCE, 0x00, Action.BLOCKS);
        // pg_commit_ts is not kept: commit timestamps start anew with a compute.
        add(COMMIT_TS, 0x00, Action.NONE);
        add(COMMIT_TS, 0x10, Action.NONE);
        add(REPLICATION_ORIGIN, 0x00, Action.SET_ORIGIN);
        add(REPLICATION_ORIGIN, 0x10, Action.DROP_ORIGIN);
        add(GENERIC, 0x00, Action.BLOCKS);
        add(LOGICAL_MESSAGE, 0x00, Action.LOGICAL_MESSAGE);
        if (flavour == WalFlavour.NEON && pgMajor >= 16) {
            neon();
        }
    }

    private void xlog(int pgMajor) {
        add(XLOG, 0x00, Action.SHUTDOWN_CHECKPOINT);
        add(XLOG, 0x10, Action.ONLINE_CHECKPOINT);
        add(XLOG, 0x20, Action.NONE); // NOOP
        add(XLOG, 0x30, Action.NEXT_OID);
        add(XLOG, 0x40, Action.NONE); // SWITCH
        add(XLOG, 0x50, Action.NONE); // BACKUP_END
        add(XLOG, 0x60, Action.PARAMETERS);
        add(XLOG, 0x70, Action.RESTORE_POINT);
        add(XLOG, 0x80, Action.FULL_PAGE_WRITES);
        add(XLOG, 0x90, Action.END_OF_RECOVERY);
        add(XLOG, 0xA0, Action.BLOCKS); // FPI_FOR_HINT
        add(XLOG, 0xB0, Action.BLOCKS); // FPI
        add(XLOG, 0xD0, Action.NONE); // OVERWRITE_CONTRECORD
        if (pgMajor >= 17) {
            add(XLOG, 0xE0, Action.NONE); // CHECKPOINT_REDO
        }
    }

    private void transactions() {
        addWithFlag(TRANSACTION, 0x00, XACT_HAS_INFO, Action.COMMIT);
        add(TRANSACTION, 0x10, Action.PREPARE);
        addWithFlag(TRANSACTION, 0x20, XACT_HAS_INFO, Action.ABORT);
        addWithFlag(TRANSACTION, 0x30, XACT_HAS_INFO, Action.COMMIT);
        addWithFlag(TRANSACTION, 0x40, XACT_HAS_INFO, Action.ABORT);
        add(TRANSACTION, 0x50, Action.NONE); // ASSIGNMENT
        add(TRANSACTION, 0x60, Action.NONE); // INVALIDATIONS
    }

    private void databases(int pgMajor) {
        add(DATABASE, 0x00, Action.COPY_DATABASE);
        if (pgMajor < 15) {
            add(DATABASE, 0x10, Action.DROP_DATABASE);
        } else {
            add(DATABASE, 0x10, Action.CREATE_DATABASE);
            add(DATABASE, 0x20, Action.DROP_DATABASE);
        }
    }

    private void heap() {
        add(HEAP2, 0x00, Action.BLOCKS); // REWRITE
        add(HEAP2, 0x10, Action.BLOCKS); // PRUNE, from 17 on PRUNE_ON_ACCESS
        add(HEAP2, 0x20, Action.BLOCKS); // VACUUM, PRUNE_VACUUM_SCAN
        add(HEAP2, 0x30, Action.BLOCKS); // FREEZE_PAGE, PRUNE_VACUUM_CLEANUP
        add(HEAP2, 0x40, Action.BLOCKS); // VISIBLE
        addWithFlag(HEAP2, 0x50, INIT_PAGE, Action.HEAP); // MULTI_INSERT
        add(HEAP2, 0x60, Action.HEAP); // LOCK_UPDATED
        add(HEAP2, 0x70, Action.BLOCKS); // NEW_CID
        addWithFlag(HEAP, 0x00, INIT_PAGE, Action.HEAP); // INSERT
        add(HEAP, 0x10, Action.HEAP); // DELETE
        addWithFlag(HEAP, 0x20, INIT_PAGE, Action.HEAP); // UPDATE
        add(HEAP, 0x30, Action.BLOCKS); // TRUNCATE
        addWithFlag(HEAP, 0x40, INIT_PAGE, Action.HEAP); // HOT_UPDATE
        add(HEAP, 0x50, Action.BLOCKS); // CONFIRM
        add(HEAP, 0x60, Action.HEAP); // LOCK
        add(HEAP, 0x70, Action.BLOCKS); // INPLACE
    }

    private void indexes() {
        addBlocks(BTREE, 0x00, 0xE0);
        addBlocks(HASH, 0x00, 0xC0);
        addBlocks(GIN, 0x10, 0x90);
        addBlocks(GIST, 0x00, 0x30);
        addBlocks(GIST, 0x60, 0x70);
        addBlocks(SPGIST, 0x10, 0x80);
        addBlocks(BRIN, 0x00, 0x50);
        add(BRIN, 0x10 | INIT_PAGE, Action.BLOCKS);
        add(BRIN, 0x20 | INIT_PAGE, Action.BLOCKS);
    }

    private void neon() {
        addWithFlag(NEON, 0x00, INIT_PAGE, Action.HEAP); // INSERT
        add(NEON, 0x10, Action.HEAP); // DELETE
        addWithFlag(NEON, 0x20, INIT_PAGE, Action.HEAP); // UPDATE
        addWithFlag(NEON, 0x30, INIT_PAGE, Action.HEAP); // HOT_UPDATE
        add(NEON, 0x40, Action.HEAP); // LOCK
        addWithFlag(NEON, 0x50, INIT_PAGE, Action.HEAP); // MULTI_INSERT
    }

    private void add(int rmgr, int info, Action action) {
        byOpcode[rmgr << 4 | info >> 4] = action;
    }

    private void addWithFlag(int rmgr, int info, int flag, Action action) {
        add(rmgr, info, action);
        add(rmgr, info | flag, action);
    }

    private void addBlocks(int rmgr, int first, int last) {
        for (int info = first; info <= last; info += 0x10) {
            add(rmgr, info, Action.BLOCKS);
        }
    }

    /** What to do about a record; null when nobody knows it. The low nibble of {@code info} is not looked at. */
    @Nullable
    Action actionOf(int rmgrId, int info) {
        return byOpcode[rmgrId << 4 | (info & 0xF0) >> 4];
    }
}
