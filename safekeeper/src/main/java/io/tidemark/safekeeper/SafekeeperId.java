package io.tidemark.safekeeper;

import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DurableFile;
import io.tidemark.wire.id.NodeId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The file {@code safekeeper.id} of a data directory: the node id in decimal. Written once; a quorum counts on what the node of this id
 * has acknowledged, so the same data never answers under another one.
 */
final class SafekeeperId {
    private static final Path FILE = Path.of("safekeeper.id");
    private static final Path TEMPORARY = Path.of("safekeeper.id.tmp");
    private static final int MAX_BYTES = 64;

    private SafekeeperId() {}

    /** The id to start with: the one in the directory, or the wanted one, written down. */
    static NodeId settle(Disk disk, Optional<NodeId> wanted) throws IOException {
        if (disk.exists(FILE)) {
            NodeId stored = read(disk);
            if (wanted.isPresent() && !wanted.get().equals(stored)) {
                throw new IOException("this data directory belongs to safekeeper " + stored + ", not to " + wanted.get()
                        + ": the id of a safekeeper can't change; start it with --id " + stored
                        + " or another --data-dir");
            }
            return stored;
        }
        NodeId id = wanted.orElseThrow(
                () -> new IOException(
                        "this data directory is new: give the safekeeper an id with --id, one that no other safekeeper has or had"));
        write(disk, id);
        return id;
    }

    private static NodeId read(Disk disk) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(MAX_BYTES);
        try (DurableFile file = disk.open(FILE, Disk.Mode.READ)) {
            while (bytes.hasRemaining() && file.read(bytes, bytes.position()) > 0) {
                // until the end of the file
            }
        }
        String text = new String(bytes.array(), 0, bytes.position(), StandardCharsets.US_ASCII).strip();
        try {
            return new NodeId(Long.parseUnsignedLong(text));
        } catch (NumberFormatException e) {
            throw new IOException("safekeeper.id does not hold a number but '" + text + "'", e);
        }
    }

    private static void write(Disk disk, NodeId id) throws IOException {
        try (DurableFile file = disk.open(TEMPORARY, Disk.Mode.CREATE_OR_TRUNCATE)) {
            file.write(ByteBuffer.wrap((id + "\n").getBytes(StandardCharsets.US_ASCII)), 0);
            file.sync();
        }
        disk.rename(TEMPORARY, FILE);
        disk.syncDirectory(Path.of(""));
    }
}
