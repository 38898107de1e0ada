package io.tidemark.pageserver.basebackup;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tidemark.pageserver.basebackup.DirectoryEntry.Directory;
import io.tidemark.pageserver.basebackup.DirectoryEntry.File;
import io.tidemark.pageserver.key.KeyKind;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.timeline.ReadException;
import io.tidemark.pageserver.timeline.ReadException.Kind;
import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.pageserver.timeline.TimelineMetadata;
import io.tidemark.pageserver.timeline.TimelineReader;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.rel.SlruKind;
import io.tidemark.wire.wal.LittleEndian;
import io.tidemark.wire.wal.WalSegmentName;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The data directory of a timeline at an LSN: what is in it, and how to read it. For one thread.
 *
 * <pre>
 *   directories | pg_hba.conf pg_ident.conf postgresql.auto.conf | SLRUs | PG_VERSION global/... | base/N/...
 *   aux files | restart.lsn | pg_twophase/... | pg_logical/replorigin_checkpoint | neon.signal zenith.signal
 *   backup_label, for a standby | global/pg_control | pg_wal/..., not for a standby
 * </pre>
 *
 * <p>pg_control is late on purpose: who got only a part of it cannot start. There is no postgresql.conf: it is the business of
 * whoever starts a server. No more than the names of one database are in memory at a time.
 */
public final class DataDirectory {
    private static final List<String> DIRECTORIES = List.of(
            "global",
            "pg_wal/archive_status",
            "pg_wal/summaries",
            "pg_commit_ts",
            "pg_dynshmem",
            "pg_notify",
            "pg_serial",
            "pg_snapshots",
            "pg_subtrans",
            "pg_twophase",
            "pg_multixact",
            "pg_multixact/members",
            "pg_multixact/offsets",
            "base",
            "base/1",
            "pg_replslot",
            "pg_tblspc",
            "pg_stat",
            "pg_stat_tmp",
            "pg_xact",
            "pg_logical",
            "pg_logical/snapshots",
            "pg_logical/mappings");

    private static final int FIRST_MAJOR_WITH_SUMMARIES = 17;
    private static final int TEMPLATE1 = 1;

    private static final String HBA = """
            # TYPE  DATABASE        USER            ADDRESS                 METHOD
            local   all             all                                     trust
            host    all             all             127.0.0.1/32            trust
            host    all             all             ::1/128                 trust
            local   replication     all                                     trust
            host    replication     all             127.0.0.1/32            trust
            host    replication     all             ::1/128                 trust
            """;

    private final TimelineReader reader;
    private final TimelineMetadata metadata;
    private final BackupPoint point;
    private final BackupKind kind;
    private final StartState start;

    private DataDirectory(
            TimelineReader reader, TimelineMetadata metadata, BackupPoint point, BackupKind kind, StartState start) {
        this.reader = reader;
        this.metadata = metadata;
        this.point = point;
        this.kind = kind;
        this.start = start;
    }

    /**
     * Prepares it; what can be refused is refused here.
     *
     * @param nowSeconds since 1970, for pg_control
     */
    public static DataDirectory of(Timeline timeline, BackupPoint point, BackupKind kind, long nowSeconds)
            throws ReadException {
        TimelineReader reader = timeline.reader();
        StartState start = StartState.of(reader, timeline.metadata(), point, kind, nowSeconds);
        DataDirectory directory = new DataDirectory(reader, timeline.metadata(), point, kind, start);
        directory.databases();
        return directory;
    }

    /** Told of every entry, a directory before what is in it. */
    @FunctionalInterface
    public interface Visitor {
        void visit(DirectoryEntry entry) throws IOException, ReadException;
    }

