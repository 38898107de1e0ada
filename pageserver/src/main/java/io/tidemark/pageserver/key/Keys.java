package io.tidemark.pageserver.key;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.rel.SlruKind;
import io.tidemark.wire.wal.LittleEndian;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.jspecify.annotations.Nullable;

/**
 * Makes keys and takes them apart.
 *
 * <pre>
 *   family                 f2          f3        f4        f5    f6      value
 *   00 RELATION_BLOCK      tablespace  database  relation  fork  block   a page
 *   01 SLRU_BLOCK          kind        0         segment   0     0..31   a page without header
 *   60 CONTROL             0           0         0         0     0       pg_control, the whole file
 *                                                                1       CheckPoint, 88 bytes, as of the last change; see pgcontrol
 *                                                                2       nextXid: u64
 *                                                                3       the latest commit time so far: i64, microseconds since 2000
 *                                                                4       the last record of a layer: end(u64) start(u64)
 *                                                                5       the last checkpoint record: start(u64) redo(u64)
 *   61 RELATION_SIZE       tablespace  database  relation  fork  0       blocks: u32; the fork exists as long as this does
 *   62 DATABASE            tablespace  database  0         0     0       empty; the directory with PG_VERSION exists
 *   63 RELATION_MAP        tablespace  database  0         0     0       pg_filenode.map, the whole file; database 0: global
 *   64 SLRU_SEGMENT_SIZE   kind        0         segment   0     0       pages: u32; the segment exists as long as this does
 *   65 TWO_PHASE_FILE      0           xid high  xid low   0     0       the state file without its CRC; the xid has 64 bits
 *   66 RESTORE_POINT       104 bits of the name's SHA-256                time: i64, microseconds since 2000 | LSN: u64 | name
 *   70 REPLICATION_ORIGIN  0           0         id        0     0       remote LSN: u64
 *   71 AUX_FILE            104 bits of the path's SHA-256                path length(u16) path content
 *
 *   numbers in values are little endian
 * </pre>
 *
 * <p>Sizes are the directory: what exists has a size, what was dropped has {@link Value.Removed}. So CREATE and DROP cost one value
 * each whatever else exists, and a listing, with sizes, is one scan of a range. Origins and aux files belong to one timeline; a branch
 * does not inherit them.
 */
public final class Keys {
    public static final Key CONTROL_FILE = Key.of(KeyKind.CONTROL.family(), 0, 0, 0, 0, 0);
    public static final Key CHECKPOINT = Key.of(KeyKind.CONTROL.family(), 0, 0, 0, 0, 1);
    public static final Key NEXT_XID = Key.of(KeyKind.CONTROL.family(), 0, 0, 0, 0, 2);
    public static final Key COMMIT_TIME = Key.of(KeyKind.CONTROL.family(), 0, 0, 0, 0, 3);

    /** Put where a layer ends; says nothing about any other LSN. */
    public static final Key LAST_RECORD = Key.of(KeyKind.CONTROL.family(), 0, 0, 0, 0, 4);

    /** Put with each checkpoint record; absent until there was one in WAL that this program has ingested. */
    public static final Key CHECKPOINT_RECORD = Key.of(KeyKind.CONTROL.family(), 0, 0, 0, 0, 5);

    /** A tablespace's oid must fit. User tablespaces are refused anyway. */
    private static final int MAX_TABLESPACE = 0xFFFF;

    private Keys() {}

    public static Key relationBlock(RelTag relation, int block) {
        return relationBlock(
                relation.tablespace(),
                relation.database(),
                relation.relation(),
                relation.fork().number(),
                block);
    }

    public static Key relationBlock(int tablespace, int database, int relation, int fork, int block) {
        return Key.of(KeyKind.RELATION_BLOCK.family(), fitting(tablespace), database, relation, fork, block);
    }

    /** Blocks {@code [first, end)} of a relation, both unsigned. */
    public static KeyRange relationBlocks(RelTag relation, int first, int end) {
        return new KeyRange(relationBlock(relation, first), relationBlock(relation, end));
    }

    public static Key relationSize(RelTag relation) {
        return relationSize(
                relation.tablespace(),
                relation.database(),
                relation.relation(),
                relation.fork().number());
    }

    private static Key relationSize(int tablespace, int database, int relation, int fork) {
        return Key.of(KeyKind.RELATION_SIZE.family(), fitting(tablespace), database, relation, fork, 0);
    }

    /** The sizes of all forks of all relations of a database. */
    public static KeyRange relationSizes(int tablespace, int database) {
        Key start = relationSize(tablespace, database, 0, 0);
        return new KeyRange(start, relationSize(tablespace, database, -1, 0xFF).plus(1L << 32));
    }

    public static Key database(int tablespace, int database) {
        return Key.of(KeyKind.DATABASE.family(), fitting(tablespace), database, 0, 0, 0);
    }

    public static Key relationMap(int tablespace, int database) {
        return Key.of(KeyKind.RELATION_MAP.family(), fitting(tablespace), database, 0, 0, 0);
    }

    public static Key slruBlock(SlruKind kind, int segment, int block) {
        return Key.of(KeyKind.SLRU_BLOCK.family(), kind.number(), 0, segment, 0, block);
    }

    /** The block that holds a page, by the page's number counted through all segments. */
    public static Key slruPage(SlruKind kind, int page) {
        return slruBlock(
                kind,
                Integer.divideUnsigned(page, SlruKind.PAGES_PER_SEGMENT),
                Integer.remainderUnsigned(page, SlruKind.PAGES_PER_SEGMENT));
    }

