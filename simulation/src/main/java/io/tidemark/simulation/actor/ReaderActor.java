package io.tidemark.simulation.actor;

import io.tidemark.simulation.world.Dice;
import io.tidemark.simulation.world.Host;
import io.tidemark.wire.id.Lsn;
import org.jspecify.annotations.Nullable;

/** A pageserver's ingest: reads committed WAL from one safekeeper after the other, and must see one sequence of bytes. */
public final class ReaderActor {
    private static final int READ_BYTES = 256 * 1024;

    private final World world;
    private final Host host;
    private final Dice dice;
    private @Nullable Lsn position;

    public ReaderActor(World world, int number) {
        this.world = world;
        this.host = world.host("r" + number);
        this.dice = world.dice("reader" + number);
    }

    public Host host() {
        return host;
    }

    public void begin() {
        world.queue().after(dice.between(100_000L, 3_000_000L), this::read);
    }

    private void read() {
        SafekeeperActor from = dice.pick(world.safekeepers());
        Lsn at = position;
        world.<CommittedWal>call(host, from, () -> from.readCommitted(at, READ_BYTES), wal -> {
            if (wal != null && (position == null || wal.from().equals(position))) {
                world.cluster().readerSaw(host.name(), wal.from(), wal.bytes());
                position = wal.from().plus(wal.bytes().length);
            }
        });
        begin();
    }

    /** Bytes that a safekeeper gave as committed. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record CommittedWal(Lsn from, byte[] bytes) {}
}
