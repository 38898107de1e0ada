package io.tidemark.runtime.durable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** An open file of the operating system. A write is one pwrite, a sync one fdatasync, and nothing else. */
final class RealFile implements DurableFile {
    private final Path path;
    private final FileChannel channel;
    /** Set for good by the first failed fsync; see D7: the kernel may since have marked the lost pages clean. */
    private boolean syncFailed;

    RealFile(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    @Override
    public void write(ByteBuffer bytes, long position) throws IOException {
        long at = position;
        try {
            while (bytes.hasRemaining()) {
                at += channel.write(bytes, at);
            }
        } catch (IOException e) {
            throw RealDisk.translated(path, e);
        }
    }

    @Override
    public int read(ByteBuffer into, long position) throws IOException {
        return channel.read(into, position);
    }

    @Override
    public void sync() throws IOException {
        if (syncFailed) {
            throw new SyncFailedException("an earlier fsync of " + path + " failed; it is not tried again", null);
        }
        try {
            channel.force(false);
        } catch (IOException e) {
            syncFailed = true;
            throw new SyncFailedException("fsync of " + path + " failed: " + e.getMessage(), e);
        }
    }

    @Override
    public void setSize(long sizeBytes) throws IOException {
        try {
            long now = channel.size();
            if (sizeBytes < now) {
                channel.truncate(sizeBytes);
            } else if (sizeBytes > now) {
                // FileChannel cannot extend; a zero as the last byte does, and leaves the rest a hole.
                write(ByteBuffer.allocate(1), sizeBytes - 1);
            }
        } catch (IOException e) {
            throw RealDisk.translated(path, e);
        }
    }

    @Override
    public long size() throws IOException {
        return channel.size();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
