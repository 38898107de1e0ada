package io.tidemark.pageserver.basedata;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tidemark.pageserver.basedata.ImportException.Reason;
import io.tidemark.pageserver.ingest.TimelineHead;
import io.tidemark.pageserver.pgcontrol.ControlFile;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.wal.WalPageHeader;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Makes the data of a PostgreSQL that was shut down the beginning of a timeline: what initdb made, or any stopped server.
 *
 * <p>Everything is put at the end of the shutdown checkpoint's record, pages in the order of their keys. Nothing is written to the
 * directory.
 */
public final class DataDirectoryImport {
    // XLogRecord 24, the header of its data 2, CheckPoint 88.
    private static final int CHECKPOINT_RECORD_BYTES = 114;
    private static final int READ_BUFFER_BYTES = 256 << 10;

    private static final DataFile.RelationSegment FIRST =
            new DataFile.RelationSegment(new RelTag(0, 0, 0, Fork.MAIN), 0);

    private static final List<String> DIRECTORIES =
            List.of("base", "global", "pg_xact", "pg_multixact", "pg_twophase", "pg_logical");

    private final Path directory;

    private DataDirectoryImport(Path directory) {
        this.directory = directory;
    }

    /**
     * Puts everything.
     *
     * @param dataDir a data directory that no server uses
     * @throws ImportException when it cannot be imported; some of it may have been put
     */
    public static BaseData run(Path dataDir, TimelineHead head) throws IOException, ImportException {
        return new DataDirectoryImport(dataDir).run(head);
    }

    private BaseData run(TimelineHead head) throws IOException, ImportException {
        int pgMajor = readMajor();
        requireStopped();
        Path controlPath = directory.resolve("global/pg_control");
        if (!Files.exists(controlPath)) {
            throw new ImportException(Reason.NOT_A_DATA_DIRECTORY, controlPath + " does not exist");
        }
        ControlFile control = BaseDataWriter.readControl(Files.readAllBytes(controlPath), pgMajor);
        if (control.state() != ControlFile.State.SHUT_DOWN) {
            throw new ImportException(
                    Reason.NOT_SHUT_DOWN,
                    directory + " was not shut down cleanly (its state is " + control.state()
                            + "); start the server and stop it, then import again");
        }
        requireNoTablespaces();
        Lsn checkPointLsn = control.checkPointLsn();
        Lsn start = endOfCheckPointRecord(checkPointLsn, control.walSegmentSizeBytes());
        BaseDataWriter writer = new BaseDataWriter(head, pgMajor, start);
        for (Path file : listFiles()) {
            try (InputStream content = new BufferedInputStream(Files.newInputStream(file), READ_BUFFER_BYTES)) {
                writer.file(relative(file), Files.size(file), content);
            }
        }
        writer.finish(checkPointLsn);
        return new BaseData(
                pgMajor,
                control.systemId(),
                start,
                checkPointLsn,
                start,
                control.dataChecksumVersion() != 0,
                control.walLogHints(),
                control.walSegmentSizeBytes());
    }

    private int readMajor() throws IOException, ImportException {
        Path file = directory.resolve("PG_VERSION");
        if (!Files.exists(file)) {
            throw new ImportException(
                    Reason.NOT_A_DATA_DIRECTORY, directory + " is not a PostgreSQL data directory: no PG_VERSION");
        }
        String text = Files.readString(file, UTF_8).strip();
        for (int major = PgVersion.OLDEST_MAJOR; major <= PgVersion.NEWEST_MAJOR; major++) {
            if (text.equals(Integer.toString(major))) {
                return major;
            }
        }
        throw new ImportException(
                Reason.WRONG_VERSION,
                directory + " belongs to PostgreSQL " + text + "; supported are " + PgVersion.OLDEST_MAJOR + " to "
                        + PgVersion.NEWEST_MAJOR);
    }

    private void requireStopped() throws ImportException {
        Path pidFile = directory.resolve("postmaster.pid");
        if (Files.exists(pidFile)) {
            throw new ImportException(
                    Reason.NOT_SHUT_DOWN,
                    "a server runs on " + directory + ", or crashed there: " + pidFile + " exists");
        }
        if (Files.exists(directory.resolve("backup_label"))) {
            throw new ImportException(
                    Reason.NOT_SHUT_DOWN,
                    directory
                            + " is a copy of a running server (it has a backup_label); start a server on it and stop it,"
                            + " then import again");
        }
    }

    private void requireNoTablespaces() throws IOException, ImportException {
        Path links = directory.resolve("pg_tblspc");
        if (Files.isDirectory(links)) {
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(links)) {
                for (Path entry : entries) {
                    throw new ImportException(
                            Reason.USER_TABLESPACE,
                            entry + " is a tablespace that a user created; move everything to pg_default and drop it");
                }
            }
        }
    }

    private List<Path> listFiles() throws IOException {
        List<Path> files = new ArrayList<>();
        for (String name : DIRECTORIES) {
            Path top = directory.resolve(name);
            if (Files.isDirectory(top)) {
                try (Stream<Path> walk = Files.walk(top)) {
                    walk.filter(path -> Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS))
                            .forEach(files::add);
                }
            }
        }
        files.sort(Comparator.comparing(this::placeOf));
        removeUnlogged(files);
        return files;
    }

    // Of unlogged relations only the init fork outlives a crash, and a compute starts as after one.
    private void removeUnlogged(List<Path> files) {
        Set<RelTag> unlogged = new HashSet<>();
        for (Path file : files) {
            if (DataFile.of(relative(file)) instanceof DataFile.RelationSegment(RelTag tag, int _)
                    && tag.fork() == Fork.INIT) {
                unlogged.add(tag);
            }
        }
        files.removeIf(file -> DataFile.of(relative(file)) instanceof DataFile.RelationSegment(RelTag tag, int _)
                && tag.fork() != Fork.INIT
                && unlogged.contains(tag.withFork(Fork.INIT)));
    }

    /** Relation files in the order of their keys, then the rest. */
    private Place placeOf(Path file) {
        String path = relative(file);
        return DataFile.of(path) instanceof DataFile.RelationSegment segment
                ? new Place(0, segment, path)
                : new Place(1, FIRST, path);
    }

    private record Place(int group, DataFile.RelationSegment segment, String path) implements Comparable<Place> {
        private static final Comparator<Place> ORDER = Comparator.comparingInt(Place::group)
                .thenComparing(place -> place.segment().tag())
                .thenComparingInt(place -> place.segment().segment())
                .thenComparing(Place::path);

        @Override
        public int compareTo(Place other) {
            return ORDER.compare(this, other);
        }
    }

    private String relative(Path file) {
        return directory.relativize(file).toString();
    }

    /** Where the record of a checkpoint ends. */
    public static Lsn endOfCheckPointRecord(Lsn start, int segmentSizeBytes) {
        return endOfRecord(start, CHECKPOINT_RECORD_BYTES, segmentSizeBytes);
    }

    /** Where a record of this length ends that starts here; it may go on behind page headers. */
    static Lsn endOfRecord(Lsn start, int bytes, int segmentSizeBytes) {
        Lsn at = start;
        int rest = bytes;
        while (true) {
            int inPage = Lsn.WAL_PAGE_SIZE - at.pageOffset();
            if (rest <= inPage) {
                return at.plus(rest).alignRecord();
            }
            rest -= inPage;
            Lsn page = at.plus(inPage);
            at = page.plus(WalPageHeader.sizeAt(page, segmentSizeBytes));
        }
    }
}
