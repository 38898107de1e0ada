package io.tidemark.bench.storage;

import io.tidemark.pageserver.key.InvalidValueException;
import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyKind;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.key.ValueFormat;
import io.tidemark.pageserver.layer.LayerConfig;
import io.tidemark.pageserver.layer.LayerSnapshot;
import io.tidemark.pageserver.layer.LayerStore;
import io.tidemark.pageserver.layer.LayerStoreListener;
import io.tidemark.runtime.durable.RealDisk;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.wal.LittleEndian;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * How much a read of a random page goes through, asked of the layer files of a pageserver that does not run.
 *
 * @param layersInTheMean layers that had a version of the page
 * @param layersAtMost of any page
 * @param versionsInTheMean versions that the page is built from
 */
record ReadDepth(double layersInTheMean, int layersAtMost, double versionsInTheMean) {
    private static final long SEED = 20_261_126;

    /** Asks for so many pages as of the end. */
    static ReadDepth measure(Path dataDir, TenantTimelineId id, int samples) throws IOException {
        Path layers = Path.of(
                "tenants",
                id.tenantId().toString(),
                "timelines",
                id.timelineId().toString(),
                "layers");
        LayerStoreListener nobody = LayerStoreListener.ofDiskConsistentLsn(lsn -> {});
        try (LayerStore store = LayerStore.open(
                        new RealDisk(dataDir), layers, LayerConfig.DEFAULT, Lsn.INVALID, Runnable::run, nobody);
                LayerSnapshot snapshot = store.snapshot()) {
            Lsn at = store.diskConsistentLsn();
            long sum = 0;
            long versions = 0;
            int most = 0;
            for (Key page : randomPages(snapshot, at, samples)) {
                LayerSnapshot.Chain chain = snapshot.read(page, at, (key, lsn, base, bytes, offset, length) -> {});
                sum += chain.layersVisited();
                versions += chain.versions();
                most = Math.max(most, chain.layersVisited());
            }
            return new ReadDepth((double) sum / samples, most, (double) versions / samples);
        }
    }

    /** A relation's fork, by the key of its size. */
    private record Sized(Key key, long firstBlock) {}

    private static List<Key> randomPages(LayerSnapshot snapshot, Lsn at, int samples) throws IOException {
        List<Sized> relations = new ArrayList<>();
        long[] blocks = {0};
        Key[] last = {Key.MIN};
        InvalidValueException[] failure = {null};
        snapshot.scan(KeyKind.RELATION_SIZE.range(), at, (key, lsn, base, bytes, offset, length) -> {
            if (key.equals(last[0])) {
                return; // an older size
            }
            last[0] = key;
            try {
                if (ValueFormat.decode(bytes, offset, length) instanceof Value.Image size) {
                    relations.add(new Sized(key, blocks[0]));
                    blocks[0] += Integer.toUnsignedLong(LittleEndian.i32(size.bytes(), 0));
                }
            } catch (InvalidValueException e) {
                failure[0] = e;
            }
        });
        if (failure[0] != null) {
            throw new IOException(failure[0]);
        }
        Random random = new Random(SEED);
        List<Key> pages = new ArrayList<>(samples);
        for (long chosen : random.longs(samples, 0, blocks[0]).sorted().toArray()) {
            Sized relation = relations.getFirst();
            for (Sized each : relations) {
                if (each.firstBlock() > chosen) {
                    break;
                }
                relation = each;
            }
            pages.add(Keys.relationBlock(Keys.relTag(relation.key()), (int) (chosen - relation.firstBlock())));
        }
        return pages;
    }
}
