package io.tidemark.runtime.durable;

import java.io.IOException;
import java.nio.ByteBuffer;

/** A file that does what another one does; see {@link ForwardingDisk}. */
public abstract class ForwardingFile implements DurableFile {
    private final DurableFile file;

    protected ForwardingFile(DurableFile file) {
        this.file = file;
    }

    @Override
    public void write(ByteBuffer bytes, long position) throws IOException {
        file.write(bytes, position);
    }

    @Override
    public int read(ByteBuffer into, long position) throws IOException {
        return file.read(into, position);
    }

    @Override
    public void sync() throws IOException {
        file.sync();
    }

    @Override
    public void setSize(long sizeBytes) throws IOException {
        file.setSize(sizeBytes);
    }

    @Override
    public long size() throws IOException {
        return file.size();
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
