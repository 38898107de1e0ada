package io.tidemark.pageserver.verify;

import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The relation files of a data directory on which no server runs, read block by block.
 *
 * <pre>
 *   global/RELATION                          pg_global
 *   base/DATABASE/RELATION                   pg_default
 *   pg_tblspc/SPACE/PG_.../DATABASE/RELATION
 *   RELATION = number [_fsm|_vm|_init] [.segment]
 * </pre>
 *
 * <p>Temporary relations (tN_number) are not listed. Sizes are those of the moment it was opened.
 */
public final class RelationFiles implements AutoCloseable {
    private static final Pattern RELATION = Pattern.compile("(\\d+)(_fsm|_vm|_init)?(?:\\.(\\d+))?");
    private static final Pattern NUMBER = Pattern.compile("\\d+");
    private static final int MAX_OPEN_FILES = 64;

    private final Map<Path, FileChannel> open = new LinkedHashMap<>(16, 0.75f, true);
    private final NavigableMap<RelTag, Path> firstSegments = new TreeMap<>();
    private final Map<RelTag, Integer> blocks = new TreeMap<>();

    private RelationFiles() {}

    /** Lists a data directory. */
    public static RelationFiles of(Path dataDir) throws IOException {
        RelationFiles files = new RelationFiles();
        files.list(dataDir.resolve("global"), RelTag.GLOBAL_TABLESPACE, 0);
        files.listDatabases(dataDir.resolve("base"), RelTag.DEFAULT_TABLESPACE);
        Path spaces = dataDir.resolve("pg_tblspc");
        if (Files.isDirectory(spaces)) {
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(spaces)) {
                for (Path space : entries) {
                    try (DirectoryStream<Path> versions = Files.newDirectoryStream(space, "PG_*")) {
                        for (Path version : versions) {
                            files.listDatabases(version, oidOf(space));
                        }
                    }
                }
            }
        }
        return files;
    }

    private static int oidOf(Path directory) {
        return Integer.parseUnsignedInt(directory.getFileName().toString());
    }

    private void listDatabases(Path directory, int tablespace) throws IOException {
        if (!Files.isDirectory(directory)) {
            return;
        }
        try (DirectoryStream<Path> databases = Files.newDirectoryStream(directory)) {
            for (Path database : databases) {
                if (NUMBER.matcher(database.getFileName().toString()).matches()) {
                    list(database, tablespace, oidOf(database));
                }
            }
        }
    }

    private void list(Path directory, int tablespace, int database) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
            for (Path file : files) {
                Matcher name = RELATION.matcher(file.getFileName().toString());
                if (!name.matches()) {
                    continue;
                }
                RelTag tag = new RelTag(
                        tablespace, database, Integer.parseUnsignedInt(name.group(1)), forkOf(name.group(2)));
                if (name.group(3) == null) {
                    firstSegments.put(tag, file);
                }
                blocks.merge(tag, Math.toIntExact(Files.size(file) / Page.SIZE_BYTES), Integer::sum);
            }
        }
    }

    private static Fork forkOf(String suffix) {
        for (Fork fork : Fork.values()) {
            if (fork.fileSuffix().equals(suffix)) {
                return fork;
            }
        }
        return Fork.MAIN;
    }

    /** Every fork of every relation. */
    public NavigableSet<RelTag> relations() {
        return Collections.unmodifiableNavigableSet(firstSegments.navigableKeySet());
    }

    public boolean contains(RelTag relation) {
        return firstSegments.containsKey(relation);
    }

    /** The size in blocks; 0 when there is no such relation. */
    public int blocks(RelTag relation) {
        return blocks.getOrDefault(relation, 0);
    }

    /** Reads a block that exists. */
    public void read(RelTag relation, int block, byte[] into) throws IOException {
        Path first = firstSegments.get(relation);
        if (first == null || block >= blocks(relation)) {
            throw new IOException("no block " + block + " of " + relation);
        }
        int segment = block / RelTag.BLOCKS_PER_SEGMENT;
        Path file = segment == 0 ? first : first.resolveSibling(first.getFileName() + "." + segment);
        ByteBuffer buffer = ByteBuffer.wrap(into, 0, Page.SIZE_BYTES);
        long at = (long) (block % RelTag.BLOCKS_PER_SEGMENT) * Page.SIZE_BYTES;
        while (buffer.hasRemaining()) {
            int n = channel(file).read(buffer, at + buffer.position());
            if (n <= 0) {
                throw new IOException(file + " ends inside of block " + block);
            }
        }
    }

    private FileChannel channel(Path file) throws IOException {
        FileChannel channel = open.get(file);
        if (channel == null) {
            if (open.size() >= MAX_OPEN_FILES) {
                Iterator<FileChannel> eldest = open.values().iterator();
                eldest.next().close();
                eldest.remove();
            }
            channel = FileChannel.open(file, StandardOpenOption.READ);
            open.put(file, channel);
        }
        return channel;
    }

    @Override
    public void close() throws IOException {
        for (FileChannel channel : open.values()) {
            channel.close();
        }
        open.clear();
    }
}
