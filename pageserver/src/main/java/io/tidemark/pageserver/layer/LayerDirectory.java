package io.tidemark.pageserver.layer;

import io.tidemark.pageserver.layer.file.BlockCodec;
import io.tidemark.pageserver.layer.file.CorruptLayerException;
import io.tidemark.pageserver.layer.file.CorruptLayerException.Reason;
import io.tidemark.pageserver.layer.file.LayerFileWriter;
import io.tidemark.pageserver.layer.file.LayerKind;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is found in a store's directory at its start, and what becomes of it. */
final class LayerDirectory {
    private static final Logger LOG = LoggerFactory.getLogger(LayerDirectory.class);

    private final Disk disk;
    private final Path directory;
    private final BlockCodec codec;
    private final ManifestStore manifests;

    LayerDirectory(Disk disk, Path directory, BlockCodec codec) {
        this.disk = disk;
        this.directory = directory;
        this.codec = codec;
        this.manifests = new ManifestStore(disk, directory);
    }

    /**
     * What was found.
     *
     * @param isWritten whether the manifest is on disk; a store that nothing was put into has none yet, and maybe no directory either
     */
    record Recovered(ManifestFormat.Manifest manifest, boolean isWritten) {}

    /** Reads the manifest, and removes files that it does not name. Without one, and without layers, the store is new. */
    Recovered recover(Lsn startLsn) throws IOException {
        List<String> names = List.of();
        if (disk.exists(directory)) {
            // The process before may have ended between giving the manifest its name and making that durable.
            disk.syncDirectory(directory);
            names = disk.list(directory);
        }
        ManifestFormat.Manifest manifest;
        boolean isWritten = names.contains(ManifestStore.NAME);
        if (isWritten) {
            manifest = withoutUnfinishedLsn(ManifestFormat.decode(
                    manifests.path().toString(),
                    manifests.read(),
                    descriptor -> new FileLayer(disk, directory, descriptor, codec)));
        } else {
            if (names.stream().anyMatch(LayerDirectory::isLayer)) {
                throw new CorruptLayerException(
                        manifests.path().toString(), Reason.MISSING, "is not there, but layers are");
            }
            manifest = new ManifestFormat.Manifest(LayerSet.empty(startLsn), 1);
        }
        if (!names.isEmpty()) {
            // Listed again: writing a manifest has used up the unfinished one that a crash may have left.
            sweep(disk.list(directory), manifest.layers());
        }
        return new Recovered(manifest, isWritten);
    }

    /** Forgets L0 files of which a part was still to come: their WAL will be streamed again. */
    private ManifestFormat.Manifest withoutUnfinishedLsn(ManifestFormat.Manifest manifest) throws IOException {
        LayerSet set = manifest.layers();
        List<FileLayer> complete = set.l0().stream()
                .filter(layer -> layer.descriptor().lastLsn().isAtMost(set.diskConsistentLsn()))
                .toList();
        if (complete.size() == set.l0().size()) {
            return manifest;
        }
        LayerSet rest = new LayerSet(
                set.startLsn(),
                set.diskConsistentLsn(),
                set.compactedLsn(),
                set.retention(),
                complete,
                set.partitions());
        ManifestFormat.Manifest next = new ManifestFormat.Manifest(rest, manifest.nextNumber());
        manifests.replace(ManifestFormat.encode(next));
        return next;
    }

    private void sweep(List<String> names, LayerSet set) throws IOException {
        Set<String> named = new HashSet<>();
        set.layers().forEach(layer -> named.add(layer.descriptor().fileName()));
        for (String name : names) {
            boolean leftover =
                    name.endsWith(LayerFileWriter.TEMPORARY_SUFFIX) || isLayer(name) && !named.contains(name);
            if (leftover) {
                LOG.info("{}: removing {}, which the manifest does not name", directory, name);
                disk.delete(directory.resolve(name));
            }
        }
        for (String name : named) {
            if (!names.contains(name)) {
                LOG.error("{}: layer file {} is missing; reads that need it will fail", directory, name);
            }
        }
    }

    private static boolean isLayer(String name) {
        return name.endsWith("." + LayerKind.DELTA.suffix()) || name.endsWith("." + LayerKind.IMAGE.suffix());
    }
}
