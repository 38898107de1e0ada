package io.tidemark.pageserver.layer.file;

import io.tidemark.pageserver.key.Key;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.roaringbitmap.RoaringBitmap;

/**
 * The exact set of keys in a layer: per fork of a relation (all of the key but its lowest 32 bits), a Roaring bitmap of the blocks.
 * A group of one key, as directories and hashed names make them by the thousand, has no bitmap but the block itself. Immutable.
 */
final class KeyFilter {
    private final long[] highs;
    /** The upper halves of the keys' lower longs. */
    private final int[] middles;

    private final int[] singles;
    private final @Nullable RoaringBitmap[] bitmaps;

    private KeyFilter(long[] highs, int[] middles, int[] singles, @Nullable RoaringBitmap[] bitmaps) {
        this.highs = highs;
        this.middles = middles;
        this.singles = singles;
        this.bitmaps = bitmaps;
    }

    boolean contains(long high, long low) {
        int group = find(high, low);
        if (group == highs.length || !isGroup(group, high, low)) {
            return false;
        }
        RoaringBitmap bitmap = bitmaps[group];
        return bitmap == null ? singles[group] == (int) low : bitmap.contains((int) low);
    }

    /** The first key in the set at or behind this one. */
    @Nullable
    Key ceiling(long high, long low) {
        int group = find(high, low);
        if (group < highs.length && isGroup(group, high, low)) {
            RoaringBitmap bitmap = bitmaps[group];
            long block = bitmap == null ? single(group, (int) low) : bitmap.nextValue((int) low);
            if (block >= 0) {
                return key(group, block);
            }
            group++;
        }
        if (group == highs.length) {
            return null;
        }
        RoaringBitmap bitmap = bitmaps[group];
        return key(group, Integer.toUnsignedLong(bitmap == null ? singles[group] : bitmap.first()));
    }

    private long single(int group, int atLeast) {
        return Integer.compareUnsigned(singles[group], atLeast) >= 0 ? Integer.toUnsignedLong(singles[group]) : -1;
    }

    private Key key(int group, long block) {
        return new Key(highs[group], (long) middles[group] << 32 | block);
    }

    private boolean isGroup(int group, long high, long low) {
        return highs[group] == high && middles[group] == (int) (low >>> 32);
    }

    /** The first group at or behind a key's. */
    private int find(long high, long low) {
        long middle = low >>> 32;
        int from = 0;
        int to = highs.length;
        while (from < to) {
            int at = (from + to) >>> 1;
            if (Key.compare(highs[at], Integer.toUnsignedLong(middles[at]), high, middle) < 0) {
                from = at + 1;
            } else {
                to = at;
            }
        }
        return from;
    }

    /**
     * Reads the section of a layer file.
     *
     * @throws IllegalArgumentException when it is not one
     */
    static KeyFilter decode(ByteBuffer in) {
        try {
            int groups = in.getInt();
            if (groups < 0 || groups > in.remaining() / 20) {
                throw new IllegalArgumentException(groups + " groups in " + in.remaining() + " bytes");
            }
            KeyFilter filter =
                    new KeyFilter(new long[groups], new int[groups], new int[groups], new RoaringBitmap[groups]);
            for (int group = 0; group < groups; group++) {
                filter.decodeGroup(group, in);
            }
            return filter;
        } catch (RuntimeException e) {
            throw new IllegalArgumentException("not a set of keys: " + e.getMessage(), e);
        } catch (java.io.IOException e) {
            throw new IllegalArgumentException("not a bitmap: " + e.getMessage(), e);
        }
    }

    private void decodeGroup(int group, ByteBuffer in) throws java.io.IOException {
        highs[group] = in.getLong();
        middles[group] = in.getInt();
        int bytes = in.getInt();
        if (bytes == 0) {
            singles[group] = in.getInt();
            return;
        }
        ByteBuffer part = in.slice(in.position(), bytes).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        RoaringBitmap bitmap = new RoaringBitmap();
        bitmap.deserialize(part);
        if (bitmap.isEmpty()) {
            throw new IllegalArgumentException("an empty group");
        }
        bitmaps[group] = bitmap;
        in.position(in.position() + bytes);
    }

    /** Collects the keys of a layer in their order. */
    static final class Builder {
        private ByteBuffer out = LayerFileFormat.allocate(4096).putInt(0);
        private int groups;
        private long high;
        private int middle;
        private int[] blocks = new int[1024];
        private int count;

        /** Takes the next key, not below the one before; the same key again adds nothing. */
        void add(long keyHigh, long keyLow) {
            int keyMiddle = (int) (keyLow >>> 32);
            if (count > 0 && (keyHigh != high || keyMiddle != middle)) {
                endGroup();
            }
            high = keyHigh;
            middle = keyMiddle;
            if (count > 0 && blocks[count - 1] == (int) keyLow) {
                return;
            }
            if (count == blocks.length) {
                blocks = Arrays.copyOf(blocks, 2 * count);
            }
            blocks[count++] = (int) keyLow;
        }

        private void endGroup() {
            groups++;
            if (count == 1) {
                require(20).putLong(high).putInt(middle).putInt(0).putInt(blocks[0]);
            } else {
                RoaringBitmap bitmap = new RoaringBitmap();
                bitmap.addN(blocks, 0, count);
                bitmap.runOptimize();
                int bytes = bitmap.serializedSizeInBytes();
                require(16 + bytes).putLong(high).putInt(middle).putInt(bytes);
                bitmap.serialize(out);
            }
            count = 0;
        }

        private ByteBuffer require(int bytes) {
            if (out.remaining() < bytes) {
                ByteBuffer larger = LayerFileFormat.allocate(Math.max(2 * out.capacity(), out.position() + bytes));
                out = larger.put(out.flip());
            }
            return out;
        }

        /** The section's bytes. */
        ByteBuffer finish() {
            if (count > 0) {
                endGroup();
            }
            return out.putInt(0, groups).flip();
        }
    }
}
