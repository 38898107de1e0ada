package io.tidemark.pageserver.basedata;

import io.tidemark.pageserver.basedata.ImportException.Reason;
import io.tidemark.pageserver.ingest.TimelineHead;
import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.pgcontrol.CheckPoint;
import io.tidemark.pageserver.pgcontrol.ControlFile;
import io.tidemark.pageserver.pgcontrol.InvalidControlFileException;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.rel.SlruKind;
import io.tidemark.wire.wal.LittleEndian;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Takes the files of a data directory, in any order and each in one pass, and puts what they have, all at one LSN.
 *
 * <p>Pages are put as they come; sizes, and whatever depends on pg_control, at the end. Unlogged relations are those with an init
 * fork: their other forks are put, but do not exist, since a start after a crash makes them anew.
 */
final class BaseDataWriter {
    /** A small file longer than this is none that PostgreSQL writes. */
    private static final int MAX_SMALL_FILE_BYTES = 64 << 20;

    private static final int CRC_BYTES = 4;
    private static final int ORIGINS_MAGIC = 0x1257DADE;
    private static final int ORIGIN_BYTES = 16;

    private final TimelineHead head;
    private final int pgMajor;
    private final Lsn lsn;

    /** How many blocks each segment of each fork has. */
    private final SortedMap<RelTag, NavigableMap<Integer, Integer>> segments = new TreeMap<>();

    private final SortedMap<Key, Value> small = new TreeMap<>();
    private final List<TwoPhaseFile> twoPhaseFiles = new ArrayList<>();
    private byte @Nullable [] controlFile;

    private record TwoPhaseFile(long xid, Value state) {}

    BaseDataWriter(TimelineHead head, int pgMajor, Lsn lsn) {
        this.head = head;
        this.pgMajor = pgMajor;
        this.lsn = lsn;
    }

    /**
     * Takes one file.
     *
     * @param path relative to the data directory
     * @param content has {@code sizeBytes} bytes, of which as many as needed are read
     */
    void file(String path, long sizeBytes, InputStream content) throws IOException, ImportException {
        switch (DataFile.of(path)) {
            case DataFile.RelationSegment segment -> relation(path, segment, sizeBytes, content);
            case DataFile.SlruSegment segment -> slru(path, segment, sizeBytes, content);
            case DataFile.RelationMap map ->
                small.put(
                        Keys.relationMap(map.tablespace(), map.database()),
                        new Value.Image(readSmall(path, sizeBytes, content)));
            case DataFile.DatabaseVersion version -> addDatabase(version.tablespace(), version.database());
            case DataFile.TwoPhase twoPhase -> twoPhase(path, twoPhase, readSmall(path, sizeBytes, content));
            case DataFile.Origins origins -> origins(path, readSmall(path, sizeBytes, content));
            case DataFile.Control control -> controlFile = readSmall(path, sizeBytes, content);
            case DataFile.UserTablespace tablespace ->
                throw new ImportException(
                        Reason.USER_TABLESPACE,
                        tablespace.path()
                                + " belongs to a tablespace that a user created; move everything to pg_default"
                                + " and drop it");
            case DataFile.Other other -> {}
        }
    }

    private void addDatabase(int tablespace, int database) {
        small.put(Keys.database(tablespace, database), new Value.Image(new byte[0]));
    }

    private void relation(String path, DataFile.RelationSegment file, long sizeBytes, InputStream content)
            throws IOException, ImportException {
        // What is not a whole block at the end does not count for PostgreSQL either (mdnblocks).
        long blocks = sizeBytes / Page.SIZE_BYTES;
        if (blocks > RelTag.BLOCKS_PER_SEGMENT) {
            throw damaged(path, "it has " + sizeBytes + " bytes, more than a segment");
        }
        int first = file.segment() * RelTag.BLOCKS_PER_SEGMENT;
        for (int block = 0; block < blocks; block++) {
            head.put(Keys.relationBlock(file.tag(), first + block), lsn, new Value.Image(readPage(path, content)));
        }
        segments.computeIfAbsent(file.tag(), absent -> new TreeMap<>()).put(file.segment(), (int) blocks);
    }

    private void slru(String path, DataFile.SlruSegment file, long sizeBytes, InputStream content)
            throws IOException, ImportException {
        int pages = (int) Math.min(sizeBytes / Page.SIZE_BYTES, Integer.MAX_VALUE);
        if (pages > SlruKind.PAGES_PER_SEGMENT) {
            throw damaged(path, "it has " + sizeBytes + " bytes, more than a segment");
        }
        for (int page = 0; page < pages; page++) {
            head.put(Keys.slruBlock(file.kind(), file.segment(), page), lsn, new Value.Image(readPage(path, content)));
        }
        small.put(Keys.slruSegmentSize(file.kind(), file.segment()), number(pages));
    }

    private static byte[] readPage(String path, InputStream content) throws IOException, ImportException {
        byte[] page = new byte[Page.SIZE_BYTES];
        if (content.readNBytes(page, 0, page.length) != page.length) {
            throw damaged(path, "it ends before its size");
        }
        return page;
    }

