package io.tidemark.wire.tar;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;

/**
 * The block before a file's content in a tar, as GNU tar and Neon's pageserver write it.
 *
 * <pre>
 *    0 name(100) | 100 mode(8) | 108 uid(8) | 116 gid(8) | 124 size(12) | 136 mtime(12) | 148 checksum(8) | 156 type(1)
 *  157 linkname(100) | 257 magic(8) = "ustar  " NUL | 265 uname(32) gname(32) devmajor(8) devminor(8) prefix(155) | 500 zeros
 *
 *   numbers: octal digits, NUL at the end      type: NUL or '0' a file, '5' a directory
 *   checksum: the sum of all bytes of the block, those of the checksum taken as spaces
 *   owner, devices, linkname: zeros when written here, not looked at when read
 * </pre>
 *
 * <p>Content follows, padded with zeros to a multiple of the block; two blocks of zeros are the end.
 *
 * @param name relative to the root, with slashes; at most {@value #MAX_NAME_BYTES} bytes when written
 * @param type {@link #FILE}, {@link #DIRECTORY}, or what else was read
 * @param mode permission bits
 * @param sizeBytes of the content; 0 for a directory
 * @param modifiedSeconds since 1970
 */
public record TarHeader(String name, char type, int mode, long sizeBytes, long modifiedSeconds) {
    public static final int BLOCK_BYTES = 512;

    /** There is no way to write a longer name without extensions. */
    public static final int MAX_NAME_BYTES = 100;

    /** A size of eleven octal digits is less than this. */
    public static final long MAX_SIZE_BYTES = 1L << 33;

    public static final char FILE = '0';
    public static final char DIRECTORY = '5';

    private static final int MODE = 100;
    private static final int SIZE = 124;
    private static final int MODIFIED = 136;
    private static final int CHECKSUM = 148;
    private static final int TYPE = 156;
    private static final int MAGIC = 257;
    private static final int PREFIX = 345;
    private static final int PREFIX_BYTES = 155;
    private static final byte[] GNU_MAGIC = "ustar  \0".getBytes(UTF_8);
    private static final byte[] ANY_MAGIC = "ustar".getBytes(UTF_8);

    /** The header of a file that only its owner may read and write. */
    public static TarHeader file(String name, long sizeBytes, long modifiedSeconds) {
        return new TarHeader(name, FILE, 0600, sizeBytes, modifiedSeconds);
    }

    public static TarHeader directory(String name, long modifiedSeconds) {
        return new TarHeader(name, DIRECTORY, 0755, 0, modifiedSeconds);
    }

    /** How many zeros follow a content of this size. */
    public static int paddingBytes(long sizeBytes) {
        return (int) (-sizeBytes & BLOCK_BYTES - 1);
    }

    /**
     * The block.
     *
     * @throws IllegalArgumentException when the name or the size does not fit
     */
    public byte[] encode() {
        byte[] bytes = name.getBytes(UTF_8);
        if (bytes.length == 0 || bytes.length > MAX_NAME_BYTES || sizeBytes < 0 || sizeBytes >= MAX_SIZE_BYTES) {
            throw new IllegalArgumentException("a tar cannot have '" + name + "' with " + sizeBytes + " bytes");
        }
        byte[] block = new byte[BLOCK_BYTES];
        System.arraycopy(bytes, 0, block, 0, bytes.length);
        putOctal(block, MODE, 7, mode);
        putOctal(block, SIZE, 11, sizeBytes);
        putOctal(block, MODIFIED, 11, modifiedSeconds);
        block[TYPE] = (byte) (type == FILE ? 0 : type);
        System.arraycopy(GNU_MAGIC, 0, block, MAGIC, GNU_MAGIC.length);
        putOctal(block, CHECKSUM, 7, sum(block));
        return block;
    }

    private static void putOctal(byte[] block, int at, int digits, long number) {
        long rest = number;
        for (int i = at + digits - 1; i >= at; i--) {
            block[i] = (byte) ('0' + (rest & 7));
            rest >>>= 3;
        }
    }

    private static int sum(byte[] block) {
        int sum = 0;
        for (int i = 0; i < BLOCK_BYTES; i++) {
            sum += i >= CHECKSUM && i < CHECKSUM + 8 ? ' ' : block[i] & 0xFF;
        }
        return sum;
    }

    /** Whether a block is one of the two at the end. */
    public static boolean isEnd(byte[] block) {
        for (byte b : block) {
            if (b != 0) {
                return false;
            }
        }
        return true;
    }

    /**
     * Reads a block; POSIX's headers are understood as well, extensions of either kind are entries of a type of their own.
     *
     * @param block 512 bytes that are not all zero
     */
    public static TarHeader decode(byte[] block) throws InvalidTarException {
        if (!Arrays.equals(block, MAGIC, MAGIC + ANY_MAGIC.length, ANY_MAGIC, 0, ANY_MAGIC.length)) {
            throw new InvalidTarException("not a tar header: the magic is missing");
        }
        if (octal(block, CHECKSUM, 8) != sum(block)) {
            throw new InvalidTarException("a tar header is damaged: its checksum is wrong");
        }
        boolean gnu = block[MAGIC + ANY_MAGIC.length] == ' ';
        String prefix = gnu ? "" : text(block, PREFIX, PREFIX_BYTES);
        String name = text(block, 0, MAX_NAME_BYTES);
        char type = block[TYPE] == 0 ? FILE : (char) (block[TYPE] & 0xFF);
        return new TarHeader(
                prefix.isEmpty() ? name : prefix + "/" + name,
                type,
                (int) octal(block, MODE, 8) & 07777,
                octal(block, SIZE, 12),
                octal(block, MODIFIED, 12));
    }

    private static String text(byte[] block, int at, int length) {
        int end = at;
        while (end < at + length && block[end] != 0) {
            end++;
        }
        return new String(block, at, end - at, UTF_8);
    }

    /** Digits between spaces, ended by a NUL or the field; none mean 0. */
    private static long octal(byte[] block, int at, int length) throws InvalidTarException {
        long number = 0;
        boolean ended = false;
        for (int i = at; i < at + length && block[i] != 0; i++) {
            int digit = block[i] - '0';
            if (block[i] == ' ') {
                ended = number != 0;
            } else if (digit < 0 || digit > 7 || ended) {
                throw new InvalidTarException("a tar header has a number that is not octal");
            } else {
                number = number << 3 | digit;
            }
        }
        return number;
    }
}