    public static Key slruSegmentSize(SlruKind kind, int segment) {
        return Key.of(KeyKind.SLRU_SEGMENT_SIZE.family(), kind.number(), 0, segment, 0, 0);
    }

    /** The sizes of all segments of one kind. */
    public static KeyRange slruSegmentSizes(SlruKind kind) {
        return new KeyRange(
                slruSegmentSize(kind, 0), Key.of(KeyKind.SLRU_SEGMENT_SIZE.family(), kind.number() + 1, 0, 0, 0, 0));
    }

    /**
     * The state file of a prepared transaction.
     *
     * @param fullXid with its epoch in the upper half
     */
    public static Key twoPhaseFile(long fullXid) {
        return Key.of(KeyKind.TWO_PHASE_FILE.family(), 0, (int) (fullXid >>> 32), (int) fullXid, 0, 0);
    }

    public static Key replicationOrigin(int originId) {
        return Key.of(KeyKind.REPLICATION_ORIGIN.family(), 0, 0, originId, 0, 0);
    }

    /**
     * A file that a compute keeps in storage.
     *
     * @param path relative to the data directory
     */
    public static Key auxFile(String path) {
        return hashed(KeyKind.AUX_FILE, path.getBytes(UTF_8));
    }

    /**
     * The place in the history that has a name.
     *
     * @param name in the server's encoding, whatever that is
     */
    public static Key restorePoint(byte[] name) {
        return hashed(KeyKind.RESTORE_POINT, name);
    }

    private static Key hashed(KeyKind kind, byte[] name) {
        ByteBuffer hash = ByteBuffer.wrap(sha256(name));
        long high = (long) kind.family() << 56 | hash.getLong(0) & 0x00FF_FFFF_FFFF_FFFFL;
        return new Key(high, hash.getLong(8) & ~0xFFFFL);
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** The fork that a block or a size belongs to. */
    public static RelTag relTag(Key key) {
        return new RelTag(key.f2(), key.f3(), key.f4(), Fork.of(key.f5()));
    }

    /** The value of {@link #LAST_RECORD}. */
    public static byte[] lastRecord(Lsn end, Lsn start) {
        byte[] bytes = new byte[2 * Long.BYTES];
        LittleEndian.putI64(bytes, 0, end.value());
        LittleEndian.putI64(bytes, Long.BYTES, start.value());
        return bytes;
    }

    /**
     * Where the record starts that ends at {@code end}, by a value of {@link #LAST_RECORD}; invalid when that speaks of another, or is
     * null.
     */
    public static Lsn lastRecordStart(byte @Nullable [] value, Lsn end) {
        return value != null && LittleEndian.i64(value, 0) == end.value()
                ? Lsn.of(LittleEndian.i64(value, Long.BYTES))
                : Lsn.INVALID;
    }

    /** The kind that an SLRU's block or segment belongs to. */
    public static SlruKind slruKind(Key key) {
        return SlruKind.of(key.f2());
    }

    /** The number of an SLRU block's page, counted through all segments. */
    public static int slruPageNumber(Key key) {
        return key.f4() * SlruKind.PAGES_PER_SEGMENT + key.f6();
    }

    /** The transaction of a two-phase file, with its epoch in the upper half. */
    public static long twoPhaseXid(Key key) {
        return (long) key.f3() << 32 | Integer.toUnsignedLong(key.f4());
    }

    /** For people: {@code relation 1663/5/16384_vm block 7}. */
    public static String describe(Key key) {
        KeyKind kind = KeyKind.of(key);
        if (kind == null) {
            return "key " + key;
        }
        return switch (kind) {
            case RELATION_BLOCK -> "relation " + describeRelation(key) + " block " + Integer.toUnsignedString(key.f6());
            case RELATION_SIZE -> "size of relation " + describeRelation(key);
            case SLRU_BLOCK -> describeSegment(key) + " block " + Integer.toUnsignedString(key.f6());
            case SLRU_SEGMENT_SIZE -> "size of " + describeSegment(key);
            case DATABASE -> "database " + describeDatabase(key);
            case RELATION_MAP -> "relation map of " + describeDatabase(key);
            case TWO_PHASE_FILE -> "two-phase file %016X".formatted(twoPhaseXid(key));
            case RESTORE_POINT -> "restore point " + key;
            case REPLICATION_ORIGIN -> "replication origin " + key.f4();
            case AUX_FILE -> "aux file " + key;
            case CONTROL ->
                switch (key.f6()) {
                    case 0 -> "control file";
                    case 1 -> "checkpoint";
                    case 2 -> "next xid";
                    case 3 -> "commit time";
                    case 4 -> "last record";
                    default -> "key " + key;
                };
        };
    }

    private static String describeRelation(Key key) {
        return key.f5() <= Fork.INIT.number() ? relTag(key).toString() : describeDatabase(key) + "/?";
    }

    private static String describeDatabase(Key key) {
        return Integer.toUnsignedString(key.f2()) + "/" + Integer.toUnsignedString(key.f3());
    }

    private static String describeSegment(Key key) {
        String directory = key.f2() <= 2 ? slruKind(key).directory() : "slru " + key.f2();
        return directory + "/%04X".formatted(key.f4());
    }

    private static int fitting(int tablespace) {
        if ((tablespace & ~MAX_TABLESPACE) != 0) {
            throw new IllegalArgumentException(
                    "the oid of tablespace " + Integer.toUnsignedString(tablespace) + " has no place in a key");
        }
        return tablespace;
    }
}
