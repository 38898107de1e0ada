package io.tidemark.pageserver.redo;

import io.tidemark.pageserver.key.InvalidValueException;
import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyKind;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.key.ValueFormat;
import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.BlockReference;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.LittleEndian;
import io.tidemark.wire.wal.WalDecoder;
import io.tidemark.wire.wal.WalFlavour;
import io.tidemark.wire.wal.WalRecord;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Builds what a key had from its versions.
 *
 * <p>First {@link #begin}, then {@link #add} each version, newest first, until it says that none older is needed or there is none; then
 * {@link #page} or {@link #value}. Pages without a base are built on zeros. The arrays of the versions are read, not copied, and only
 * by the last call.
 *
 * <p>Belongs to one thread; made once and used for many keys, it allocates next to nothing.
 */
public final class Reconstruction {
    private final RedoRules rules;
    private final PageRedo redo;
    private final WalDecoder decoder;

    private Key key = Key.MIN;
    private byte[][] arrays = new byte[16][];
    private int[] offsets = new int[16];
    private int[] lengths = new int[16];
    private long[] lsns = new long[16];
    private int count;

    public Reconstruction(RedoRules rules) {
        this.rules = rules;
        this.redo = new PageRedo(rules);
        this.decoder = new WalDecoder(rules.pgMajor());
    }

    /** Forgets what was added before. */
    public void begin(Key newKey) {
        key = newKey;
        Arrays.fill(arrays, 0, count, null);
        count = 0;
    }

    /**
     * The next older version.
     *
     * @param lsn the version's
     * @return whether an older one is needed
     */
    public boolean add(long lsn, byte[] array, int offset, int length) {
        if (count == arrays.length) {
            arrays = Arrays.copyOf(arrays, 2 * count);
            offsets = Arrays.copyOf(offsets, 2 * count);
            lengths = Arrays.copyOf(lengths, 2 * count);
            lsns = Arrays.copyOf(lsns, 2 * count);
        }
        arrays[count] = array;
        offsets[count] = offset;
        lengths[count] = length;
        lsns[count] = lsn;
        count++;
        return !ValueFormat.isBase(array, offset, length);
    }

    /** How many versions have been added. */
    public int versions() {
        return count;
    }

    /**
     * The value of a key that is not a page; null when there is none, or no longer.
     *
     * @throws RedoException when a version is damaged
     */
    public byte @Nullable [] value() throws RedoException {
        KeyKind kind = KeyKind.of(key);
        if (kind != null && kind.isPage()) {
            byte[] page = new byte[Page.SIZE_BYTES];
            page(page);
            return page;
        }
        if (count == 0) {
            return null;
        }
        return switch (decode(0)) {
            case Value.Image image -> image.bytes();
            case Value.Removed removed -> null;
            case Value other -> throw damaged(0, other.getClass().getSimpleName() + " is not what this key can have");
        };
    }

    /**
     * Builds a page.
     *
     * @param page of {@link Page#SIZE_BYTES}; worthless after an exception
     * @throws RedoException when a version is damaged, or a record cannot be applied
     */
    public void page(byte[] page) throws RedoException {
        int next = count - 1;
        if (next < 0 || !readBase(next, page)) {
            Arrays.fill(page, (byte) 0);
        } else {
            next--;
        }
        for (; next >= 0; next--) {
            apply(next, page);
        }
    }

    private boolean readBase(int version, byte[] page) throws RedoException {
        try {
            return ValueFormat.readPage(arrays[version], offsets[version], lengths[version], page);
        } catch (InvalidValueException e) {
            throw damaged(version, e);
        }
    }

    private void apply(int version, byte[] page) throws RedoException {
        if (ValueFormat.isRecord(arrays[version], offsets[version], lengths[version])) {
            applyRecord(version, page);
            return;
        }
        Value value = decode(version);
        if (!ChangeRedo.apply(value, page)) {
            throw damaged(version, "a base lies above another version");
        }
        if (value instanceof Value.VisibilityCleared || value instanceof Value.VisibilityTruncated) {
            stampMap(version, page);
        }
    }

    // PostgreSQL leaves the LSN alone when it clears bits. Neon's computes expect it to move: they evict map pages and
    // ask for them again
    // by LSN.
    private void stampMap(int version, byte[] page) {
        if (rules.flavour() == WalFlavour.NEON && LittleEndian.u16(page, Page.PD_UPPER) != 0) {
            LittleEndian.putI32(page, Page.PD_LSN, (int) (lsns[version] >>> 32));
            LittleEndian.putI32(page, Page.PD_LSN + 4, (int) lsns[version]);
        }
    }

    private void applyRecord(int version, byte[] page) throws RedoException {
        WalRecord record;
        int blockId;
        try {
            Value.Redo value = ValueFormat.decodeRecord(arrays[version], offsets[version], lengths[version]);
            blockId = value.blockId();
            long end = lsns[version];
            record = decoder.decodeNext(value.array(), value.offset(), value.length(), end - value.beforeEnd(), end);
        } catch (InvalidValueException | InvalidWalException | IndexOutOfBoundsException e) {
            throw damaged(version, e);
        }
        BlockReference block = record.block(blockId);
        if (block == null) {
            throw damaged(version, "the record has no block reference " + blockId);
        }
        redo.apply(record, block, page);
    }

    private Value decode(int version) throws RedoException {
        try {
            return ValueFormat.decode(arrays[version], offsets[version], lengths[version]);
        } catch (InvalidValueException e) {
            throw damaged(version, e);
        }
    }

    private RedoException damaged(int version, String what) {
        return new RedoException(Lsn.of(lsns[version]), describe(version) + what);
    }

    private RedoException damaged(int version, Exception cause) {
        return new RedoException(Lsn.of(lsns[version]), describe(version) + cause.getMessage(), cause);
    }

    private String describe(int version) {
        return "the version of " + Keys.describe(key) + " at " + Lsn.of(lsns[version]) + " is damaged: ";
    }
}
