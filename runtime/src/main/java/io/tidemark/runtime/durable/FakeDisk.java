package io.tidemark.runtime.durable;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A disk in memory that loses what was not synced when it crashes, fills up, fails an fsync and rots, all on request and all
 * decided by the caller's random generator: one seed gives one story.
 *
 * <p>What survives a {@link #crash}: all that was synced; of the unsynced contents any subset of 512-byte sectors and any size
 * between the old and the new; of the unsynced names a prefix or any subset of the operations, a rename being atomic. After a
 * failed fsync the bytes are lost even when the next one succeeds, as Linux has it.
 *
 * <p>Handles that were open before a crash answer with {@link PowerLossException}. Safe for use by several threads. Pass a
 * generator whose first values depend on its seed, such as {@link java.util.SplittableRandom}: {@code java.util.Random} starts alike
 * for all small seeds.
 */
public final class FakeDisk implements Disk {
    private final FakeDirectory root = new FakeDirectory();
    private final FakeNames names = new FakeNames();
    private final Set<Path> locks = new HashSet<>();
    private long capacityBytes;
    private long usedBytes;
    private final FakeFaults faults = new FakeFaults();

    private final FakeContents.Room room = new FakeContents.Room() {
        @Override
        public void take() throws DiskFullException {
            if (usedBytes + FakeContents.CHUNK_BYTES > capacityBytes) {
                throw new DiskFullException("no space left: " + usedBytes + " of " + capacityBytes + " bytes used");
            }
            usedBytes += FakeContents.CHUNK_BYTES;
        }

        @Override
        public void giveBack() {
            usedBytes -= FakeContents.CHUNK_BYTES;
        }
    };

    /** Of 1 TiB. */
    public FakeDisk() {
        this(1L << 40);
    }

    public FakeDisk(long capacityBytes) {
        this.capacityBytes = capacityBytes;
    }

    /** May be below what is used: then nothing more fits. */
    public synchronized void setCapacity(long capacityBytes) {
        this.capacityBytes = capacityBytes;
    }

    /** Writes, syncs, renames and the like so far: what {@link #losePowerDuring} counts. Reads are not counted. */
    public synchronized long operations() {
        return faults.operations();
    }

    /**
     * Lets power fail during the {@code n}-th operation from now, counted from 1. A sync then does nothing; any other operation
     * takes place, unsynced. It and everything after it throws {@link PowerLossException}, until {@link #crash}.
     */
    public synchronized void losePowerDuring(int n) {
        faults.losePowerDuring(n);
    }

    /** Power fails now. */
    public synchronized void losePower() {
        faults.losePower();
    }

    public synchronized boolean hasLostPower() {
        return faults.hasLostPower();
    }

    /** The next sync, of a file or a directory, throws {@link SyncFailedException} and drops what it should have saved. */
    public synchronized void failNextSync() {
        faults.failSyncAfter(0);
    }

    /** The same for the sync after {@code good} ones that succeed. */
    public synchronized void failSyncAfter(int good) {
        faults.failSyncAfter(good);
    }

    /** Lets some unsynced bytes and names become durable, as they may at any time. */
    public synchronized void writeBack(RandomGenerator random) {
        contentsBelow(root).forEach(contents -> contents.writeBack(random));
        names.writeBack(random);
    }

    /** Power is lost, if it was not already, and comes back: the disk holds what survived, and works. */
    public synchronized void crash(RandomGenerator random) {
        faults.crash();
        locks.clear();
        names.crash(root, random);
        List<FakeContents> survivors = contentsBelow(root);
        survivors.forEach(contents -> contents.crash(random));
        usedBytes = survivors.stream()
                .mapToLong(contents -> (long) contents.chunkCount() * FakeContents.CHUNK_BYTES)
                .sum();
    }

    /** Damages the byte at {@code position} of a file: bit rot, durable at once. */
    public synchronized void flipByte(Path file, long position) throws IOException {
        contents(file).flipByte(position);
    }

    private static List<FakeContents> contentsBelow(FakeDirectory directory) {
        List<FakeContents> found = new ArrayList<>();
        for (FakeNode node : directory.now.values()) {
            switch (node) {
                case FakeContents contents -> found.add(contents);
                case FakeDirectory child -> found.addAll(contentsBelow(child));
            }
        }
        return found;
    }

    @Override
    public synchronized DurableFile open(Path file, Mode mode) throws IOException {
        faults.requirePower();
        FakeNode node = find(file);
        if (node instanceof FakeDirectory) {
            throw new IOException(file + " is a directory");
        }
        return switch (mode) {
            case READ -> new FakeFile(this, faults, contents(file), file, false);
            case READ_WRITE -> new FakeFile(this, faults, contents(file), file, true);
            case CREATE_NEW -> {
                if (node != null) {
                    throw new FileAlreadyExistsException(file.toString());
                }
                yield new FakeFile(this, faults, create(file), file, true);
            }
            case CREATE_OR_TRUNCATE -> {
                if (node == null) {
                    yield new FakeFile(this, faults, create(file), file, true);
                }
                boolean last = faults.beginOperation();
                contents(file).setSize(0);
                faults.endOperation(last);
                yield new FakeFile(this, faults, contents(file), file, true);
            }
        };
    }

    private FakeContents create(Path file) throws IOException {
        FakeNames.Entry entry = entry(file);
        boolean last = faults.beginOperation();
        FakeContents contents = new FakeContents(room);
        names.link(contents, entry);
        faults.endOperation(last);
        return contents;
    }

    @Override
    public synchronized boolean exists(Path path) {
        faults.requirePower();
        return find(path) != null;
    }

    @Override
    public synchronized void createDirectory(Path directory) throws IOException {
        faults.requirePower();
        switch (find(directory)) {
            case FakeDirectory existing -> {}
            case FakeContents file -> throw new FileAlreadyExistsException(directory.toString());
            case null -> {
                FakeNames.Entry entry = entry(directory);
                boolean last = faults.beginOperation();
                names.link(new FakeDirectory(), entry);
                faults.endOperation(last);
            }
        }
    }

    @Override
    public synchronized List<String> list(Path directory) throws IOException {
        faults.requirePower();
        return List.copyOf(directory(directory).now.keySet());
    }

    @Override
    public synchronized boolean isDirectory(Path path) {
        faults.requirePower();
        return find(path) instanceof FakeDirectory;
    }

    @Override
    public synchronized void rename(Path from, Path to) throws IOException {
        faults.requirePower();
        FakeNode node = require(from);
        FakeNode replaced = find(to);
        FakeNames.Entry source = entry(from);
        FakeNames.Entry target = entry(to);
        if (replaced == node) {
            return;
        }
        if (replaced instanceof FakeDirectory directory
                && !(node instanceof FakeDirectory && directory.now.isEmpty())) {
            throw new IOException(to + " is a directory, and not an empty one");
        }
        if (replaced instanceof FakeContents && node instanceof FakeDirectory) {
            throw new NotDirectoryException(to.toString());
        }
        boolean last = faults.beginOperation();
        names.move(node, source, target);
        if (replaced instanceof FakeContents contents) {
            contents.free();
        }
        faults.endOperation(last);
    }

    @Override
    public synchronized void delete(Path path) throws IOException {
        faults.requirePower();
        FakeNode node = require(path);
        if (node instanceof FakeDirectory directory && !directory.now.isEmpty()) {
            throw new DirectoryNotEmptyException(path.toString());
        }
        FakeNames.Entry entry = entry(path);
        boolean last = faults.beginOperation();
        names.unlink(node, entry);
        if (node instanceof FakeContents contents) {
            contents.free();
        }
        faults.endOperation(last);
    }

    @Override
    public synchronized void syncDirectory(Path path) throws IOException {
        FakeDirectory directory = directory(path);
        if (faults.nextSyncFails()) {
            throw new SyncFailedException("fsync of directory " + path + " failed, as the test wished", null);
        }
        names.sync(directory);
    }

    @Override
    public synchronized Space space() {
        faults.requirePower();
        return new Space(capacityBytes, Math.max(0, capacityBytes - usedBytes));
    }

    @Override
    public synchronized Closeable lock(Path lockFile) throws IOException {
        faults.requirePower();
        Path path = lockFile.normalize();
        if (find(path) == null) {
            create(path);
        }
        if (!locks.add(path)) {
            throw new DiskLockedException(path + " is locked");
        }
        int bornIn = faults.crashes();
        return new Closeable() {
            private boolean released;

            @Override
            public void close() {
                synchronized (FakeDisk.this) {
                    if (!released && bornIn == faults.crashes()) {
                        locks.remove(path);
                    }
                    released = true;
                }
            }
        };
    }

    private @Nullable FakeNode find(Path path) {
        FakeNode node = root;
        for (Path part : checked(path)) {
            if (part.toString().isEmpty()) {
                continue;
            }
            FakeNode child = node instanceof FakeDirectory directory ? directory.now.get(part.toString()) : null;
            if (child == null) {
                return null;
            }
            node = child;
        }
        return node;
    }

    private static Path checked(Path path) {
        Path normal = path.normalize();
        if (path.isAbsolute() || normal.startsWith("..")) {
            throw new IllegalArgumentException("not a path below the disk's root: " + path);
        }
        return normal;
    }

    private FakeNode require(Path path) throws NoSuchFileException {
        FakeNode node = find(path);
        if (node == null) {
            throw new NoSuchFileException(path.toString());
        }
        return node;
    }

    private FakeContents contents(Path file) throws IOException {
        if (require(file) instanceof FakeContents contents) {
            return contents;
        }
        throw new IOException(file + " is a directory");
    }

    private FakeDirectory directory(Path path) throws IOException {
        faults.requirePower();
        if (require(path) instanceof FakeDirectory directory) {
            return directory;
        }
        throw new NotDirectoryException(path.toString());
    }

    /** The place of a name in its directory, which must exist. */
    private FakeNames.Entry entry(Path path) throws IOException {
        Path normal = checked(path);
        Path parent = normal.getParent();
        Path name = normal.getFileName();
        if (name == null || name.toString().isEmpty()) {
            throw new IOException("the root of the disk has no name");
        }
        return new FakeNames.Entry(parent == null ? root : directory(parent), name.toString());
    }
}
