package io.tidemark.pageserver.basebackup;

import io.tidemark.pageserver.basebackup.DirectoryEntry.Blocks;
import io.tidemark.pageserver.basebackup.DirectoryEntry.File;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.timeline.PageSequence;
import io.tidemark.pageserver.timeline.ReadException;
import io.tidemark.pageserver.timeline.TimelineReader;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.wal.LittleEndian;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The files of the relations of one database: 1 GiB of a fork each, or the rest.
 *
 * <p>An unlogged relation is what has an init fork. Its main fork is a copy of that, as after a crash (ResetUnloggedRelations), and it has
 * no other.
 */
final class RelationFiles {
    private final TimelineReader reader;
    private final Lsn lsn;
    private final BackupKind kind;
    private final String directory;

    RelationFiles(TimelineReader reader, Lsn lsn, BackupKind kind, String directory) {
        this.reader = reader;
        this.lsn = lsn;
        this.kind = kind;
        this.directory = directory;
    }

    List<File> of(int tablespace, int database) throws ReadException {
        Map<RelTag, Integer> sizes = new TreeMap<>();
        reader.scan(
                Keys.relationSizes(tablespace, database),
                lsn,
                (key, value) -> sizes.put(Keys.relTag(key), LittleEndian.i32(value, 0)));
        List<File> files = new ArrayList<>();
        sizes.forEach((tag, blocks) -> {
            if (tag.fork() == Fork.INIT) {
                addFork(files, tag, tag, blocks);
                addFork(files, tag.withFork(Fork.MAIN), tag, blocks);
            } else if (kind.hasRelations() && !sizes.containsKey(tag.withFork(Fork.INIT))) {
                addFork(files, tag, tag, blocks);
            }
        });
        return files;
    }

    private void addFork(List<File> files, RelTag named, RelTag read, int blocksUnsigned) {
        long blocks = Integer.toUnsignedLong(blocksUnsigned);
        String name = directory + "/" + Integer.toUnsignedString(named.relation())
                + named.fork().fileSuffix();
        int segment = 0;
        do {
            long first = (long) segment * RelTag.BLOCKS_PER_SEGMENT;
            long count = Math.min(blocks - first, RelTag.BLOCKS_PER_SEGMENT);
            files.add(new File(
                    segment == 0 ? name : name + "." + segment,
                    count * DirectoryEntry.BLOCK_BYTES,
                    () -> pages(read, (int) first)));
            segment++;
        } while ((long) segment * RelTag.BLOCKS_PER_SEGMENT < blocks);
    }

    private Blocks pages(RelTag relation, int first) {
        PageSequence pages = reader.sequence(lsn);
        return new Blocks() {
            @Override
            public void read(int block, byte[] into) throws ReadException {
                pages.page(relation, first + block, into);
            }

            @Override
            public void close() {
                pages.close();
            }
        };
    }
}
