package io.tidemark.pageserver.layer;

import java.util.Arrays;

/**
 * Where the next versions of a key are, newest first. Used by one thread, for one run after the other.
 *
 * <p>The versions of a hot key are scattered over a {@link VersionArena}, and each is a cache miss. Going from one to the one before it is
 * one miss after the other. The jumps make of the list a forest of complete binary trees in preorder: the version before this one is
 * its left child, and the left child jumps to the right child. So the run is taken apart into pieces whose first versions are known, all
 * pieces are one step further in turn, and the processor waits for many of them at once.
 */
final class VersionRun {
    /** Most chains that are read end at a base soon, and what is behind it was looked up in vain. */
    static final int FIRST = 8;

    /** A run has no more. */
    static final int MOST = 128;

    private int[] addresses = new int[FIRST];
    /** Places that are known and not yet looked at; with each, how many versions there are behind its piece. */
    private long[] places = new long[FIRST];

    private int[] behind = new int[FIRST];
    private int known;
    private int count;

    /**
     * Finds the versions from a place on.
     *
     * @param atMost so many of them, or fewer
     * @return the place of the version behind the run; 0 when there is none
     */
    long collect(VersionArena arena, long place, int atMost) {
        int depth = VersionArena.depthOf(place);
        count = Math.min(depth, Math.min(atMost, MOST));
        if (count > addresses.length) {
            addresses = new int[Math.min(MOST, 2 * count)];
            places = Arrays.copyOf(places, addresses.length);
            behind = Arrays.copyOf(behind, addresses.length);
        }
        known = 0;
        learn(place, depth - count);
        for (int at = 0; at < known; at++) {
            int address = VersionArena.addressOf(places[at]);
            int pieceDepth = VersionArena.depthOf(places[at]);
            addresses[depth - pieceDepth] = address;
            long links = arena.links(address);
            int pieceEnd = behind[at];
            int jumpDepth = VersionArena.jumpDepth(pieceDepth);
            if (jumpDepth > pieceEnd) {
                learn(VersionArena.place((int) (links >>> 32), jumpDepth), pieceEnd);
                pieceEnd = jumpDepth;
            }
            if (pieceDepth - 1 > pieceEnd) {
                learn(VersionArena.place((int) links, pieceDepth - 1), pieceEnd);
            }
        }
        int last = addresses[count - 1];
        return depth == count ? 0 : VersionArena.place(arena.previous(last), depth - count);
    }

    private void learn(long place, int end) {
        places[known] = place;
        behind[known] = end;
        known++;
    }

    /** How many there are; at least one. */
    int count() {
        return count;
    }

    int address(int index) {
        return addresses[index];
    }
}
