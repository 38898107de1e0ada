package io.tidemark.pageserver.layer;

import io.tidemark.pageserver.layer.file.CorruptLayerException;
import io.tidemark.pageserver.layer.file.CorruptLayerException.Reason;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DurableFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** The manifest's place on disk: replaced as a whole, so that it is always the old one or the new one. */
final class ManifestStore {
    static final String NAME = "MANIFEST";
    static final String TEMPORARY = "MANIFEST.tmp";

    private final Disk disk;
    private final Path directory;

    ManifestStore(Disk disk, Path directory) {
        this.disk = disk;
        this.directory = directory;
    }

    Path path() {
        return directory.resolve(NAME);
    }

    byte[] read() throws IOException {
        try (DurableFile file = disk.open(path(), Disk.Mode.READ)) {
            long size = file.size();
            if (size > ManifestFormat.MAX_BYTES) {
                throw new CorruptLayerException(path().toString(), Reason.DAMAGED, size + " bytes long");
            }
            ByteBuffer bytes = ByteBuffer.allocate((int) size);
            while (bytes.hasRemaining()) {
                if (file.read(bytes, bytes.position()) < 0) {
                    throw new CorruptLayerException(path().toString(), Reason.DAMAGED, "shrinks while it is read");
                }
            }
            return bytes.array();
        }
    }

    /** When it returns, the new manifest is durable, and so are all names in the directory. */
    void replace(ByteBuffer manifest) throws IOException {
        Path temporary = directory.resolve(TEMPORARY);
        try (DurableFile file = disk.open(temporary, Disk.Mode.CREATE_OR_TRUNCATE)) {
            file.write(manifest, 0);
            file.sync();
        }
        disk.rename(temporary, path());
        disk.syncDirectory(directory);
    }
}