    /** Tells all entries. */
    public void walk(Visitor visitor) throws IOException, ReadException {
        for (String name : DIRECTORIES) {
            if (metadata.pgMajor() >= FIRST_MAJOR_WITH_SUMMARIES || !name.equals("pg_wal/summaries")) {
                visitor.visit(new Directory(name));
            }
        }
        visitor.visit(DirectoryEntry.small("pg_hba.conf", HBA.getBytes(UTF_8)));
        visitor.visit(DirectoryEntry.small("pg_ident.conf", new byte[0]));
        visitor.visit(DirectoryEntry.small("postgresql.auto.conf", new byte[0]));
        for (SlruKind slru : SlruKind.values()) {
            for (File segment : slruSegments(slru)) {
                visitor.visit(segment);
            }
        }
        walkDatabase(RelTag.GLOBAL_TABLESPACE, 0, visitor);
        for (int database : databases()) {
            walkDatabase(RelTag.DEFAULT_TABLESPACE, database, visitor);
        }
        for (File file : new StateFiles(reader, metadata.pgMajor(), lsn(), kind, start.wasShutDown()).all()) {
            visitor.visit(file);
        }
        visitor.visit(DirectoryEntry.small("neon.signal", point.signal().getBytes(UTF_8)));
        visitor.visit(DirectoryEntry.small("zenith.signal", point.signal().getBytes(UTF_8)));
        if (!start.backupLabel().isEmpty()) {
            visitor.visit(
                    DirectoryEntry.small("backup_label", start.backupLabel().getBytes(UTF_8)));
        }
        visitor.visit(DirectoryEntry.small("global/pg_control", start.controlFile()));
        StartOfWal wal = start.wal();
        if (wal != null) {
            walkWal(wal, visitor);
        }
    }

    private static void walkWal(StartOfWal wal, Visitor visitor) throws IOException, ReadException {
        for (WalSegmentName segment : wal.segments()) {
            visitor.visit(DirectoryEntry.computed(
                    "pg_wal/" + segment.fileName(),
                    segment.segmentSizeBytes(),
                    (block, into) -> wal.page(segment.startLsn().plus((long) block * Lsn.WAL_PAGE_SIZE), into)));
        }
    }

    private Lsn lsn() {
        return point.lsn();
    }

    private List<File> slruSegments(SlruKind slru) throws ReadException {
        List<File> segments = new ArrayList<>();
        reader.scan(Keys.slruSegmentSizes(slru), lsn(), (key, value) -> {
            int segment = key.f4();
            segments.add(DirectoryEntry.computed(
                    slru.directory() + "/%04X".formatted(segment),
                    (long) LittleEndian.i32(value, 0) * DirectoryEntry.BLOCK_BYTES,
                    (block, into) -> reader.build(Keys.slruBlock(slru, segment, block), lsn(), into)));
        });
        return segments;
    }

    /** The databases of the default tablespace. */
    private List<Integer> databases() throws ReadException {
        List<Integer> databases = new ArrayList<>();
        reader.scan(KeyKind.DATABASE.range(), lsn(), (key, value) -> {
            int tablespace = key.f2();
            if (tablespace == RelTag.DEFAULT_TABLESPACE) {
                databases.add(key.f3());
            } else if (tablespace != RelTag.GLOBAL_TABLESPACE) {
                throw new ReadException(
                        Kind.BAD_REQUEST,
                        "database " + Integer.toUnsignedString(key.f3()) + " has files in tablespace "
                                + Integer.toUnsignedString(tablespace) + ", which a user created: not supported");
            }
        });
        return databases;
    }

    private void walkDatabase(int tablespace, int database, Visitor visitor) throws IOException, ReadException {
        boolean global = tablespace == RelTag.GLOBAL_TABLESPACE;
        String directory = global ? "global" : "base/" + Integer.toUnsignedString(database);
        byte[] map = reader.find(Keys.relationMap(tablespace, database), lsn());
        if (!global && database != TEMPLATE1) {
            visitor.visit(new Directory(directory));
        }
        if (map != null) {
            String version = metadata.pgMajor() + "\n";
            visitor.visit(
                    DirectoryEntry.small(global ? "PG_VERSION" : directory + "/PG_VERSION", version.getBytes(UTF_8)));
            visitor.visit(DirectoryEntry.small(directory + "/pg_filenode.map", map));
        }
        RelationFiles files = new RelationFiles(reader, lsn(), kind, directory);
        for (File file : files.of(tablespace, database)) {
            visitor.visit(file);
        }
    }
}
