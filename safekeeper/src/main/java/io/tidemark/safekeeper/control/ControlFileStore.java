package io.tidemark.safekeeper.control;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DurableFile;
import io.tidemark.runtime.durable.SyncFailedException;
import io.tidemark.safekeeper.acceptor.AcceptorState;
import io.tidemark.safekeeper.control.InvalidControlFileException.Reason;
import io.tidemark.wire.id.TenantTimelineId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * The control file of one timeline: replaced as one, by a synced file under another name, a rename, and a sync of the directory.
 *
 * <p>Owner: the timeline's owner. When {@link #save} throws, the file holds the state before it or the new one. After a failed
 * fsync nobody knows which, and every later save is refused.
 */
public final class ControlFileStore {
    public static final String FILE_NAME = "safekeeper.control";
    public static final String PARTIAL_NAME = FILE_NAME + ".partial";

    private final Disk disk;
    private final Path directory;
    private boolean syncFailed;

    /** In the timeline's directory, which exists. */
    public ControlFileStore(Disk disk, Path directory) {
        this.disk = disk;
        this.directory = directory;
    }

    /**
     * Reads the file.
     *
     * @throws java.nio.file.NoSuchFileException when there is none
     * @throws InvalidControlFileException when it cannot be used
     */
    public AcceptorState load() throws IOException {
        Path path = directory.resolve(FILE_NAME);
        try (DurableFile file = disk.open(path, Disk.Mode.READ)) {
            long size = file.size();
            if (size > ControlFileFormat.MAX_BYTES) {
                throw new InvalidControlFileException(Reason.CORRUPT, "a control file of " + size + " bytes");
            }
            ByteBuffer bytes = ByteBuffer.allocate((int) size);
            while (bytes.hasRemaining() && file.read(bytes, bytes.position()) >= 0) {
                // read() may stop early; go on where it did
            }
            return ControlFileFormat.decode(Unpooled.wrappedBuffer(bytes.flip()));
        } catch (InvalidControlFileException e) {
            throw new InvalidControlFileException(e.reason(), path + ": " + e.getMessage(), e);
        }
    }

    /**
     * Reads the file and refuses one that belongs to another timeline.
     *
     * @throws InvalidControlFileException also when it is a sound file of another timeline
     */
    public AcceptorState requireOf(TenantTimelineId ttid) throws IOException {
        AcceptorState state = load();
        if (!state.ttid().equals(ttid)) {
            throw new InvalidControlFileException(
                    Reason.FOREIGN,
                    directory.resolve(FILE_NAME) + " belongs to timeline " + state.ttid() + ", and not to " + ttid
                            + ": was the directory copied or moved? Give it its own name back, or remove it and pull the"
                            + " timeline anew");
        }
        return state;
    }

    /** Durably replaces the file; on return a crash leaves the new one. */
    public void save(AcceptorState state) throws IOException {
        if (syncFailed) {
            throw new SyncFailedException("an earlier fsync of " + directory.resolve(FILE_NAME) + " failed", null);
        }
        ByteBuf bytes = ControlFileFormat.encode(state);
        Path partial = directory.resolve(PARTIAL_NAME);
        try {
            try (DurableFile file = disk.open(partial, Disk.Mode.CREATE_OR_TRUNCATE)) {
                file.write(bytes.nioBuffer(), 0);
                file.sync();
            }
            disk.rename(partial, directory.resolve(FILE_NAME));
            disk.syncDirectory(directory);
        } catch (SyncFailedException e) {
            syncFailed = true;
            throw e;
        }
    }
}
