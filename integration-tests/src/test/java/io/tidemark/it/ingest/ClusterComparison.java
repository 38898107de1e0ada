package io.tidemark.it.ingest;

import io.tidemark.pageserver.ingest.TimelineHead;
import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyKind;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.pgcontrol.CheckPoint;
import io.tidemark.pageserver.pgcontrol.ControlFile;
import io.tidemark.pageserver.pgcontrol.InvalidControlFileException;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.pageserver.redo.PageMask;
import io.tidemark.pageserver.verify.RelationFiles;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.rel.SlruKind;
import io.tidemark.wire.wal.LittleEndian;
import io.tidemark.wire.wal.ResourceManagers;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Compares what a timeline has at its head with the data directory of the server that wrote its WAL and was shut down: every block, every
 * size, every listing, the SLRUs, relation maps, prepared transactions, the checkpoint.
 *
 * <p>What cannot be equal, and why:
 *
 * <ul>
 *   <li>free space maps are hints that WAL does not have; unlogged relations are compared by their init fork alone;
 *   <li>PostgreSQL extends relations without a record: what the file has behind the end must be zeros;
 *   <li>a visibility map may be made without a record: what the timeline lacks of it must have no bit set;
 *   <li>SP-GiST's cache of pages with free space, and the values of sequences, change without WAL;
 *   <li>pages are compared under PostgreSQL's own masks.
 * </ul>
 */
public final class ClusterComparison {
    private static final int MAX_FINDINGS = 40;
    private static final int SPGIST_SPECIAL = 8184;
    private static final int SEQUENCE_SPECIAL = 8184;

    /** last_value, log_cnt and is_called of the one tuple. */
    private static final int SEQUENCE_VALUES = 8160;

    private final TimelineHead head;
    private final Path dataDir;
    private final int pgMajor;
    private final List<String> findings = new ArrayList<>();
    private final Map<String, Integer> failures = new TreeMap<>();
    private int relations;
    private long pages;
    private int slruPages;
    private boolean emptyLeftovers;
    private long lsnsEqual;
    private long lsnsDifferent;

    public ClusterComparison(TimelineHead head, Path dataDir, int pgMajor) {
        this.head = head;
        this.dataDir = dataDir;
        this.pgMajor = pgMajor;
    }

    /**
     * Takes no offence at relations that the timeline has without a block and the server does not have: PostgreSQL removes the
     * first file of a dropped relation only at a later checkpoint, so a backup can contain an empty one whose end is in no WAL it comes
     * with. A server that is restored from it has that file for ever, too.
     */
    public ClusterComparison withEmptyLeftovers() {
        emptyLeftovers = true;
        return this;
    }

    /** What differs; empty when nothing does. */
    public List<String> run() throws IOException, InvalidControlFileException {
        try (RelationFiles files = RelationFiles.of(dataDir)) {
            compareListings(files);
            for (RelTag tag : files.relations()) {
                if (isCompared(tag, files)) {
                    compareRelation(files, tag);
                }
            }
        }
        for (SlruKind kind : SlruKind.values()) {
            compareSlru(kind);
        }
        compareMaps();
        compareTwoPhase();
        compareCheckPoint();
        return findings;
    }

    public String summary() {
        return "%d relations, %d pages (%d with the server's LSN, %d with another), %d SLRU pages; failures %s"
                .formatted(relations, pages, lsnsEqual, lsnsDifferent, slruPages, failures);
    }

    private void differ(String kind, String what) {
        int seen = failures.merge(kind, 1, Integer::sum);
        if (seen <= MAX_FINDINGS / 4 && findings.size() < MAX_FINDINGS) {
            findings.add(what);
        }
    }

    private byte[] require(Key key) throws IOException {
        byte[] value = head.read(key);
        if (value == null) {
            throw new IOException(Keys.describe(key) + " has no value");
        }
        return value;
    }

    private static boolean isCompared(RelTag tag, RelationFiles files) {
        return tag.fork() != Fork.FSM && (tag.fork() == Fork.INIT || !files.contains(tag.withFork(Fork.INIT)));
    }

    private void compareListings(RelationFiles files) throws IOException {
        NavigableSet<RelTag> stored = new TreeSet<>();
        head.scan(KeyKind.RELATION_SIZE.range(), (key, size) -> stored.add(Keys.relTag(key)));
        NavigableSet<RelTag> expected = new TreeSet<>(files.relations());
        expected.removeIf(tag -> !isCompared(tag, files) || tag.fork() == Fork.VM && !stored.contains(tag));
        stored.removeIf(tag -> tag.fork() == Fork.FSM);
        for (RelTag tag : stored) {
            boolean leftover = emptyLeftovers && sizeOf(tag) == 0;
            if (!expected.contains(tag) && !leftover) {
                differ("listing", tag + " exists only in the timeline");
            }
        }
        for (RelTag tag : expected) {
            if (!stored.contains(tag)) {
                differ("listing", tag + " exists only in the data directory");
            }
        }
    }

