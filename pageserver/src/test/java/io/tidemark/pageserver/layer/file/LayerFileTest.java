package io.tidemark.pageserver.layer.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DurableFile;
import io.tidemark.runtime.durable.FakeDisk;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class LayerFileTest {
    private static final Path HERE = Path.of("");
    private static final long END = 1000;

    private final FakeDisk disk = new FakeDisk();
    private final BlockCodec codec = new BlockCodec();
    private final TreeMap<Key, TreeMap<Long, byte[]>> model = new TreeMap<>();

    private LayerFileWriter writer(LayerKind kind, long start, long end) throws IOException {
        return new LayerFileWriter(disk, HERE, kind, 7, Lsn.of(start), Lsn.of(end), 300, 1);
    }

    private static boolean isBase(long lsn) {
        return lsn % 3 == 0;
    }

    private LayerDescriptor write(SplittableRandom random, int versions) throws IOException {
        model.clear();
        for (int i = 0; i < versions; i++) {
            Key key = random.nextInt(10) == 0
                    ? new Key(random.nextLong(), random.nextLong())
                    : new Key(
                            random.nextInt(3),
                            (long) random.nextInt(2) << 32 | random.nextInt() >>> random.nextInt(32));
            byte[] bytes = new byte[random.nextInt(random.nextInt(20) == 0 ? 2000 : 60)];
            Arrays.fill(bytes, (byte) random.nextInt());
            model.computeIfAbsent(key, _ -> new TreeMap<>()).put(1 + random.nextLong(END - 1), bytes);
        }
        try (LayerFileWriter writer = writer(LayerKind.DELTA, 1, END)) {
            for (Map.Entry<Key, TreeMap<Long, byte[]>> entry : model.entrySet()) {
                Key key = entry.getKey();
                for (Map.Entry<Long, byte[]> version :
                        entry.getValue().descendingMap().entrySet()) {
                    byte[] bytes = version.getValue();
                    writer.add(
                            key.high(), key.low(), version.getKey(), isBase(version.getKey()), bytes, 0, bytes.length);
                }
            }
            return writer.finish();
        }
    }

    private List<String> read(LayerFileReader reader, Key key, long at) throws IOException {
        List<String> seen = new ArrayList<>();
        reader.read(key.high(), key.low(), at, new LayerFileReader.LastBlock(), (lsn, base, bytes, offset, length) -> {
            seen.add(lsn + " " + base + " " + Arrays.hashCode(Arrays.copyOfRange(bytes, offset, offset + length)));
            return !base;
        });
        return seen;
    }

    private List<String> expected(Key key, long at) {
        List<String> expected = new ArrayList<>();
        for (var version : model.getOrDefault(key, new TreeMap<>())
                .headMap(at, true)
                .descendingMap()
                .entrySet()) {
            expected.add(version.getKey() + " " + isBase(version.getKey()) + " " + Arrays.hashCode(version.getValue()));
            if (isBase(version.getKey())) {
                break;
            }
        }
        return expected;
    }

    @Test
    void givesBackWhatWasWrittenByKeyInOrderAndAsADump() throws IOException {
        for (long seed = 0; seed < 30; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            LayerDescriptor layer = write(random, 1 + random.nextInt(600));
            Path path = Path.of(layer.fileName());
            try (LayerFileReader reader = LayerFileReader.open(disk, path, layer, codec)) {
                for (Key key : model.keySet()) {
                    assertThat(reader.contains(key.high(), key.low())).isTrue();
                    assertThat(reader.ceiling(key)).isEqualTo(key);
                    assertThat(reader.ceiling(key.next())).isEqualTo(model.higherKey(key));
                    long at = random.nextLong(END + 10);
                    assertThat(read(reader, key, at)).as("seed " + seed).isEqualTo(expected(key, at));
                }
                for (int i = 0; i < 200; i++) {
                    Key key = new Key(random.nextInt(4), random.nextLong() >>> random.nextInt(64));
                    assertThat(reader.contains(key.high(), key.low())).isEqualTo(model.containsKey(key));
                    assertThat(reader.ceiling(key)).isEqualTo(model.ceilingKey(key));
                    assertThat(read(reader, key, END)).isEqualTo(expected(key, END));
                }
                checkCursor(reader, new KeyRange(Key.MIN, Key.MAX));
                Key one = new Key(random.nextInt(3), random.nextInt());
                checkCursor(reader, new KeyRange(one, Key.MAX));
                checkCursor(reader, new KeyRange(Key.MIN, one));
            }
            try (LayerDump dump = new LayerDump(disk, path)) {
                assertThat(dump.layer()).isEqualTo(layer);
                assertThat(dump.blocks()).isNotEmpty();
                List<Key> keys = new ArrayList<>();
                dump.versions(KeyRange.ALL, (key, lsn, base, bytes, offset, length) -> keys.add(key));
                assertThat(keys).hasSize((int) layer.versions());
            }
            disk.delete(path);
        }
    }

    private void checkCursor(LayerFileReader reader, KeyRange range) throws IOException {
        List<String> expected = new ArrayList<>();
        model.subMap(range.start(), range.end())
                .forEach((key, history) -> history.descendingMap()
                        .forEach((lsn, bytes) -> expected.add(key + "@" + lsn + isBase(lsn) + Arrays.hashCode(bytes))));
        List<String> actual = new ArrayList<>();
        LayerCursor cursor = reader.cursor(range);
        while (cursor.next()) {
            byte[] bytes = Arrays.copyOfRange(cursor.bytes(), cursor.offset(), cursor.offset() + cursor.length());
            actual.add(new Key(cursor.high(), cursor.low()) + "@" + cursor.lsn() + cursor.isBase()
                    + Arrays.hashCode(bytes));
        }
        assertThat(actual).isEqualTo(expected);
    }

    /** Opens it, reads everything; answers only when all of it is right. */
    private boolean answers(Path path, LayerDescriptor layer) throws IOException {
        try (LayerFileReader reader = LayerFileReader.open(disk, path, layer, codec)) {
            for (Key key : model.keySet()) {
                try {
                    assertThat(read(reader, key, END)).isEqualTo(expected(key, END));
                } catch (CorruptLayerException e) {
                    assertThat(e.file()).isEqualTo(path.toString());
                    return false;
                }
            }
            return true;
        } catch (CorruptLayerException e) {
            assertThat(e.file()).isEqualTo(path.toString());
            return false;
        }
    }

    @Test
    void noDamagedByteGoesUnnoticedByWhoNeedsIt() throws IOException {
        LayerDescriptor layer = write(new SplittableRandom(11), 80);
        Path path = Path.of(layer.fileName());
        assertThat(answers(path, layer)).isTrue();
        for (long at = 0; at < layer.fileBytes(); at++) {
            disk.flipByte(path, at);
            if (answers(path, layer)) {
                fail("byte " + at + " of " + layer.fileBytes() + " changed, and nobody noticed");
            }
            disk.flipByte(path, at);
        }
    }

    @Test
    void aDamagedBlockFailsItsOwnKeysOnly() throws IOException {
        LayerDescriptor layer = write(new SplittableRandom(12), 200);
        Path path = Path.of(layer.fileName());
        disk.flipByte(path, LayerFileFormat.HEADER_BYTES + 20);
        int failed = 0;
        try (LayerFileReader reader = LayerFileReader.open(disk, path, layer, codec)) {
            for (Key key : model.keySet()) {
                try {
                    assertThat(read(reader, key, END)).isEqualTo(expected(key, END));
                } catch (CorruptLayerException e) {
                    assertThat(e.reason()).isEqualTo(CorruptLayerException.Reason.DAMAGED);
                    failed++;
                }
            }
        }
        assertThat(failed).isPositive().isLessThan(model.size() / 4);
    }

    @Test
    void aFileCutShortAnywhereIsRefused() throws IOException {
        LayerDescriptor layer = write(new SplittableRandom(13), 60);
        Path path = Path.of(layer.fileName());
        try (DurableFile file = disk.open(path, Disk.Mode.READ_WRITE)) {
            for (long size = layer.fileBytes() - 1; size >= 0; size--) {
                file.setSize(size);
                assertThatThrownBy(() -> LayerFileReader.open(disk, path, layer, codec))
                        .isInstanceOf(CorruptLayerException.class);
            }
        }
    }

    @Test
    void anotherLayersFileUnderThisNameIsRefused() throws IOException {
        LayerDescriptor one = write(new SplittableRandom(14), 60);
        LayerDescriptor other = write(new SplittableRandom(15), 60);
        disk.rename(Path.of(other.fileName()), Path.of(one.fileName()));
        assertThatThrownBy(() -> LayerFileReader.open(disk, Path.of(one.fileName()), one, codec))
                .isInstanceOfSatisfying(
                        CorruptLayerException.class,
                        e -> assertThat(e.reason()).isEqualTo(CorruptLayerException.Reason.OTHER_LAYER));
        assertThatThrownBy(() -> LayerFileReader.open(disk, Path.of("nowhere"), one, codec))
                .isInstanceOfSatisfying(
                        CorruptLayerException.class,
                        e -> assertThat(e.reason()).isEqualTo(CorruptLayerException.Reason.MISSING));
    }

    @Test
    void theWriterRefusesWhatIsOutOfOrderOrOutOfRange() throws IOException {
        try (LayerFileWriter delta = writer(LayerKind.DELTA, 10, 20)) {
            delta.add(1, 1, 15, false, new byte[1], 0, 1);
            assertThatThrownBy(() -> delta.add(1, 1, 15, false, new byte[1], 0, 1))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> delta.add(1, 1, 16, false, new byte[1], 0, 1))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> delta.add(0, 9, 15, false, new byte[1], 0, 1))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> delta.add(1, 2, 20, false, new byte[1], 0, 1))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> delta.add(1, 2, 9, false, new byte[1], 0, 1))
                    .isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(disk.list(HERE)).isEmpty();
        try (LayerFileWriter image = writer(LayerKind.IMAGE, 10, 11)) {
            assertThatThrownBy(() -> image.add(1, 1, 10, false, new byte[1], 0, 1))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(image::finish).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void itsNameSaysWhatIsInIt() throws IOException {
        LayerDescriptor layer;
        try (LayerFileWriter image = writer(LayerKind.IMAGE, 16, 17)) {
            image.add(1, 2, 16, true, new byte[9], 0, 9);
            image.add(1, 5, 16, true, new byte[9], 0, 9);
            layer = image.finish();
        }
        assertThat(layer.fileName())
                .isEqualTo("00000000000000010000000000000002-00000000000000010000000000000006__0000000000000010-"
                        + "00000007.image");
        assertThat(layer.versions()).isEqualTo(2);
        assertThat(layer.baseBytes()).isEqualTo(18);
        assertThat(disk.list(HERE)).containsExactly(layer.fileName());
    }
}