    private static byte[] readSmall(String path, long sizeBytes, InputStream content)
            throws IOException, ImportException {
        if (sizeBytes > MAX_SMALL_FILE_BYTES) {
            throw damaged(path, "it has " + sizeBytes + " bytes");
        }
        byte[] bytes = content.readNBytes((int) sizeBytes);
        if (bytes.length != sizeBytes) {
            throw damaged(path, "it ends before its size");
        }
        return bytes;
    }

    private void twoPhase(String path, DataFile.TwoPhase file, byte[] bytes) throws ImportException {
        byte[] state = checked(path, bytes);
        twoPhaseFiles.add(new TwoPhaseFile(file.xid(), new Value.Image(state)));
    }

    /** {@code magic(u32) { id(u16) 6 remoteLsn(u64) } crc(u32)}. */
    private void origins(String path, byte[] bytes) throws ImportException {
        if (bytes.length == 0) {
            return;
        }
        byte[] content = checked(path, bytes);
        if (content.length < CRC_BYTES || LittleEndian.i32(content, 0) != ORIGINS_MAGIC) {
            throw damaged(path, "it does not start like such a file");
        }
        for (int at = CRC_BYTES; at + ORIGIN_BYTES <= content.length; at += ORIGIN_BYTES) {
            small.put(
                    Keys.replicationOrigin(LittleEndian.u16(content, at)),
                    new Value.Image(Arrays.copyOfRange(content, at + 8, at + ORIGIN_BYTES)));
        }
    }

    /** All but the CRC at the end, which must be right. */
    private static byte[] checked(String path, byte[] bytes) throws ImportException {
        int length = bytes.length - CRC_BYTES;
        if (length < 0) {
            throw damaged(path, "it has " + bytes.length + " bytes");
        }
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        if ((int) crc.getValue() != LittleEndian.i32(bytes, length)) {
            throw damaged(path, "its CRC does not match its bytes");
        }
        return Arrays.copyOf(bytes, length);
    }

    /**
     * Puts the rest.
     *
     * @param previous where the record before the LSN starts; invalid when not known
     * @return the control file that was among the files
     */
    ControlFile finish(Lsn previous) throws IOException, ImportException {
        if (controlFile == null) {
            throw new ImportException(Reason.NOT_A_DATA_DIRECTORY, "there is no global/pg_control");
        }
        ControlFile control = readControl(controlFile, pgMajor);
        CheckPoint checkPoint = control.checkPoint();
        long nextXid = checkPoint.nextXid();
        for (TwoPhaseFile file : twoPhaseFiles) {
            long xid = file.xid();
            small.put(Keys.twoPhaseFile(pgMajor < 17 ? fullXid((int) xid, nextXid) : xid), file.state());
        }
        addDatabase(RelTag.GLOBAL_TABLESPACE, 0);
        segments.forEach(this::addSize);
        small.put(Keys.CONTROL_FILE, new Value.Image(control.toBytes()));
        small.put(Keys.CHECKPOINT, new Value.Image(checkPoint.toBytes()));
        byte[] next = new byte[8];
        LittleEndian.putI64(next, 0, nextXid);
        small.put(Keys.NEXT_XID, new Value.Image(next));
        if (previous.isValid()) {
            small.put(Keys.LAST_RECORD, new Value.Image(Keys.lastRecord(lsn, previous)));
        }
        for (Map.Entry<Key, Value> entry : small.entrySet()) {
            head.put(entry.getKey(), lsn, entry.getValue());
        }
        return control;
    }

    static ControlFile readControl(byte[] bytes, int pgMajor) throws ImportException {
        try {
            return ControlFile.read(bytes, pgMajor);
        } catch (InvalidControlFileException e) {
            throw new ImportException(Reason.DAMAGED, "global/pg_control cannot be used: " + e.getMessage(), e);
        }
    }

    private static long fullXid(int xid, long nextXid) {
        long epoch = nextXid >>> 32;
        return (Integer.compareUnsigned(xid, (int) nextXid) > 0 ? epoch - 1 : epoch) << 32
                | Integer.toUnsignedLong(xid);
    }

    private void addSize(RelTag tag, NavigableMap<Integer, Integer> blocksOfSegments) {
        if (tag.fork() != Fork.INIT && segments.containsKey(tag.withFork(Fork.INIT))) {
            return;
        }
        addDatabase(tag.tablespace(), tag.database());
        // A segment that is not full is the last, whatever a truncation left behind it.
        int blocks = 0;
        for (int segment = 0; ; segment++) {
            Integer inSegment = blocksOfSegments.get(segment);
            blocks += inSegment == null ? 0 : inSegment;
            if (inSegment == null || inSegment < RelTag.BLOCKS_PER_SEGMENT) {
                break;
            }
        }
        small.put(Keys.relationSize(tag), number(blocks));
    }

    private static Value number(int number) {
        byte[] bytes = new byte[4];
        LittleEndian.putI32(bytes, 0, number);
        return new Value.Image(bytes);
    }

    private static ImportException damaged(String path, String what) {
        return new ImportException(Reason.DAMAGED, path + " is damaged: " + what);
    }
}
