package io.tidemark.runtime.durable;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/**
 * The bytes of one file of a {@link FakeDisk}: what a reader sees now, and for each sector that differs from it, what the platter
 * has. A sector is the unit that a power loss keeps or loses.
 */
@SuppressWarnings("ReferenceEquality") // the zero chunk is known by identity, which is the point of it
final class FakeContents implements FakeNode {
    static final int SECTOR_BYTES = 512;
    static final int CHUNK_BYTES = 4096;

    /** Room is counted in chunks. A contents takes before it allocates and gives back what it frees. */
    interface Room {
        /** Throws {@link DiskFullException} when none is left. */
        void take() throws DiskFullException;

        void giveBack();
    }

    private static final int SECTORS_PER_CHUNK = CHUNK_BYTES / SECTOR_BYTES;

    /** Stands for every chunk that holds zeros only; copied before it is written to. */
    private static final byte[] ZERO_CHUNK = new byte[CHUNK_BYTES];

    private final Room room;
    private final Map<Long, byte[]> chunks = new HashMap<>();
    private long sizeBytes;
    private long durableSizeBytes;
    private boolean sizeDirty;
    /** What the platter has where sectors were written since the last sync, by chunk. */
    private final TreeMap<Long, Before> dirty = new TreeMap<>();
    /** The same for sectors that a failed sync dropped: they look clean, and no later sync writes them. */
    private final TreeMap<Long, Before> dropped = new TreeMap<>();

    /** A chunk as the platter has it, and a bit for each of its sectors that differs. */
    private static final class Before {
        byte[] bytes;
        int sectors;

        Before(byte[] bytes) {
            this.bytes = bytes;
        }

        boolean has(int sector) {
            return (sectors & 1 << sector) != 0;
        }

        /** Takes one sector over from an older state. */
        void take(int sector, byte[] from) {
            if (bytes == ZERO_CHUNK) {
                bytes = new byte[CHUNK_BYTES];
            }
            System.arraycopy(from, sector * SECTOR_BYTES, bytes, sector * SECTOR_BYTES, SECTOR_BYTES);
        }
    }

    FakeContents(Room room) {
        this.room = room;
    }

    long sizeBytes() {
        return sizeBytes;
    }

    /** Writes what fits; a prefix stays when the room runs out. */
    void write(ByteBuffer bytes, long position) throws DiskFullException {
        long at = position;
        while (bytes.hasRemaining()) {
            int offset = (int) (at % CHUNK_BYTES);
            int count = Math.min(bytes.remaining(), CHUNK_BYTES - offset);
            byte[] chunk = writableChunk(at / CHUNK_BYTES, bytes, count);
            rememberSectors(at, at + count);
            if (chunk == ZERO_CHUNK) {
                bytes.position(bytes.position() + count);
            } else {
                bytes.get(chunk, offset, count);
            }
            at += count;
            if (at > sizeBytes) {
                sizeBytes = at;
                sizeDirty = true;
            }
        }
    }

    /** The chunk to copy into, or ZERO_CHUNK when it holds zeros and stays so. */
    private byte[] writableChunk(long number, ByteBuffer source, int count) throws DiskFullException {
        byte[] chunk = chunks.get(number);
        if (chunk == null) {
            room.take();
            chunks.put(number, ZERO_CHUNK);
            chunk = ZERO_CHUNK;
        }
        if (chunk == ZERO_CHUNK) {
            boolean zeros = source.slice(source.position(), count).mismatch(ByteBuffer.wrap(ZERO_CHUNK, 0, count)) < 0;
            if (zeros) {
                return ZERO_CHUNK;
            }
            chunk = new byte[CHUNK_BYTES];
            chunks.put(number, chunk);
        }
        return chunk;
    }

    int read(ByteBuffer into, long position) {
        if (position >= sizeBytes) {
            return -1;
        }
        int total = (int) Math.min(into.remaining(), sizeBytes - position);
        for (int done = 0; done < total; ) {
            long at = position + done;
            int offset = (int) (at % CHUNK_BYTES);
            int count = Math.min(total - done, CHUNK_BYTES - offset);
            into.put(chunks.getOrDefault(at / CHUNK_BYTES, ZERO_CHUNK), offset, count);
            done += count;
        }
        return total;
    }

    void setSize(long newSizeBytes) {
        if (newSizeBytes == sizeBytes) {
            return;
        }
        if (newSizeBytes < sizeBytes) {
            cut(newSizeBytes, true);
        }
        sizeBytes = newSizeBytes;
        sizeDirty = true;
    }

    private void cut(long end, boolean remember) {
        long firstChunk = end / CHUNK_BYTES;
        for (long number :
                chunks.keySet().stream().filter(n -> n >= firstChunk).sorted().toList()) {
            long start = Math.max(end, number * CHUNK_BYTES);
            if (remember) {
                rememberSectors(start, (number + 1) * CHUNK_BYTES);
            }
            int offset = (int) (start - number * CHUNK_BYTES);
            byte[] chunk = chunks.get(number);
            if (offset == 0) {
                chunks.remove(number);
                room.giveBack();
            } else if (chunk != ZERO_CHUNK) {
                Arrays.fill(chunk, offset, CHUNK_BYTES, (byte) 0);
            }
        }
    }

