package io.tidemark.pageserver.layer;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/**
 * What a layer store must answer, as a map of maps. A version's bytes say what it is, and the content of a key at an LSN is the list of
 * them down to a base; an image that compaction makes carries a digest of that list, so a wrong base is as visible as a lost version.
 */
public final class VersionModel {
    /** One version. */
    @SuppressWarnings("ArrayRecordComponent") // compared by digest
    public record Version(Lsn lsn, boolean base, byte[] bytes) {}

    private final TreeMap<Key, TreeMap<Lsn, Version>> versions = new TreeMap<>();

    /** Adds a version. */
    public void put(Key key, Lsn lsn, boolean base, byte[] bytes) {
        versions.computeIfAbsent(key, _ -> new TreeMap<>()).put(lsn, new Version(lsn, base, bytes));
    }

    /** Forgets what is above an LSN, as a crash does. */
    public void cut(Lsn lsn) {
        versions.values().forEach(history -> history.tailMap(lsn, false).clear());
        versions.values().removeIf(NavigableMap::isEmpty);
    }

    public List<Key> keys() {
        return List.copyOf(versions.keySet());
    }

    /** The chain of a key, newest first, down to a base. */
    public List<Version> chain(Key key, Lsn at) {
        List<Version> chain = new ArrayList<>();
        TreeMap<Lsn, Version> history = versions.get(key);
        if (history != null) {
            for (Version version : history.headMap(at, true).descendingMap().values()) {
                chain.add(version);
                if (version.base()) {
                    break;
                }
            }
        }
        return chain;
    }

    /** The digest of a chain: of its versions, or of the versions behind an image followed by what is above it. */
    static long digest(List<Version> chain) {
        long digest = 0;
        for (Version version : chain.reversed()) {
            digest = Images.isImage(version.bytes())
                    ? Images.digestIn(version.bytes())
                    : (version.base() ? 0 : digest * 31)
                            + Arrays.hashCode(version.bytes())
                            + version.lsn().value();
        }
        return digest;
    }

    /** What a materializer makes of a key: an image that stands for the whole chain. */
    public byte[] image(Key key, Lsn at) {
        return Images.of(digest(chain(key, at)));
    }

    /** The same image, made from what a store answers. */
    public static byte[] imageOf(LayerStore store, Key key, Lsn at) throws IOException {
        List<Version> chain = new ArrayList<>();
        store.read(key, at, collect(key, chain));
        return Images.of(digest(chain));
    }

    /** Compares a read with the model. */
    public void check(LayerSnapshot snapshot, Key key, Lsn at) throws IOException {
        List<Version> expected = chain(key, at);
        List<Version> actual = new ArrayList<>();
        LayerSnapshot.Chain end = snapshot.read(key, at, collect(key, actual));
        checkChain(key, at, expected, actual);
        assertThat(end.versions()).isEqualTo(actual.size());
        assertThat(end.base()).isEqualTo(!actual.isEmpty() && actual.getLast().base());
    }

    private static VersionSink collect(Key key, List<Version> into) {
        return (k, lsn, base, bytes, offset, length) -> {
            assertThat(k).isEqualTo(key);
            into.add(new Version(lsn, base, Arrays.copyOfRange(bytes, offset, offset + length)));
        };
    }

    private static void checkChain(Key key, Lsn at, List<Version> expected, List<Version> actual) {
        String where = key + " at " + at;
        assertThat(actual.isEmpty()).as(where).isEqualTo(expected.isEmpty());
        if (expected.isEmpty()) {
            return;
        }
        for (int i = 1; i < actual.size(); i++) {
            assertThat(actual.get(i - 1).base()).as(where + ", above the end").isFalse();
            assertThat(actual.get(i).lsn().isBefore(actual.get(i - 1).lsn()))
                    .as(where + ", order")
                    .isTrue();
        }
        assertThat(digest(actual))
                .as(where + ", content of %s, expected %s", actual, expected)
                .isEqualTo(digest(expected));
        if (expected.getLast().base()) {
            assertThat(actual.getLast().base()).as(where + ", reaches a base").isTrue();
        }
    }

    /** Compares a scan with the model. */
    public void checkScan(LayerSnapshot snapshot, KeyRange range, Lsn at) throws IOException {
        TreeMap<Key, List<Version>> actual = new TreeMap<>();
        List<Key> order = new ArrayList<>();
        int found = snapshot.scan(range, at, (key, lsn, base, bytes, offset, length) -> {
            if (order.isEmpty() || !order.getLast().equals(key)) {
                order.add(key);
            }
            actual.computeIfAbsent(key, _ -> new ArrayList<>())
                    .add(new Version(lsn, base, Arrays.copyOfRange(bytes, offset, offset + length)));
        });
        List<Key> expected = versions.keySet().stream()
                .filter(key -> range.contains(key) && !chain(key, at).isEmpty())
                .toList();
        assertThat(order).isEqualTo(expected);
        assertThat(found).isEqualTo(expected.size());
        actual.forEach((key, chain) -> checkChain(key, at, chain(key, at), chain));
    }

    /** Compares reads of many keys, one after the other, with the model. */
    public void checkMany(LayerSnapshot snapshot, List<Key> keys, Lsn at) throws IOException {
        List<Version> actual = new ArrayList<>();
        LayerSnapshot.InOrder reads = snapshot.inOrder((key, lsn, base, bytes, offset, length) ->
                actual.add(new Version(lsn, base, Arrays.copyOfRange(bytes, offset, offset + length))));
        for (Key key : keys) {
            actual.clear();
            boolean endsWithBase = reads.read(key, at);
            checkChain(key, at, chain(key, at), actual);
            assertThat(endsWithBase)
                    .isEqualTo(!actual.isEmpty() && actual.getLast().base());
        }
    }

    /** Compares every key at some LSNs, and the whole as a scan. */
    public void checkAll(LayerStore store, Iterable<Lsn> lsns) throws IOException {
        try (LayerSnapshot snapshot = store.snapshot()) {
            for (Lsn at : lsns) {
                for (Key key : keys()) {
                    check(snapshot, key, at);
                }
                checkScan(snapshot, KeyRange.ALL, at);
            }
        }
    }

    /** A value of random length and content. */
    public static byte[] randomBytes(RandomGenerator random, int maxLength) {
        byte[] bytes = new byte[random.nextInt(maxLength + 1)];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i % 7 == 0 ? random.nextInt() : i);
        }
        return bytes;
    }

    /** The images that tests let compaction make. */
    static final class Images {
        private static final long MARK = 0x7E57_1AA6_E000_0001L;

        private Images() {}

        static byte[] of(long digest) {
            return java.nio.ByteBuffer.allocate(16)
                    .putLong(MARK)
                    .putLong(digest)
                    .array();
        }

        static boolean isImage(byte[] bytes) {
            return bytes.length == 16 && java.nio.ByteBuffer.wrap(bytes).getLong() == MARK;
        }

        static long digestIn(byte[] bytes) {
            return java.nio.ByteBuffer.wrap(bytes).getLong(8);
        }
    }
}
