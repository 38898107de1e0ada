package io.tidemark.pageserver.timeline;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyKind;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.key.ValueFormat;
import io.tidemark.pageserver.layer.LayerFiles;
import io.tidemark.pageserver.layer.file.LayerDescriptor;
import io.tidemark.pageserver.layer.file.LayerFileWriter;
import io.tidemark.pageserver.layer.file.LayerKind;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes all that a branch has of its ancestor as images at the branch point, below its own layers. What they cost is what the ancestor
 * has at that LSN, read and written once.
 */
final class InheritedImages implements AutoCloseable {
    private static final int PAGE = 8192;

    private final LayerFiles files;
    private final TimelineReader reader;
    private final Lsn at;
    private final long targetFileBytes;
    private final List<LayerDescriptor> written = new ArrayList<>();
    private @Nullable LayerFileWriter writer;
    private boolean handedOver;

    private InheritedImages(LayerFiles files, Timeline.Ancestry ancestry, long targetFileBytes) {
        this.files = files;
        this.reader = ancestry.timeline().reader();
        this.at = ancestry.branchLsn();
        this.targetFileBytes = targetFileBytes;
    }

    /**
     * Makes the branch independent of its ancestor's layers; durable when this returns. Nothing is done when it is so already.
     *
     * @param targetFileBytes a file is ended when it is this long
     */
    static void write(Timeline branch, Timeline.Ancestry ancestry, long targetFileBytes)
            throws IOException, ReadException {
        LayerFiles files = branch.store().files();
        // Its own versions are above the branch point.
        boolean isThere = files.layers().layers().stream()
                .anyMatch(layer -> layer.descriptor().startLsn().isAtMost(ancestry.branchLsn()));
        if (isThere) {
            return;
        }
        try (InheritedImages images = new InheritedImages(files, ancestry, targetFileBytes)) {
            images.writeAll(ancestry.timeline());
        }
    }

    private void writeAll(Timeline ancestor) throws IOException, ReadException {
        List<KeyRange> live = new TimelineCompaction(ancestor).at(at);
        if (live == null) {
            throw new IOException("an ancestor of " + ancestor.metadata().id() + " has to stream again first");
        }
        byte[] page = new byte[PAGE];
        for (KeyRange range : live) {
            KeyKind kind = KeyKind.of(range.start());
            if (kind == null || !kind.isPage()) {
                continue;
            }
            for (Key key = range.start(); key.isBefore(range.end()); key = key.next()) {
                reader.build(key, at, page);
                add(key, page);
            }
        }
        for (KeyKind kind : KeyKind.values()) { // in the order of their families
            if (!kind.isPage() && kind.isInherited()) {
                addAll(kind);
            }
        }
        endFile();
        handedOver = true;
        files.addBottom(written);
    }

    private void addAll(KeyKind kind) throws IOException, ReadException {
        IOException[] failure = {null};
        reader.scan(kind.range(), at, (key, value) -> {
            try {
                if (failure[0] == null) {
                    add(key, value);
                }
            } catch (IOException e) {
                failure[0] = e;
            }
        });
        if (failure[0] != null) {
            throw failure[0];
        }
    }

    private void add(Key key, byte[] bytes) throws IOException {
        LayerFileWriter current = writer;
        if (current != null && current.estimatedBytes() >= targetFileBytes) {
            endFile();
            current = null;
        }
        if (current == null) {
            current = files.newLayer(LayerKind.IMAGE, at, at.plus(1));
            writer = current;
        }
        byte[] value = ValueFormat.encode(new Value.Image(bytes));
        current.add(key.high(), key.low(), at.value(), true, value, 0, value.length);
    }

    private void endFile() throws IOException {
        LayerFileWriter current = writer;
        if (current != null) {
            written.add(current.finish());
            writer = null;
            current.close();
        }
    }

    /** Removes what was not handed over. */
    @Override
    public void close() throws IOException {
        LayerFileWriter unfinished = writer;
        if (unfinished != null) {
            unfinished.close();
        }
        if (!handedOver) {
            written.forEach(files::discard);
        }
    }
}
