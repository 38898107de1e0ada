package io.tidemark.pageserver.basebackup;

import io.tidemark.pageserver.timeline.ReadException;
import io.tidemark.wire.tar.TarHeader;
import java.io.IOException;
import java.io.OutputStream;

/** Writes a data directory as a tar. What was not written to its end has no end marker. */
public final class TarBackup {
    private static final byte[] ZEROS = new byte[TarHeader.BLOCK_BYTES];

    private final OutputStream out;
    private final long modifiedSeconds;
    private final byte[] block = new byte[DirectoryEntry.BLOCK_BYTES];

    private TarBackup(OutputStream out, long modifiedSeconds) {
        this.out = out;
        this.modifiedSeconds = modifiedSeconds;
    }

    /**
     * Writes all of it; flushes and closes nothing.
     *
     * @param modifiedSeconds since 1970: what the files' times say
     */
    public static void write(DataDirectory directory, long modifiedSeconds, OutputStream out)
            throws IOException, ReadException {
        TarBackup tar = new TarBackup(out, modifiedSeconds);
        directory.walk(tar::entry);
        out.write(ZEROS);
        out.write(ZEROS);
    }

    private void entry(DirectoryEntry entry) throws IOException, ReadException {
        switch (entry) {
            case DirectoryEntry.Directory(String path) ->
                out.write(TarHeader.directory(path, modifiedSeconds).encode());
            case DirectoryEntry.File file -> file(file);
        }
    }

    private void file(DirectoryEntry.File file) throws IOException, ReadException {
        out.write(TarHeader.file(file.path(), file.sizeBytes(), modifiedSeconds).encode());
        long left = file.sizeBytes();
        try (DirectoryEntry.Blocks blocks = file.content().open()) {
            for (int number = 0; left > 0; number++) {
                blocks.read(number, block);
                int length = (int) Math.min(left, block.length);
                out.write(block, 0, length);
                left -= length;
            }
        }
        out.write(ZEROS, 0, TarHeader.paddingBytes(file.sizeBytes()));
    }
}
