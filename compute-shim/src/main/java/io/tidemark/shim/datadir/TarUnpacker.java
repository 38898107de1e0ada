package io.tidemark.shim.datadir;

import io.tidemark.wire.tar.InvalidTarException;
import io.tidemark.wire.tar.TarHeader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Unpacks the tar of a data directory, and takes nothing else: plain files and directories with plain relative paths, no name twice, no
 * file larger than PostgreSQL makes them, pg_control among them, an end marker at the end.
 */
final class TarUnpacker {
    static final Set<PosixFilePermission> DIRECTORY_MODE = PosixFilePermissions.fromString("rwx------");
    private static final Set<PosixFilePermission> FILE_MODE = PosixFilePermissions.fromString("rw-------");

    /** A relation's segment, and the largest WAL segment. */
    private static final long MAX_FILE_BYTES = 1L << 30;

    private static final int MAX_ENTRIES = 50_000_000;
    private static final int MAX_DEPTH = 8;
    private static final int BUFFER_BYTES = 64 << 10;
    private static final String CONTROL_FILE = "global/pg_control";

    private final InputStream in;
    private final Path target;
    private final byte[] header = new byte[TarHeader.BLOCK_BYTES];
    private final byte[] buffer = new byte[BUFFER_BYTES];

    TarUnpacker(InputStream in, Path target) {
        this.in = in;
        this.target = target;
    }

    /** Unpacks up to the end marker, and reads the stream to its end. */
    void run() throws IOException {
        boolean complete = false;
        for (int entries = 0; nextHeader(); entries++) {
            if (entries == MAX_ENTRIES) {
                throw new InvalidTarException("the data directory has more than " + MAX_ENTRIES + " entries");
            }
            TarHeader entry = TarHeader.decode(header);
            Path path = resolve(entry);
            if (entry.type() == TarHeader.DIRECTORY) {
                makeDirectories(path);
            } else {
                makeDirectories(path.getParent());
                unpack(entry, path);
                complete |= entry.name().equals(CONTROL_FILE);
            }
        }
        if (!complete) {
            throw new InvalidTarException("the data directory has no " + CONTROL_FILE);
        }
        while (in.read(buffer) >= 0) {
            // Whatever pads the archive; an error of the server may still come behind it.
        }
    }

    private boolean nextHeader() throws IOException {
        readFully(header, header.length);
        if (!TarHeader.isEnd(header)) {
            return true;
        }
        readFully(header, header.length);
        if (!TarHeader.isEnd(header)) {
            throw new InvalidTarException("a block of zeros in the middle of the tar");
        }
        return false;
    }

    private Path resolve(TarHeader entry) throws InvalidTarException {
        boolean directory = entry.type() == TarHeader.DIRECTORY;
        if (!directory && entry.type() != TarHeader.FILE) {
            throw refused(entry, "it is neither a file nor a directory");
        }
        if (entry.sizeBytes() > (directory ? 0 : MAX_FILE_BYTES)) {
            throw refused(entry, "it has " + entry.sizeBytes() + " bytes");
        }
        String name = entry.name();
        if (directory && name.endsWith("/")) {
            name = name.substring(0, name.length() - 1);
        }
        String[] parts = name.split("/", -1);
        for (String part : parts) {
            if (part.isEmpty() || part.equals(".") || part.equals("..") || part.indexOf('\\') >= 0) {
                throw refused(entry, "its path may leave the data directory");
            }
        }
        if (parts.length > MAX_DEPTH) {
            throw refused(entry, "its path is too deep");
        }
        try {
            return target.resolve(name);
        } catch (InvalidPathException e) {
            throw refused(entry, "its path is none");
        }
    }

    private static InvalidTarException refused(TarHeader entry, String why) {
        return new InvalidTarException("'" + entry.name() + "' does not belong into a data directory: " + why);
    }

    private void makeDirectories(@Nullable Path directory) throws IOException {
        if (directory == null || Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        makeDirectories(directory.getParent());
        Files.createDirectory(directory, PosixFilePermissions.asFileAttribute(DIRECTORY_MODE));
    }

    private void unpack(TarHeader entry, Path path) throws IOException {
        try (OutputStream out = Files.newOutputStream(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            long left = entry.sizeBytes();
            while (left > 0) {
                int n = (int) Math.min(left, buffer.length);
                readFully(buffer, n);
                out.write(buffer, 0, n);
                left -= n;
            }
        }
        Files.setPosixFilePermissions(path, FILE_MODE);
        readFully(header, TarHeader.paddingBytes(entry.sizeBytes()));
    }

    private void readFully(byte[] into, int length) throws IOException {
        if (in.readNBytes(into, 0, length) != length) {
            throw new EOFException("the data directory ends before its end marker");
        }
    }
}
