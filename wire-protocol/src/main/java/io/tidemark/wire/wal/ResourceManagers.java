package io.tidemark.wire.wal;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The names of resource managers and of their opcodes, as pg_waldump and pg_walinspect print them (rm_name in rmgrlist.h and
 * the rm_identify functions). Ids and opcodes are the same in PostgreSQL 14 to 18 except where a method says so.
 */
public final class ResourceManagers {
    public static final int XLOG = 0;
    public static final int TRANSACTION = 1;
    public static final int STORAGE = 2;
    public static final int CLOG = 3;
    public static final int DATABASE = 4;
    public static final int TABLESPACE = 5;
    public static final int MULTIXACT = 6;
    public static final int RELMAP = 7;
    public static final int STANDBY = 8;
    public static final int HEAP2 = 9;
    public static final int HEAP = 10;
    public static final int BTREE = 11;
    public static final int HASH = 12;
    public static final int GIN = 13;
    public static final int GIST = 14;
    public static final int SEQUENCE = 15;
    public static final int SPGIST = 16;
    public static final int BRIN = 17;
    public static final int COMMIT_TS = 18;
    public static final int REPLICATION_ORIGIN = 19;
    public static final int GENERIC = 20;
    public static final int LOGICAL_MESSAGE = 21;

    /** The last id that PostgreSQL itself uses. */
    public static final int LAST_BUILTIN = 21;

    /** From PostgreSQL 15 on, ids from here to 255 belong to extensions. */
    public static final int FIRST_CUSTOM = 128;

    private static final int OPCODE_MASK = 0xF0;

    /** In heap, heap2 and BRIN records: redo initialises the page. */
    private static final int INIT_PAGE = 0x80;

    private static final List<String> NAMES = List.of(
            "XLOG",
            "Transaction",
            "Storage",
            "CLOG",
            "Database",
            "Tablespace",
            "MultiXact",
            "RelMap",
            "Standby",
            "Heap2",
            "Heap",
            "Btree",
            "Hash",
            "Gin",
            "Gist",
            "Sequence",
            "SPGist",
            "BRIN",
            "CommitTs",
            "ReplicationOrigin",
            "Generic",
            "LogicalMessage");

    // One name per opcode 0x00, 0x10, ...; an empty name is an opcode that does not exist.

    private static final List<String> XLOG_NAMES = List.of(
            "CHECKPOINT_SHUTDOWN",
            "CHECKPOINT_ONLINE",
            "NOOP",
            "NEXTOID",
            "SWITCH",
            "BACKUP_END",
            "PARAMETER_CHANGE",
            "RESTORE_POINT",
            "FPW_CHANGE",
            "END_OF_RECOVERY",
            "FPI_FOR_HINT",
            "FPI",
            "",
            "OVERWRITE_CONTRECORD",
            "CHECKPOINT_REDO");

    private static final List<String> TRANSACTION_NAMES =
            List.of("COMMIT", "PREPARE", "ABORT", "COMMIT_PREPARED", "ABORT_PREPARED", "ASSIGNMENT", "INVALIDATION");

    private static final List<String> HEAP2_NAMES =
            List.of("REWRITE", "PRUNE", "VACUUM", "FREEZE_PAGE", "VISIBLE", "MULTI_INSERT", "LOCK_UPDATED", "NEW_CID");

    private static final List<String> HEAP2_NAMES_17 = List.of(
            "REWRITE",
            "PRUNE_ON_ACCESS",
            "PRUNE_VACUUM_SCAN",
            "PRUNE_VACUUM_CLEANUP",
            "VISIBLE",
            "MULTI_INSERT",
            "LOCK_UPDATED",
            "NEW_CID");

    private static final List<String> HEAP_NAMES =
            List.of("INSERT", "DELETE", "UPDATE", "TRUNCATE", "HOT_UPDATE", "HEAP_CONFIRM", "LOCK", "INPLACE");

    private static final List<String> BTREE_NAMES = List.of(
            "INSERT_LEAF",
            "INSERT_UPPER",
            "INSERT_META",
            "SPLIT_L",
            "SPLIT_R",
            "INSERT_POST",
            "DEDUP",
            "DELETE",
            "UNLINK_PAGE",
            "UNLINK_PAGE_META",
            "NEWROOT",
            "MARK_PAGE_HALFDEAD",
            "VACUUM",
            "REUSE_PAGE",
            "META_CLEANUP");

    private static final List<String> HASH_NAMES = List.of(
            "INIT_META_PAGE",
            "INIT_BITMAP_PAGE",
            "INSERT",
            "ADD_OVFL_PAGE",
            "SPLIT_ALLOCATE_PAGE",
            "SPLIT_PAGE",
            "SPLIT_COMPLETE",
            "MOVE_PAGE_CONTENTS",
            "SQUEEZE_PAGE",
            "DELETE",
            "SPLIT_CLEANUP",
            "UPDATE_META_PAGE",
            "VACUUM_ONE_PAGE");

