package io.tidemark.pageserver.layer;

import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.layer.LayerSet.Partition;
import io.tidemark.pageserver.layer.file.LayerCursor;
import io.tidemark.pageserver.layer.file.LayerDescriptor;
import io.tidemark.pageserver.layer.file.LayerFileWriter;
import io.tidemark.pageserver.layer.file.LayerKind;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Gives a store the history of another one up to an LSN: every version at or below it, each layer rewritten as one of the store's own
 * without what is above. Nothing is visible, or survives a crash, before {@link #commit}.
 *
 * <p>Files are rewritten and not linked: a layer's number is its store's, and stands in the file. What is copied is thereby checked, byte
 * for byte. The cost is that of reading what may hold such versions and of writing them; pages are not built.
 */
public final class HistoryCopy implements AutoCloseable {
    private final LayerFiles files;
    private final LayerSnapshot source;
    private final Lsn end;
    private final Map<FileLayer, FileLayer> copies = new HashMap<>();
    private final List<FileLayer> top = new ArrayList<>();
    private boolean handedOver;

    /**
     * A copy that has not begun.
     *
     * @param files where it goes; all that is there is above {@code end}
     * @param source pinned until this is closed; everything up to {@code end} is in its files
     */
    public HistoryCopy(LayerFiles files, LayerSnapshot source, Lsn end) {
        this.files = files;
        this.source = source;
        this.end = end;
    }

    /** Writes the files. */
    public void run() throws IOException {
        for (FileLayer layer : source.layers().layers()) {
            files.requireAlive();
            if (layer.descriptor().startLsn().isAtMost(end)) {
                copy(layer);
            }
        }
    }

    private void copy(FileLayer layer) throws IOException {
        LayerDescriptor descriptor = layer.descriptor();
        LayerCursor cursor = layer.cursor(KeyRange.ALL);
        LayerFileWriter writer = null;
        try {
            while (cursor.next()) {
                if (Long.compareUnsigned(cursor.lsn(), end.value()) > 0) {
                    continue;
                }
                if (writer == null) {
                    Lsn endLsn = descriptor.endLsn().min(end.plus(1));
                    writer = files.newLayer(descriptor.kind(), descriptor.startLsn(), endLsn);
                }
                writer.add(
                        cursor.high(),
                        cursor.low(),
                        cursor.lsn(),
                        cursor.isBase(),
                        cursor.bytes(),
                        cursor.offset(),
                        cursor.length());
            }
            if (writer != null) {
                copies.put(layer, files.layerOf(writer.finish()));
            }
        } finally {
            if (writer != null) {
                writer.close();
            }
        }
    }

    /** A layer of its own above all of the history, at the LSN where it ends; the caller fills, finishes and closes it. */
    public LayerFileWriter newTop() throws IOException {
        return files.newLayer(LayerKind.IMAGE, end, end.plus(1));
    }

    /** Takes a finished layer of {@link #newTop}. */
    public void addTop(LayerDescriptor layer) {
        top.add(files.layerOf(layer));
    }

    /** Puts it all below what is in the store, durably; what the source keeps readable of it is kept. */
    public void commit() throws IOException {
        LayerSet set = source.layers();
        List<FileLayer> l0 = copiesOf(set.l0());
        List<Partition> older = new ArrayList<>();
        for (Partition partition : set.partitions()) {
            List<FileLayer> stack = new ArrayList<>(LayerSet.overlapping(top, partition.keys()));
            stack.addAll(LayerSet.overlapping(l0, partition.keys()));
            stack.addAll(copiesOf(partition.stack()));
            older.add(new Partition(partition.keys(), List.copyOf(stack), partition.collectedLsn()));
        }
        files.addHistory(older, set.retention(), end);
        handedOver = true;
    }

    private List<FileLayer> copiesOf(List<FileLayer> layers) {
        List<FileLayer> copied = new ArrayList<>();
        for (FileLayer layer : layers) {
            @Nullable FileLayer copy = copies.get(layer);
            if (copy != null) {
                copied.add(copy);
            }
        }
        return copied;
    }

    /** Removes what was not committed. */
    @Override
    public void close() {
        if (!handedOver) {
            copies.values().forEach(files::discard);
            top.forEach(files::discard);
        }
    }
}
