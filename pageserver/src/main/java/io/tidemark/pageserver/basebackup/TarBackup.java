package io.tidemark.pageserver.basebackup;

import io.tidemark.pageserver.timeline.ReadException;
import io.tidemark.wire.tar.TarHeader;
import java.io.IOException;
import java.io.OutputStream;

/** Writes a data directory as a tar. What was not written to its end has no end marker. */
public final class TarBackup {
    /** Neighbours share what they are made from; see {@link DirectoryEntry.Blocks}. */
    private static final int BATCH_BLOCKS = 32;

    private static final byte[] ZEROS = new byte[TarHeader.BLOCK_BYTES];

    private final OutputStream out;
    private final long modifiedSeconds;
    private final byte[] block = new byte[DirectoryEntry.BLOCK_BYTES];
    private final byte[] batch = new byte[BATCH_BLOCKS * DirectoryEntry.BLOCK_BYTES];

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
        for (int number = 0; left > 0; number += BATCH_BLOCKS) {
            int length = (int) Math.min(left, batch.length);
            read(file, number, length);
            out.write(batch, 0, length);
            left -= length;
        }
        out.write(ZEROS, 0, TarHeader.paddingBytes(file.sizeBytes()));
    }

    /** Closed before anything is written: a client that does not read holds no layers of the timeline. */
    private void read(DirectoryEntry.File file, int first, int length) throws ReadException {
        try (DirectoryEntry.Blocks blocks = file.content().open()) {
            for (int from = 0; from < length; from += DirectoryEntry.BLOCK_BYTES) {
                blocks.read(first + from / DirectoryEntry.BLOCK_BYTES, block);
                System.arraycopy(block, 0, batch, from, DirectoryEntry.BLOCK_BYTES);
            }
        }
    }
}