    private static final List<String> GIN_NAMES = List.of(
            "",
            "CREATE_PTREE",
            "INSERT",
            "SPLIT",
            "VACUUM_PAGE",
            "DELETE_PAGE",
            "UPDATE_META_PAGE",
            "INSERT_LISTPAGE",
            "DELETE_LISTPAGE",
            "VACUUM_DATA_LEAF_PAGE");

    private static final List<String> GIST_NAMES =
            List.of("PAGE_UPDATE", "DELETE", "PAGE_REUSE", "PAGE_SPLIT", "", "", "PAGE_DELETE", "ASSIGN_LSN");

    private static final List<String> SPGIST_NAMES = List.of(
            "",
            "ADD_LEAF",
            "MOVE_LEAFS",
            "ADD_NODE",
            "SPLIT_TUPLE",
            "PICKSPLIT",
            "VACUUM_LEAF",
            "VACUUM_ROOT",
            "VACUUM_REDIRECT");

    private static final List<String> BRIN_NAMES =
            List.of("CREATE_INDEX", "INSERT", "UPDATE", "SAMEPAGE_UPDATE", "REVMAP_EXTEND", "DESUMMARIZE");

    private ResourceManagers() {}

    /** The name of a resource manager; {@code customNNN} for ids that PostgreSQL does not use itself. */
    public static String nameOf(int rmgrId) {
        return rmgrId <= LAST_BUILTIN ? NAMES.get(rmgrId) : String.format(Locale.ROOT, "custom%03d", rmgrId);
    }

    /**
     * The name of the operation in xl_info. From 15 on Database has one opcode more, and 17 renamed three of Heap2's.
     *
     * @return null when the resource manager or the opcode is not one of that version
     */
    public static @Nullable String opcodeOf(int rmgrId, int info, int pgMajor) {
        return switch (rmgrId) {
            case XLOG -> pgMajor < 17 && (info & OPCODE_MASK) == 0xE0 ? null : plain(XLOG_NAMES, info);
            case TRANSACTION -> plain(TRANSACTION_NAMES, info & ~INIT_PAGE); // there 0x80 is XLOG_XACT_HAS_INFO
            case STORAGE -> plain(List.of("", "CREATE", "TRUNCATE"), info);
            case CLOG, COMMIT_TS -> plain(List.of("ZEROPAGE", "TRUNCATE"), info);
            case DATABASE ->
                plain(
                        pgMajor < 15
                                ? List.of("CREATE", "DROP")
                                : List.of("CREATE_FILE_COPY", "CREATE_WAL_LOG", "DROP"),
                        info);
            case TABLESPACE -> plain(List.of("CREATE", "DROP"), info);
            case MULTIXACT -> plain(List.of("ZERO_OFF_PAGE", "ZERO_MEM_PAGE", "CREATE_ID", "TRUNCATE_ID"), info);
            case RELMAP -> plain(List.of("UPDATE"), info);
            case STANDBY -> plain(List.of("LOCK", "RUNNING_XACTS", "INVALIDATIONS"), info);
            case HEAP2 -> withInit(pgMajor < 17 ? HEAP2_NAMES : HEAP2_NAMES_17, info, 1 << 5);
            case HEAP -> withInit(HEAP_NAMES, info, 1 | 1 << 2 | 1 << 4);
            case BTREE -> plain(BTREE_NAMES, info);
            case HASH -> plain(HASH_NAMES, info);
            case GIN -> plain(GIN_NAMES, info);
            case GIST -> plain(GIST_NAMES, info);
            case SEQUENCE -> plain(List.of("LOG"), info);
            case SPGIST -> plain(SPGIST_NAMES, info);
            case BRIN -> withInit(BRIN_NAMES, info, 1 << 1 | 1 << 2);
            case REPLICATION_ORIGIN -> plain(List.of("SET", "DROP"), info);
            case GENERIC -> "Generic";
            case LOGICAL_MESSAGE -> plain(List.of("MESSAGE"), info);
            default -> null;
        };
    }

    private static @Nullable String plain(List<String> names, int info) {
        int opcode = (info & OPCODE_MASK) >> 4;
        return opcode < names.size() && !names.get(opcode).isEmpty() ? names.get(opcode) : null;
    }

    /** @param mayInit bit n set: opcode n may come with {@link #INIT_PAGE} */
    private static @Nullable String withInit(List<String> names, int info, int mayInit) {
        if ((info & INIT_PAGE) == 0) {
            return plain(names, info);
        }
        int opcode = (info & OPCODE_MASK & ~INIT_PAGE) >> 4;
        return (mayInit >> opcode & 1) != 0 ? names.get(opcode) + "+INIT" : null;
    }
}
