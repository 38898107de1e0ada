package io.tidemark.shim.link;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.tidemark.wire.id.Lsn;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The recent WAL of one compute in memory: consecutive bytes in chunks off the heap, the oldest chunk dropped first.
 *
 * <p>Owner: the event loop of the shim. Holds {@code [startLsn, endLsn)}. Chunks begin at multiples of {@link #CHUNK_BYTES}, so a
 * position finds its chunk by arithmetic. A slice that was handed out keeps its chunk alive beyond the drop; what a connection may
 * hold that way is bounded by its own limit of unsent bytes.
 *
 * <p>The buffer never grows past its capacity. Whoever appends asks {@link #isFull} first: a chunk may only go when nobody who
 * counts for the quorum still has to be sent its bytes.
 */
public final class WalBuffer implements AutoCloseable {
    /** The unit of allocation and of forgetting, in bytes. */
    public static final int CHUNK_BYTES = 1 << 20;

    /** The smallest capacity: below it the room for what one socket read may still bring would be all there is. */
    public static final int MIN_CAPACITY_BYTES = 8 * CHUNK_BYTES;

    // A paused socket may still deliver what the event loop has already taken from the kernel.
    private static final int HEADROOM_BYTES = 3 * CHUNK_BYTES;

    private final ByteBufAllocator allocator;
    private final int maxChunks;
    private final ArrayDeque<Chunk> chunks = new ArrayDeque<>();
    private Lsn startLsn = Lsn.INVALID;
    private Lsn endLsn = Lsn.INVALID;

    /** @param capacityBytes at least {@link #MIN_CAPACITY_BYTES}; rounded down to whole chunks */
    public WalBuffer(ByteBufAllocator allocator, int capacityBytes) {
        if (capacityBytes < MIN_CAPACITY_BYTES) {
            throw new IllegalArgumentException(
                    "a WAL buffer of " + capacityBytes + " bytes is too small (minimum " + MIN_CAPACITY_BYTES + ")");
        }
        this.allocator = allocator;
        this.maxChunks = capacityBytes / CHUNK_BYTES;
    }

    /** Forgets everything; the next byte to come is {@code at}. */
    public void restartAt(Lsn at) {
        close();
        startLsn = at;
        endLsn = at;
    }

    /** The oldest position held. */
    public Lsn startLsn() {
        return startLsn;
    }

    /** The position of the next byte to come. */
    public Lsn endLsn() {
        return endLsn;
    }

    /** Off-heap memory held, in bytes. */
    public long allocatedBytes() {
        return (long) chunks.size() * CHUNK_BYTES;
    }

    /** Whether more WAL may force bytes at or above {@code neededLsn} out; then the source has to stop reading. */
    public boolean isFull(Lsn neededLsn) {
        Lsn floor = neededLsn.max(startLsn);
        return endLsn.minus(floor) > (long) maxChunks * CHUNK_BYTES - HEADROOM_BYTES;
    }

    public boolean holds(Lsn beginLsn) {
        return beginLsn.isAtLeast(startLsn) && beginLsn.isAtMost(endLsn);
    }

    /**
     * Appends the readable bytes of {@code wal}, which are consumed; the caller keeps its reference.
     *
     * @throws IllegalStateException when {@code beginLsn} is not {@link #endLsn}
     */
    public void append(Lsn beginLsn, ByteBuf wal) {
        if (!beginLsn.equals(endLsn)) {
            throw new IllegalStateException("WAL at " + beginLsn + " does not continue the buffer's " + endLsn);
        }
        while (wal.isReadable()) {
            Chunk last = chunks.peekLast();
            if (last == null || !last.baseLsn.plus(CHUNK_BYTES).isAfter(endLsn)) {
                last = addChunk();
            }
            int offset = last.offsetOf(endLsn);
            int count = Math.min(wal.readableBytes(), CHUNK_BYTES - offset);
            wal.readBytes(last.bytes, offset, count);
            endLsn = endLsn.plus(count);
        }
    }

    private Chunk addChunk() {
        if (chunks.size() == maxChunks) {
            Chunk dropped = chunks.removeFirst();
            dropped.bytes.release();
            startLsn = dropped.baseLsn.plus(CHUNK_BYTES);
        }
        long offset = Long.remainderUnsigned(endLsn.value(), CHUNK_BYTES);
        Chunk chunk = new Chunk(endLsn.plus(-offset), allocator.directBuffer(CHUNK_BYTES, CHUNK_BYTES));
        chunks.addLast(chunk);
        return chunk;
    }

    /**
     * The bytes {@code [beginLsn, endLsn)} without copying; the caller releases them.
     *
     * @return null when the beginning is no longer held
     * @throws IllegalStateException when the end has not arrived yet
     */
    public @Nullable ByteBuf slice(Lsn beginLsn, Lsn endLsn) {
        if (endLsn.isAfter(this.endLsn)) {
            throw new IllegalStateException(
                    "WAL up to " + endLsn + " was asked for, the buffer ends at " + this.endLsn);
        }
        if (beginLsn.isBefore(startLsn)) {
            return null;
        }
        ByteBuf slice = Unpooled.EMPTY_BUFFER;
        for (Chunk chunk : chunks) {
            Lsn from = beginLsn.max(chunk.baseLsn);
            Lsn to = endLsn.min(chunk.baseLsn.plus(CHUNK_BYTES));
            if (from.isBefore(to)) {
                ByteBuf part = chunk.bytes.retainedSlice(chunk.offsetOf(from), (int) to.minus(from));
                slice = slice.isReadable() ? Unpooled.wrappedBuffer(slice, part) : part;
            }
        }
        return slice;
    }

    /** Releases all memory; the positions stay. */
    @Override
    public void close() {
        chunks.forEach(chunk -> chunk.bytes.release());
        chunks.clear();
        startLsn = endLsn;
    }

    private record Chunk(Lsn baseLsn, ByteBuf bytes) {
        int offsetOf(Lsn lsn) {
            return (int) lsn.minus(baseLsn);
        }
    }
}
