package io.tidemark.runtime.durable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** An open file of a {@link FakeDisk}; useless after a crash. */
final class FakeFile implements DurableFile {
    private final FakeDisk disk;
    private final FakeFaults faults;
    private final FakeContents contents;
    private final Path path;
    private final boolean writable;
    private final int bornIn;
    private boolean closed;

    FakeFile(FakeDisk disk, FakeFaults faults, FakeContents contents, Path path, boolean writable) {
        this.disk = disk;
        this.faults = faults;
        this.contents = contents;
        this.path = path;
        this.writable = writable;
        this.bornIn = faults.crashes();
    }

    private void requireUsable(boolean forWriting) throws IOException {
        faults.requirePower();
        if (bornIn != faults.crashes()) {
            throw new PowerLossException(path + " was opened before the crash");
        }
        if (closed) {
            throw new IOException(path + " is closed");
        }
        if (forWriting && !writable) {
            throw new IOException(path + " is open for reading only");
        }
    }

    @Override
    public void write(ByteBuffer bytes, long position) throws IOException {
        synchronized (disk) {
            requireUsable(true);
            boolean last = faults.beginOperation();
            contents.write(bytes, position);
            faults.endOperation(last);
        }
    }

    @Override
    public int read(ByteBuffer into, long position) throws IOException {
        synchronized (disk) {
            requireUsable(false);
            return contents.read(into, position);
        }
    }

    @Override
    public void sync() throws IOException {
        synchronized (disk) {
            requireUsable(false);
            if (faults.nextSyncFails()) {
                contents.dropUnsynced();
                throw new SyncFailedException("fsync of " + path + " failed, as the test wished", null);
            }
            contents.sync();
        }
    }

    @Override
    public void setSize(long sizeBytes) throws IOException {
        synchronized (disk) {
            requireUsable(true);
            boolean last = faults.beginOperation();
            contents.setSize(sizeBytes);
            faults.endOperation(last);
        }
    }

    @Override
    public long size() throws IOException {
        synchronized (disk) {
            requireUsable(false);
            return contents.sizeBytes();
        }
    }

    @Override
    public void close() {
        synchronized (disk) {
            closed = true;
        }
    }
}
