package io.tidemark.runtime.durable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.locks.ReentrantLock;

/** An open file of the operating system. A write is one pwrite, a sync one fdatasync, and nothing else. */
final class RealFile implements DurableFile {
    private final Path path;
    private final boolean onlyRead;
    private volatile FileChannel channel;
    /** For whoever opens the file again: see {@link #read}. */
    private final ReentrantLock reopening = new ReentrantLock();

    private volatile boolean closed;
    /** Set for good by the first failed fsync; see D7: the kernel may since have marked the lost pages clean. */
    private boolean syncFailed;

    RealFile(Path path, FileChannel channel, boolean onlyRead) {
        this.path = path;
        this.channel = channel;
        this.onlyRead = onlyRead;
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

    /**
     * A thread that is interrupted while it reads closes the channel under all others, which is how the JDK has it. It gets its
     * exception; for the others, a file that is only read is opened again. One that is written is not: what an interrupted write
     * left is for its owner to judge.
     */
    @Override
    public int read(ByteBuffer into, long position) throws IOException {
        while (true) {
            FileChannel open = channel;
            try {
                return open.read(into, position);
            } catch (ClosedByInterruptException e) {
                throw e;
            } catch (ClosedChannelException e) {
                if (!onlyRead || closed) {
                    throw e;
                }
                reopen(open);
            }
        }
    }

    @SuppressWarnings("ReferenceEquality") // whether somebody has done it meanwhile
    private void reopen(FileChannel lost) throws IOException {
        reopening.lock();
        try {
            if (channel == lost && !closed) {
                channel = FileChannel.open(path, StandardOpenOption.READ);
            }
        } finally {
            reopening.unlock();
        }
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
        reopening.lock();
        try {
            closed = true;
            channel.close();
        } finally {
            reopening.unlock();
        }
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