    private void rememberSectors(long start, long end) {
        for (long number = start / CHUNK_BYTES; number * CHUNK_BYTES < end; number++) {
            Before before = dirty.get(number);
            if (before == null) {
                byte[] now = chunks.getOrDefault(number, ZERO_CHUNK);
                before = new Before(now == ZERO_CHUNK ? ZERO_CHUNK : now.clone());
                dirty.put(number, before);
            }
            int first = (int) Math.max(0, start - number * CHUNK_BYTES) / SECTOR_BYTES;
            int last = (int) Math.min(CHUNK_BYTES, end - number * CHUNK_BYTES) - 1;
            remember(number, before, first, last / SECTOR_BYTES);
        }
    }

    private void remember(long number, Before before, int first, int last) {
        Before lost = dropped.get(number);
        for (int sector = first; sector <= last; sector++) {
            if (lost != null && lost.has(sector) && !before.has(sector)) {
                before.take(sector, lost.bytes);
                lost.sectors &= ~(1 << sector);
            }
            before.sectors |= 1 << sector;
        }
    }

    void sync() {
        dirty.clear();
        if (sizeDirty) {
            durableSizeBytes = sizeBytes;
            sizeDirty = false;
        }
    }

    /** What a kernel does when writing back fails: the pages are clean now, and the bytes are nowhere. */
    void dropUnsynced() {
        dirty.forEach((number, before) -> {
            Before lost = dropped.computeIfAbsent(number, n -> new Before(before.bytes));
            for (int sector = 0; sector < SECTORS_PER_CHUNK; sector++) {
                if (before.has(sector) && lost.bytes != before.bytes) {
                    lost.take(sector, before.bytes);
                }
            }
            lost.sectors |= before.sectors;
        });
        dirty.clear();
        sizeDirty = false;
    }

    /** Writes some unsynced sectors back, as a kernel does at any time. */
    void writeBack(RandomGenerator random) {
        dirty.forEach((number, before) -> {
            byte[] now = chunks.getOrDefault(number, ZERO_CHUNK);
            int written = before.sectors & random.nextInt(1 << SECTORS_PER_CHUNK);
            for (int sector = 0; sector < SECTORS_PER_CHUNK; sector++) {
                if ((written & 1 << sector) != 0) {
                    before.take(sector, now);
                }
            }
            before.sectors &= ~written;
        });
        dirty.values().removeIf(before -> before.sectors == 0);
        if (sizeDirty && random.nextBoolean()) {
            durableSizeBytes = sizeBytes;
            sizeDirty = false;
        }
    }

    /** Any subset of the unsynced sectors survives: often none or all, to reach the extremes. */
    void crash(RandomGenerator random) {
        int fate = random.nextInt(4);
        dirty.forEach((number, before) -> {
            int lost = fate == 0 ? -1 : fate == 1 ? 0 : random.nextInt(1 << SECTORS_PER_CHUNK);
            restore(number, before, lost);
        });
        dropped.forEach((number, before) -> restore(number, before, -1));
        dirty.clear();
        dropped.clear();
        sizeBytes = sizeDirty ? sizeAfterCrash(random) : durableSizeBytes;
        cut(sizeBytes, false);
        durableSizeBytes = sizeBytes;
        sizeDirty = false;
    }

    private long sizeAfterCrash(RandomGenerator random) {
        return switch (random.nextInt(3)) {
            case 0 -> durableSizeBytes;
            case 1 -> sizeBytes;
            default -> {
                long low = Math.min(durableSizeBytes, sizeBytes);
                yield low + random.nextLong(Math.abs(durableSizeBytes - sizeBytes) + 1);
            }
        };
    }

    private void restore(long number, Before before, int which) {
        for (int sector = 0; sector < SECTORS_PER_CHUNK; sector++) {
            if (before.has(sector) && (which & 1 << sector) != 0) {
                byte[] chunk = chunks.get(number);
                if (before.bytes == ZERO_CHUNK && (chunk == null || chunk == ZERO_CHUNK)) {
                    continue;
                }
                if (chunk == null || chunk == ZERO_CHUNK) {
                    chunk = new byte[CHUNK_BYTES];
                    chunks.put(number, chunk);
                }
                System.arraycopy(before.bytes, sector * SECTOR_BYTES, chunk, sector * SECTOR_BYTES, SECTOR_BYTES);
            }
        }
    }

    /** Damages one byte, now and on the platter. */
    void flipByte(long position) {
        long number = position / CHUNK_BYTES;
        byte[] chunk = chunks.get(number);
        if (position >= sizeBytes) {
            throw new IllegalArgumentException("no byte at " + position + " in a file of " + sizeBytes + " bytes");
        }
        if (chunk == null || chunk == ZERO_CHUNK) {
            chunk = new byte[CHUNK_BYTES];
            chunks.put(number, chunk);
        }
        chunk[(int) (position % CHUNK_BYTES)] ^= 0x10;
    }

    int chunkCount() {
        return chunks.size();
    }

    /** Gives the room back when the last name is gone. */
    void free() {
        chunks.keySet().forEach(number -> room.giveBack());
    }
}
