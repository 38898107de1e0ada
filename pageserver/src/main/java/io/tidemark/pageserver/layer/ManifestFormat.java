package io.tidemark.pageserver.layer;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.layer.file.CorruptLayerException;
import io.tidemark.pageserver.layer.file.CorruptLayerException.Reason;
import io.tidemark.pageserver.layer.file.LayerDescriptor;
import io.tidemark.pageserver.layer.file.LayerKind;
import io.tidemark.wire.id.Lsn;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.zip.CRC32C;

/**
 * The bytes of a manifest.
 *
 * <pre>
 * manifest  := magic:u64 = "TMLAYERS", version:u32, body, crc:u32           CRC32C of everything before it
 * body      := start:u64 disk_consistent:u64 compacted:u64 nextNumber:u64 retention layers l0 partitions
 * retention := cutoff:u64 n:u32 lsn:u64[n]
 * layers    := n:u32 layer[n]
 * layer     := kind:u8 (1 delta, 2 image) number:u64 start:key end:key startLsn:u64 endLsn:u64
 *              fileBytes:u64 versions:u64 valueBytes:u64 baseBytes:u64 supersededBytes:u64
 * l0        := stack
 * stack     := n:u32 number:u64[n]                                          newest first; each is one of the layers
 * partitions:= n:u32 (start:key collected:u64 stack)[n]                     the next one's start is the end
 * key       := high:u64 low:u64
 * </pre>
 *
 * <p>Little endian.
 */
final class ManifestFormat {
    /** No manifest is longer, in bytes: room for half a million layers. */
    static final int MAX_BYTES = 128 << 20;

    private static final long MAGIC = 0x53524559414C4D54L;
    private static final int VERSION = 1;
    private static final int LAYER_BYTES = 1 + 8 + 32 + 16 + 40;
    private static final int FIXED_BYTES = 128;

    /** What a manifest says: the layers, and the number for the next one. */
    record Manifest(LayerSet layers, long nextNumber) {}

    private ManifestFormat() {}

    static ByteBuffer encode(Manifest manifest) {
        LayerSet set = manifest.layers();
        Set<FileLayer> layers = set.layers();
        ByteBuffer out = ByteBuffer.allocate(sizeOf(set, layers)).order(ByteOrder.LITTLE_ENDIAN);
        out.putLong(MAGIC).putInt(VERSION);
        out.putLong(set.startLsn().value()).putLong(set.diskConsistentLsn().value());
        out.putLong(set.compactedLsn().value()).putLong(manifest.nextNumber());
        out.putLong(set.retention().cutoff().value());
        out.putInt(set.retention().retained().size());
        set.retention().retained().forEach(lsn -> out.putLong(lsn.value()));
        out.putInt(layers.size());
        layers.forEach(layer -> put(out, layer.descriptor()));
        putStack(out, set.l0());
        out.putInt(set.partitions().size());
        for (LayerSet.Partition partition : set.partitions()) {
            put(out, partition.keys().start());
            out.putLong(partition.collectedLsn().value());
            putStack(out, partition.stack());
        }
        return out.putInt(crc(out.duplicate().flip())).flip();
    }

    private static int sizeOf(LayerSet set, Set<FileLayer> layers) {
        long size = FIXED_BYTES
                + 8L * set.retention().retained().size()
                + (long) layers.size() * LAYER_BYTES
                + 8L * set.l0().size();
        for (LayerSet.Partition partition : set.partitions()) {
            size += 28 + 8L * partition.stack().size();
        }
        if (size > MAX_BYTES) {
            throw new IllegalStateException(layers.size() + " layers do not fit into a manifest");
        }
        return (int) size;
    }

    private static void put(ByteBuffer out, Key key) {
        out.putLong(key.high()).putLong(key.low());
    }

    private static void put(ByteBuffer out, LayerDescriptor layer) {
        out.put((byte) (layer.kind() == LayerKind.DELTA ? 1 : 2)).putLong(layer.number());
        put(out, layer.keys().start());
        put(out, layer.keys().end());
        out.putLong(layer.startLsn().value()).putLong(layer.endLsn().value());
        out.putLong(layer.fileBytes()).putLong(layer.versions()).putLong(layer.valueBytes());
        out.putLong(layer.baseBytes()).putLong(layer.supersededBytes());
    }

    private static void putStack(ByteBuffer out, List<FileLayer> stack) {
        out.putInt(stack.size());
        stack.forEach(layer -> out.putLong(layer.descriptor().number()));
    }

    private static int crc(ByteBuffer bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }

    /**
     * Reads a manifest.
     *
     * @param layerOf makes the layer of a descriptor
     */
    static Manifest decode(String file, byte[] bytes, Function<LayerDescriptor, FileLayer> layerOf)
            throws CorruptLayerException {
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int end = bytes.length - Integer.BYTES;
        if (end < 12 || in.getLong() != MAGIC) {
            throw new CorruptLayerException(file, Reason.NOT_A_LAYER, "not a manifest");
        }
        int version = in.getInt();
        if (version != VERSION) {
            throw new CorruptLayerException(
                    file,
                    version > VERSION ? Reason.TOO_NEW : Reason.TOO_OLD,
                    "manifest version " + version + ", this program reads " + VERSION);
        }
        if (crc(ByteBuffer.wrap(bytes, 0, end)) != in.getInt(end)) {
            throw new CorruptLayerException(file, Reason.DAMAGED, "the manifest's checksum is wrong");
        }
        try {
            Manifest manifest = decodeBody(in.limit(end), layerOf);
            if (in.hasRemaining()) {
                throw new IllegalArgumentException(in.remaining() + " bytes too many");
            }
            return manifest;
        } catch (BufferUnderflowException | IllegalArgumentException e) {
            throw new CorruptLayerException(file, Reason.DAMAGED, "impossible manifest: " + e.getMessage(), e);
        }
    }

    private static Manifest decodeBody(ByteBuffer in, Function<LayerDescriptor, FileLayer> layerOf) {
        Lsn startLsn = lsn(in);
        Lsn diskConsistentLsn = lsn(in);
        Lsn compactedLsn = lsn(in);
        long nextNumber = in.getLong();
        Lsn cutoff = lsn(in);
        List<Lsn> retained = new ArrayList<>();
        for (int left = count(in, 8); left > 0; left--) {
            retained.add(lsn(in));
        }
        Map<Long, FileLayer> layers = new HashMap<>();
        for (int left = count(in, LAYER_BYTES); left > 0; left--) {
            LayerDescriptor layer = layer(in);
            layers.put(layer.number(), layerOf.apply(layer));
        }
        List<FileLayer> l0 = stack(in, layers);
        LayerSet set = new LayerSet(
                startLsn, diskConsistentLsn, compactedLsn, new Retention(cutoff, retained), l0, partitions(in, layers));
        return new Manifest(set, nextNumber);
    }

    private static List<LayerSet.Partition> partitions(ByteBuffer in, Map<Long, FileLayer> layers) {
        List<LayerSet.Partition> partitions = new ArrayList<>();
        int count = count(in, 28);
        for (int left = count; left > 0; left--) {
            KeyRange keys = new KeyRange(key(in), Key.MAX);
            Lsn collectedLsn = lsn(in);
            if (!partitions.isEmpty()) {
                LayerSet.Partition last = partitions.removeLast();
                KeyRange closed = new KeyRange(last.keys().start(), keys.start());
                partitions.add(new LayerSet.Partition(closed, last.stack(), last.collectedLsn()));
            }
            if (keys.start().compareTo(Key.MIN) != 0 == partitions.isEmpty()) {
                throw new IllegalArgumentException("partition " + partitions.size() + " starts at " + keys.start());
            }
            partitions.add(new LayerSet.Partition(keys, stack(in, layers), collectedLsn));
        }
        if (partitions.isEmpty()
                || partitions.stream().anyMatch(part -> part.keys().isEmpty())) {
            throw new IllegalArgumentException("partitions are not in order");
        }
        return List.copyOf(partitions);
    }

    private static int count(ByteBuffer in, int bytesEach) {
        int count = in.getInt();
        if (count < 0 || count > in.remaining() / bytesEach) {
            throw new IllegalArgumentException(count + " elements in " + in.remaining() + " bytes");
        }
        return count;
    }

    private static List<FileLayer> stack(ByteBuffer in, Map<Long, FileLayer> layers) {
        List<FileLayer> stack = new ArrayList<>();
        for (int left = count(in, 8); left > 0; left--) {
            long number = in.getLong();
            FileLayer layer = layers.get(number);
            if (layer == null) {
                throw new IllegalArgumentException("layer " + number + " is used, not described");
            }
            stack.add(layer);
        }
        return List.copyOf(stack);
    }

    private static LayerDescriptor layer(ByteBuffer in) {
        int kind = in.get();
        if (kind != 1 && kind != 2) {
            throw new IllegalArgumentException("layer kind " + kind);
        }
        return new LayerDescriptor(
                kind == 1 ? LayerKind.DELTA : LayerKind.IMAGE,
                in.getLong(),
                new KeyRange(key(in), key(in)),
                lsn(in),
                lsn(in),
                in.getLong(),
                in.getLong(),
                in.getLong(),
                in.getLong(),
                in.getLong());
    }

    private static Lsn lsn(ByteBuffer in) {
        return Lsn.of(in.getLong());
    }

    private static Key key(ByteBuffer in) {
        return new Key(in.getLong(), in.getLong());
    }
}