    private int sizeOf(RelTag tag) throws IOException {
        byte[] size = head.read(Keys.relationSize(tag));
        return size == null ? 0 : LittleEndian.i32(size, 0);
    }

    private void compareRelation(RelationFiles files, RelTag tag) throws IOException {
        relations++;
        int stored = sizeOf(tag);
        int blocks = files.blocks(tag);
        if (stored > blocks) {
            differ("size", tag + " has " + stored + " blocks in the timeline, " + blocks + " on disk");
        }
        byte[] disk = new byte[Page.SIZE_BYTES];
        for (int block = 0; block < blocks; block++) {
            files.read(tag, block, disk);
            byte[] page = new byte[Page.SIZE_BYTES];
            if (block < stored) {
                try {
                    page = require(Keys.relationBlock(tag, block));
                } catch (IOException e) {
                    differ("redo", tag + " block " + block + ": " + e.getMessage());
                    continue;
                }
            }
            comparePage(tag, block, page, disk);
        }
    }

    private void comparePage(RelTag tag, int block, byte[] page, byte[] disk) {
        pages++;
        if (Arrays.equals(page, 0, 8, disk, 0, 8)) {
            lsnsEqual++;
        } else {
            lsnsDifferent++;
        }
        if (Arrays.equals(page, disk)) {
            return;
        }
        if (tag.fork() == Fork.VM) {
            if (!Arrays.equals(page, 24, 8192, disk, 24, 8192)) {
                differ(
                        "vm",
                        tag + " block " + block + " differs first at byte "
                                + (24 + Arrays.mismatch(page, 24, 8192, disk, 24, 8192)));
            }
            return;
        }
        int rmgr = maskOf(disk);
        byte[] masked = page.clone();
        byte[] maskedDisk = disk.clone();
        try {
            if (!isZero(masked)) {
                PageMask.apply(rmgr, block, masked);
            }
            if (!isZero(maskedDisk)) {
                PageMask.apply(rmgr, block, maskedDisk);
            }
        } catch (RuntimeException e) {
            differ("mask", tag + " block " + block + ": " + e.getMessage());
            return;
        }
        hideCaches(rmgr, block, masked);
        hideCaches(rmgr, block, maskedDisk);
        int at = Arrays.mismatch(masked, maskedDisk);
        if (at >= 0) {
            differ(
                    "page " + ResourceManagers.nameOf(rmgr),
                    "%s block %d (%s) differs first at byte %d: %02X, on disk %02X"
                            .formatted(tag, block, ResourceManagers.nameOf(rmgr), at, masked[at], maskedDisk[at]));
        }
    }

    // The page of free pages that SP-GiST has seen, and a sequence's values of the last 32 steps, change without WAL.
    private static void hideCaches(int rmgr, int block, byte[] page) {
        if (rmgr == ResourceManagers.SPGIST && block == 0) {
            Arrays.fill(page, Page.HEADER_SIZE_BYTES, SPGIST_SPECIAL, (byte) 0);
        } else if (rmgr == ResourceManagers.SEQUENCE) {
            Arrays.fill(page, SEQUENCE_VALUES, SEQUENCE_SPECIAL, (byte) 0);
        }
    }

    private static boolean isZero(byte[] page) {
        return Arrays.equals(page, new byte[Page.SIZE_BYTES]);
    }

    /** The resource manager whose pages look like this one: by the special area. */
    private static int maskOf(byte[] page) {
        int special = LittleEndian.u16(page, Page.PD_SPECIAL);
        int last = LittleEndian.u16(page, 8190);
        return switch (8192 - special) {
            case 0 -> ResourceManagers.HEAP;
            case 16 ->
                switch (last) {
                    case 0xFF80 -> ResourceManagers.HASH;
                    case 0xFF81 -> ResourceManagers.GIST;
                    default -> ResourceManagers.BTREE;
                };
            default -> {
                if (last == 0xFF82) {
                    yield ResourceManagers.SPGIST;
                }
                if (last >= 0xF091 && last <= 0xF093) {
                    yield ResourceManagers.BRIN;
                }
                yield LittleEndian.i32(page, 8184) == 0x1717 ? ResourceManagers.SEQUENCE : ResourceManagers.GIN;
            }
        };
    }

