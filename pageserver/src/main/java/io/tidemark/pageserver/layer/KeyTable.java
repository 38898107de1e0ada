package io.tidemark.pageserver.layer;

import io.tidemark.pageserver.key.Key;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * The keys of a layer in memory, each with the address of its newest version: a hash table to find one, a skip list to go through
 * all in order. One writer, many readers without locks.
 *
 * <p>A key is a number, counted from 1; what belongs to it stands in a row, most of it in one cache line. The writer fills the row, then
 * links the number with release semantics; whoever sees the number sees what belongs to it. Links only ever get a new key in between, so a reader
 * on its way through the list is never led astray. An insert right behind the one before, as a growing relation makes them,
 * starts its search there.
 */
final class KeyTable {
    private static final VarHandle INTS = MethodHandles.arrayElementVarHandle(int[].class);
    private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);

    private static final int CHUNK_BITS = 10;
    private static final int CHUNK = 1 << CHUNK_BITS;
    private static final int MAX_HEIGHT = 12;

    /** The list's head. */
    private static final int HEAD = 0;

    // A row: the key, the newest version (address << 32 | how many there are), its LSN, where it jumps to << 32 | where
    // the links begin.
    // The last two are the writer's, but for the links.
    private static final int ROW = 5;
    private static final int HIGH = 0;
    private static final int LOW = 1;
    private static final int NEWEST = 2;
    private static final int LSN = 3;
    private static final int JUMP = 4;

    private volatile long[][] rows = new long[1][ROW * CHUNK];

    private volatile int[][] links = new int[1][CHUNK];
    private volatile int[] hashed = new int[1 << 8];

    private int count;
    private int linkCount = MAX_HEIGHT;
    private int height = 1;
    private long random = 0x9E3779B97F4A7C15L;
    /** The last key before the one inserted last, by height: where the next search starts. */
    private final int[] path = new int[MAX_HEIGHT];

    private int lastInserted = HEAD;

    /** Keys so far; for the writer. */
    int count() {
        return count;
    }

    /** Heap in use, in bytes. */
    long sizeBytes() {
        return (long) rows.length * CHUNK * ROW * 8 + (long) links.length * CHUNK * 4 + hashed.length * 4L;
    }

    private long row(int key, int column) {
        return rows[key >>> CHUNK_BITS][(key & (CHUNK - 1)) * ROW + column];
    }

    long high(int key) {
        return row(key, HIGH);
    }

    long low(int key) {
        return row(key, LOW);
    }

    /** The place of the newest version, as {@link VersionArena} defines it: its address, and how many versions there are. */
    long newest(int key) {
        long[] chunk = rows[key >>> CHUNK_BITS];
        return (long) LONGS.getAcquire(chunk, (key & (CHUNK - 1)) * ROW + NEWEST);
    }

    /** Where the newest version jumps to; for the writer, as the following one. */
    int newestJump(int key) {
        return (int) (row(key, JUMP) >>> 32);
    }

    long newestLsn(int key) {
        return row(key, LSN);
    }

    void setNewest(int key, long place, int jump, long lsn) {
        long[] chunk = rows[key >>> CHUNK_BITS];
        int row = (key & (CHUNK - 1)) * ROW;
        chunk[row + LSN] = lsn;
        chunk[row + JUMP] = pair(jump, (int) chunk[row + JUMP]);
        LONGS.setRelease(chunk, row + NEWEST, place);
    }

    private static long pair(int upper, int lower) {
        return (long) upper << 32 | Integer.toUnsignedLong(lower);
    }

    private static int hash(long high, long low) {
        long mixed = (high * 0x9E3779B97F4A7C15L ^ low) * 0xD6E8FEB86659FD93L;
        return (int) (mixed ^ mixed >>> 32);
    }

    /** The number of a key; 0 when it is not here. */
    int find(long high, long low) {
        int[] table = hashed;
        int mask = table.length - 1;
        for (int slot = hash(high, low) & mask; ; slot = (slot + 1) & mask) {
            int key = (int) INTS.getAcquire(table, slot);
            if (key == 0 || low(key) == low && high(key) == high) {
                return key;
            }
        }
    }

    /** Adds a key that is not here, with its only version. */
    int insert(long high, long low, int address, long lsn) {
        int key = ++count;
        if (key >>> CHUNK_BITS == rows.length) {
            long[][] more = Arrays.copyOf(rows, rows.length + 1);
            more[rows.length] = new long[ROW * CHUNK];
            rows = more;
        }
        long[] chunk = rows[key >>> CHUNK_BITS];
        int row = (key & (CHUNK - 1)) * ROW;
        chunk[row + HIGH] = high;
        chunk[row + LOW] = low;
        chunk[row + NEWEST] = VersionArena.place(address, 1);
        chunk[row + LSN] = lsn;
        link(key, high, low);
        hash(key, high, low);
        lastInserted = key;
        return key;
    }

    private void hash(int key, long high, long low) {
        if (2 * count > hashed.length) {
            int[] larger = new int[2 * hashed.length];
            for (int known = 1; known < key; known++) {
                larger[freeSlot(larger, high(known), low(known))] = known;
            }
            larger[freeSlot(larger, high, low)] = key;
            hashed = larger;
        } else {
            INTS.setRelease(hashed, freeSlot(hashed, high, low), key);
        }
    }

    private static int freeSlot(int[] table, long high, long low) {
        int mask = table.length - 1;
        int slot = hash(high, low) & mask;
        while (table[slot] != 0) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private int next(int key, int level) {
        int link = (int) row(key, JUMP) + level;
        return (int) INTS.getAcquire(links[link >>> CHUNK_BITS], link & (CHUNK - 1));
    }

    private void setNext(int key, int level, int to) {
        int link = (int) row(key, JUMP) + level;
        INTS.setRelease(links[link >>> CHUNK_BITS], link & (CHUNK - 1), to);
    }

    private boolean isBefore(int key, long high, long low) {
        return Key.compare(high(key), low(key), high, low) < 0;
    }

    private void link(int key, long high, long low) {
        boolean behindLast = lastInserted != HEAD && isBefore(lastInserted, high, low);
        int at = HEAD;
        for (int level = height - 1; level >= 0; level--) {
            int known = path[level];
            if (behindLast && known != HEAD && (at == HEAD || isBefore(at, high(known), low(known)))) {
                at = known;
            }
            for (int next = next(at, level); next != 0 && isBefore(next, high, low); next = next(at, level)) {
                at = next;
            }
            path[level] = at;
        }
        int tall = randomHeight();
        while (height < tall) {
            path[height++] = HEAD;
        }
        rows[key >>> CHUNK_BITS][(key & (CHUNK - 1)) * ROW + JUMP] = pair(0, newTower(tall));
        for (int level = 0; level < tall; level++) {
            setNext(key, level, next(path[level], level));
        }
        for (int level = 0; level < tall; level++) {
            setNext(path[level], level, key);
            path[level] = key;
        }
    }

    private int newTower(int tall) {
        int tower = linkCount;
        linkCount += tall;
        while (linkCount > links.length << CHUNK_BITS) {
            int[][] more = Arrays.copyOf(links, links.length + 1);
            more[links.length] = new int[CHUNK];
            links = more;
        }
        return tower;
    }

    private int randomHeight() {
        random ^= random << 13;
        random ^= random >>> 7;
        random ^= random << 17;
        int tall = 1;
        for (long bits = random; tall < MAX_HEIGHT && (bits & 3) == 0; bits >>>= 2) {
            tall++;
        }
        return tall;
    }

    /** The first key at or behind this one; 0 when there is none. */
    int ceiling(long high, long low) {
        int at = HEAD;
        int next = 0;
        for (int level = MAX_HEIGHT - 1; level >= 0; level--) {
            next = next(at, level);
            while (next != 0 && isBefore(next, high, low)) {
                at = next;
                next = next(at, level);
            }
        }
        // The one that was compared: another look at the link may find a key that was put in between just now, below
        // this one.
        return next;
    }

    /** The key behind this one; 0 when there is none. */
    int next(int key) {
        return next(key, 0);
    }

    /** The first key; 0 when there is none. */
    int first() {
        return next(HEAD, 0);
    }
}
