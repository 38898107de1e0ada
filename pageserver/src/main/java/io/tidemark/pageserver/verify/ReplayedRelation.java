package io.tidemark.pageserver.verify;

import io.tidemark.pageserver.pgpage.Page;
import io.tidemark.wire.rel.RelTag;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One fork of one relation while WAL is replayed: the pages that records touched, over what the base copy has.
 *
 * <p>A block is, in this order: in {@code pages}; below {@code baseBlocks} and thus as in the base's file; zeros.
 */
final class ReplayedRelation {
    /** A page in memory and what is known about it. */
    static final class Held {
        final byte[] bytes;

        /** Its content was lost on the way into the WAL, see {@link KnownDifferences}; no record has brought it back yet. */
        boolean emptied;

        /** The end of the last record that stamped the page on the primary and does nothing in redo; 0 when there is none. */
        long stampedByPrimary;

        /** The end of the last record that brought the page as a whole because it is new; 0 when there is none. */
        long broughtWhole;

        Held(byte[] bytes) {
            this.bytes = bytes;
        }
    }

    private final @Nullable RelTag base;
    private int baseBlocks;
    private int blocks;
    private @Nullable Held[] pages = new @Nullable Held[4];

    private ReplayedRelation(@Nullable RelTag base, int baseBlocks) {
        this.base = base;
        this.baseBlocks = baseBlocks;
        this.blocks = baseBlocks;
    }

    static ReplayedRelation empty() {
        return new ReplayedRelation(null, 0);
    }

    static ReplayedRelation over(RelTag base, int baseBlocks) {
        return new ReplayedRelation(base, baseBlocks);
    }

    /** The relation's size as far as records tell: the highest block touched, or the last truncation. */
    int blocks() {
        return blocks;
    }

    @Nullable
    Held find(int block) {
        return block < pages.length ? pages[block] : null;
    }

    /** Whether a block that no record touched is in the base's file. */
    boolean isInBase(int block) {
        return block < baseBlocks;
    }

    /** The page, made from the base's or of zeros when no record touched it yet. */
    Held hold(int block, @Nullable RelationFiles files) throws IOException {
        Held held = find(block);
        if (held == null) {
            held = new Held(new byte[Page.SIZE_BYTES]);
            readBase(block, files, held.bytes);
            if (block >= pages.length) {
                pages = Arrays.copyOf(pages, Math.max(block + 1, pages.length * 2));
            }
            pages[block] = held;
            blocks = Math.max(blocks, block + 1);
        }
        return held;
    }

    /** What the base has for a block, zeros when it has none. */
    void readBase(int block, @Nullable RelationFiles files, byte[] into) throws IOException {
        if (files != null && base != null && isInBase(block)) {
            files.read(base, block, into);
        } else {
            Arrays.fill(into, (byte) 0);
        }
    }

    /** Cuts off everything from a block on. Growing is not its business. */
    void truncate(int newBlocks) {
        baseBlocks = Math.min(baseBlocks, newBlocks);
        blocks = Math.min(blocks, newBlocks);
        if (newBlocks < pages.length) {
            Arrays.fill(pages, newBlocks, pages.length, null);
        }
    }

    ReplayedRelation copy() {
        ReplayedRelation copy = new ReplayedRelation(base, baseBlocks);
        copy.blocks = blocks;
        copy.pages = new @Nullable Held[pages.length];
        for (int i = 0; i < pages.length; i++) {
            Held held = pages[i];
            if (held != null) {
                Held other = new Held(held.bytes.clone());
                other.emptied = held.emptied;
                other.stampedByPrimary = held.stampedByPrimary;
                other.broughtWhole = held.broughtWhole;
                copy.pages[i] = other;
            }
        }
        return copy;
    }
}
