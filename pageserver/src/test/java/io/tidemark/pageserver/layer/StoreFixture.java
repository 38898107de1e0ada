package io.tidemark.pageserver.layer;

import io.tidemark.pageserver.key.Key;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;

/** A store of small sizes on some disk, its model beside it. Flushes run on the thread that freezes. */
public final class StoreFixture {
    public static final Path DIRECTORY = Path.of("timeline");
    public static final LayerConfig SMALL =
            new LayerConfig(4096, 1 << 20, Duration.ofMinutes(1), 1 << 20, 2, 100, 512, 1);

    public final Disk disk;
    public final LayerConfig config;
    public final VersionModel model = new VersionModel();
    public final List<Lsn> diskConsistent = new ArrayList<>();
    public LayerStore store;
    public Lsn last = Lsn.INVALID;

    public StoreFixture(Disk disk) throws IOException {
        this(disk, SMALL, Runnable::run);
    }

    public StoreFixture(Disk disk, LayerConfig config, Executor executor) throws IOException {
        this.disk = disk;
        this.config = config;
        this.store = open(executor);
    }

    private LayerStore open(Executor executor) throws IOException {
        return LayerStore.open(
                disk,
                DIRECTORY,
                config,
                Lsn.INVALID,
                executor,
                LayerStoreListener.ofDiskConsistentLsn(diskConsistent::add));
    }

    /** Closes and opens; what was not durable is gone from the model too. */
    public void reopen() throws IOException {
        store.close();
        openAgain();
    }

    /** Opens after a crash. */
    public void openAgain() throws IOException {
        store = open(Runnable::run);
        last = store.diskConsistentLsn();
        model.cut(last);
    }

    public void put(Key key, long lsn, boolean base, byte[] bytes) throws IOException {
        store.put(key, Lsn.of(lsn), base, bytes, 0, bytes.length);
        model.put(key, Lsn.of(lsn), base, bytes);
        last = Lsn.of(lsn);
    }

    /** A block of a relation. */
    public static Key block(int relation, int block) {
        return new Key(0x067F000000L << 16 | relation >>> 24, (long) relation << 40 | Integer.toUnsignedLong(block));
    }
}
