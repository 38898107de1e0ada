package io.tidemark.pageserver.compaction;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.layer.LayerFiles;
import io.tidemark.pageserver.layer.LayerSet.Partition;
import io.tidemark.pageserver.layer.file.LayerDescriptor;
import io.tidemark.pageserver.layer.file.LayerFileWriter;
import io.tidemark.pageserver.layer.file.LayerKind;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files that a merge writes: deltas with what stays, images beside them, each ended when it is long enough. A file ends between two
 * keys: at the border of a partition where it can, so that a partition shares few files with its neighbours; when that would make
 * it twice as long as it should be, the partition is cut there.
 */
final class LayerOutputs implements LayerMerge.Output, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LayerOutputs.class);

    private final LayerFiles files;
    private final CompactionConfig config;
    private final PageMaterializer materializer;
    private final Lsn startLsn;
    private final Lsn endLsn;
    private final Lsn imageLsn;
    private final List<Partition> partitions;
    private int partition;

    private @Nullable LayerFileWriter delta;
    private @Nullable LayerFileWriter image;
    private final List<LayerDescriptor> deltas = new ArrayList<>();
    private final List<LayerDescriptor> images = new ArrayList<>();
    private final List<Key> splits = new ArrayList<>();
    private long failedImages;
    private boolean handedOver;

    /**
     * Files of these LSNs.
     *
     * @param imageLsn where images are made
     * @param partitions their borders are where files end
     */
    LayerOutputs(
            LayerFiles files,
            CompactionConfig config,
            PageMaterializer materializer,
            Lsn startLsn,
            Lsn endLsn,
            Lsn imageLsn,
            List<Partition> partitions) {
        this.files = files;
        this.config = config;
        this.materializer = materializer;
        this.startLsn = startLsn;
        this.endLsn = endLsn;
        this.imageLsn = imageLsn;
        this.partitions = partitions;
    }

    @Override
    public void key(long high, long low) throws IOException {
        boolean crossed = false;
        while (!isIn(partitions.get(partition), high, low)) {
            partition++;
            crossed = true;
        }
        LayerFileWriter current = delta;
        if (current != null) {
            boolean tooLong = current.estimatedBytes() >= 2 * config.targetFileBytes();
            if (tooLong && !crossed) {
                splits.add(new Key(high, low));
            }
            if (tooLong || crossed && current.estimatedBytes() >= config.targetFileBytes()) {
                endDelta();
            }
        }
    }

    private static boolean isIn(Partition partition, long high, long low) {
        Key end = partition.keys().end();
        return Key.compare(high, low, end.high(), end.low()) < 0;
    }

    @Override
    public void version(long high, long low, long lsn, boolean base, byte[] bytes, int offset, int length)
            throws IOException {
        LayerFileWriter writer = delta;
        if (writer == null) {
            writer = files.newLayer(LayerKind.DELTA, startLsn, endLsn);
            delta = writer;
        }
        writer.add(high, low, lsn, base, bytes, offset, length);
    }

    @Override
    public void longChain(Key key) throws IOException {
        byte[] page = materialized(key);
        if (page == null) {
            return;
        }
        LayerFileWriter writer = image;
        if (writer != null && writer.estimatedBytes() >= config.targetFileBytes()) {
            endImage();
            writer = null;
        }
        if (writer == null) {
            writer = files.newLayer(LayerKind.IMAGE, imageLsn, imageLsn.plus(1));
            image = writer;
        }
        writer.add(key.high(), key.low(), imageLsn.value(), true, page, 0, page.length);
    }

    private byte @Nullable [] materialized(Key key) {
        try {
            return materializer.materialize(key, imageLsn);
        } catch (IOException | RuntimeException e) {
            // One page that cannot be made must not keep all others from being compacted. Its chain stays.
            if (failedImages++ == 0) {
                LOG.warn("{}: no image of {} at {}; its chain stays", files, key, imageLsn, e);
            }
            return null;
        }
    }

    private void endDelta() throws IOException {
        LayerFileWriter writer = delta;
        if (writer != null) {
            deltas.add(writer.finish());
            delta = null;
            writer.close();
        }
    }

    private void endImage() throws IOException {
        LayerFileWriter writer = image;
        if (writer != null) {
            images.add(writer.finish());
            image = null;
            writer.close();
        }
    }

    /** Ends the last files; answers all of them, newest first, which is images before deltas. They are the caller's now. */
    List<LayerDescriptor> finish() throws IOException {
        endDelta();
        endImage();
        handedOver = true;
        List<LayerDescriptor> all = new ArrayList<>(images);
        all.addAll(deltas);
        return all;
    }

    /** Where partitions are to be cut. */
    List<Key> splits() {
        return splits;
    }

    /** Images made. */
    int images() {
        return (int) images.stream().mapToLong(LayerDescriptor::versions).sum();
    }

    /** Images that could not be made. */
    long failedImages() {
        return failedImages;
    }

    /** Removes everything that was not handed over. */
    @Override
    public void close() throws IOException {
        LayerFileWriter unfinishedDelta = delta;
        if (unfinishedDelta != null) {
            unfinishedDelta.close();
        }
        LayerFileWriter unfinishedImage = image;
        if (unfinishedImage != null) {
            unfinishedImage.close();
        }
        if (!handedOver) {
            images.forEach(files::discard);
            deltas.forEach(files::discard);
        }
    }
}
