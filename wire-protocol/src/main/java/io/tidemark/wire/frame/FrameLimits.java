package io.tidemark.wire.frame;

/**
 * The longest frames that a decoder takes, in bytes and without type byte and length. A longer one is refused when its length
 * is known, before anything is allocated for it.
 *
 * @param startupBytes an initial packet; PostgreSQL's own limit is 10000 with its length word
 * @param authenticationBytes any message before the client is authenticated; PostgreSQL's limit for tokens is 65535
 * @param messageBytes any other message
 * @param copyDataBytes one CopyData, where it differs because of a payload
 */
public record FrameLimits(int startupBytes, int authenticationBytes, int messageBytes, int copyDataBytes) {
    /** WAL of 16 pages with room for any header in front of it, queries up to 1 MiB. */
    public static final FrameLimits DEFAULT = new FrameLimits(9_996, 65_535, 1 << 20, 131_072 + 128);

    int of(int type) {
        return type == CopyMessage.CopyData.TYPE ? copyDataBytes : messageBytes;
    }
}