    private void compareSlru(SlruKind kind) throws IOException {
        Map<Integer, Integer> stored = new HashMap<>();
        head.scan(Keys.slruSegmentSizes(kind), (key, size) -> stored.put(key.f4(), LittleEndian.i32(size, 0)));
        Map<Integer, Path> onDisk = new TreeMap<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(dataDir.resolve(kind.directory()))) {
            for (Path file : files) {
                onDisk.put(Integer.parseInt(file.getFileName().toString(), 16), file);
            }
        }
        if (!onDisk.keySet().equals(new TreeSet<>(stored.keySet()))) {
            differ("slru", kind + " has the segments " + stored.keySet() + ", on disk " + onDisk.keySet());
        }
        for (Map.Entry<Integer, Path> segment : onDisk.entrySet()) {
            byte[] bytes = Files.readAllBytes(segment.getValue());
            int blocks = stored.getOrDefault(segment.getKey(), 0);
            if (blocks * Page.SIZE_BYTES != bytes.length) {
                differ(
                        "slru",
                        kind + " segment " + segment.getKey() + " has " + blocks + " pages, on disk "
                                + bytes.length / Page.SIZE_BYTES);
            }
            for (int block = 0; block < Math.min(blocks, bytes.length / Page.SIZE_BYTES); block++) {
                slruPages++;
                byte[] page = require(Keys.slruBlock(kind, segment.getKey(), block));
                int at = Arrays.mismatch(
                        page, 0, Page.SIZE_BYTES, bytes, block * Page.SIZE_BYTES, (block + 1) * Page.SIZE_BYTES);
                if (at >= 0) {
                    differ(
                            "slru",
                            "%s segment %X block %d differs first at byte %d: %02X, on disk %02X"
                                    .formatted(
                                            kind,
                                            segment.getKey(),
                                            block,
                                            at,
                                            page[at],
                                            bytes[block * Page.SIZE_BYTES + at]));
                }
            }
        }
    }

    private void compareMaps() throws IOException {
        NavigableSet<String> stored = new TreeSet<>();
        head.scan(KeyKind.DATABASE.range(), (key, value) -> {
            String directory =
                    key.f2() == RelTag.GLOBAL_TABLESPACE ? "global" : "base/" + Integer.toUnsignedString(key.f3());
            stored.add(directory);
            byte[] map = head.read(Keys.relationMap(key.f2(), key.f3()));
            Path file = dataDir.resolve(directory).resolve("pg_filenode.map");
            byte[] expected = Files.exists(file) ? Files.readAllBytes(file) : null;
            if (!Arrays.equals(map, expected)) {
                differ("map", "the relation map of " + directory + " differs");
            }
        });
        NavigableSet<String> onDisk = new TreeSet<>(List.of("global"));
        try (DirectoryStream<Path> databases = Files.newDirectoryStream(dataDir.resolve("base"), "[0-9]*")) {
            databases.forEach(path -> onDisk.add("base/" + path.getFileName()));
        }
        if (!stored.equals(onDisk)) {
            differ("databases", "databases " + stored + ", on disk " + onDisk);
        }
    }

    private void compareTwoPhase() throws IOException {
        Map<String, byte[]> stored = new TreeMap<>();
        head.scan(KeyKind.TWO_PHASE_FILE.range(), (key, state) -> {
            long xid = Keys.twoPhaseXid(key);
            stored.put(pgMajor < 17 ? "%08X".formatted((int) xid) : "%016X".formatted(xid), state);
        });
        Map<String, byte[]> onDisk = new TreeMap<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(dataDir.resolve("pg_twophase"))) {
            for (Path file : files) {
                byte[] bytes = Files.readAllBytes(file);
                onDisk.put(file.getFileName().toString(), Arrays.copyOf(bytes, bytes.length - 4));
            }
        }
        if (!stored.keySet().equals(onDisk.keySet())) {
            differ("two-phase", "prepared " + stored.keySet() + ", on disk " + onDisk.keySet());
        }
        onDisk.forEach((name, state) -> {
            if (!Arrays.equals(state, stored.get(name))) {
                differ("two-phase", "pg_twophase/" + name + " differs");
            }
        });
    }

    private void compareCheckPoint() throws IOException, InvalidControlFileException {
        ControlFile disk = ControlFile.read(Files.readAllBytes(dataDir.resolve("global/pg_control")), pgMajor);
        CheckPoint expected = disk.checkPoint();
        CheckPoint stored = CheckPoint.current(require(Keys.CHECKPOINT), head.read(Keys.NEXT_XID));
        // The record of a shutdown says 0; the timeline says what a hot standby needs.
        expected.setOldestActiveXid(stored.oldestActiveXid());
        int at = Arrays.mismatch(stored.toBytes(), expected.toBytes());
        boolean onlyPadding = at >= 17 && at < (pgMajor < 17 ? 24 : 20);
        if (at >= 0 && !onlyPadding) {
            differ("checkpoint", "CheckPoint differs at byte " + at);
        }
        ControlFile control = ControlFile.read(require(Keys.CONTROL_FILE), pgMajor);
        if (!control.limits().equals(disk.limits())
                || control.walLevel() != disk.walLevel()
                || control.walLogHints() != disk.walLogHints()
                || control.trackCommitTimestamp() != disk.trackCommitTimestamp()
                || !control.systemId().equals(disk.systemId())) {
            differ("control", "pg_control's parameters differ: " + control.limits() + ", on disk " + disk.limits());
        }
    }
}
