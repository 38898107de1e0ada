package io.tidemark.wire.replication;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.frame.CString;
import io.tidemark.wire.frame.MessageReader;
import io.tidemark.wire.id.Lsn;

/**
 * How far a pageserver is with a timeline; relayed by safekeepers to the compute.
 *
 * <p>The body, big endian: {@code u8 n, n * {cstr key, i32 value length, value}}. A key that is missing reads as 0, one that
 * is unknown is skipped, one whose length is wrong is an error.
 *
 * @param currentTimelineSizeBytes wire key current_timeline_size: logical size; 0 is "unknown"
 * @param lastReceivedLsn wire key ps_writelsn (or last_received_lsn)
 * @param diskConsistentLsn wire key ps_flushlsn (or disk_consistent_lsn)
 * @param remoteConsistentLsn wire key ps_applylsn (or remote_consistent_lsn)
 * @param replyTimeMicros wire key ps_replytime (or replytime): microseconds since 2000-01-01 UTC
 * @param shardNumber 0 when unsharded, and then not sent; an unsigned 32-bit number
 * @param corruptionDetected sent only when true
 */
public record PageserverFeedback(
        long currentTimelineSizeBytes,
        Lsn lastReceivedLsn,
        Lsn diskConsistentLsn,
        Lsn remoteConsistentLsn,
        long replyTimeMicros,
        int shardNumber,
        boolean corruptionDetected) {
    private static final int ALWAYS_SENT_KEYS = 5;

    /**
     * Reads a body; what follows it is not looked at.
     *
     * @throws io.tidemark.wire.frame.InvalidMessageException when the body is cut short or a known key has another length
     */
    public static PageserverFeedback decodeBody(MessageReader in) {
        long size = 0;
        Lsn received = Lsn.INVALID;
        Lsn disk = Lsn.INVALID;
        Lsn remote = Lsn.INVALID;
        long replyTime = 0;
        int shard = 0;
        boolean corruption = false;
        int keys = in.u8();
        for (int i = 0; i < keys; i++) {
            String key = in.cstring();
            int length = in.i32();
            switch (key) {
                case "current_timeline_size" -> size = i64(in, key, length);
                case "ps_writelsn", "last_received_lsn" -> received = Lsn.of(i64(in, key, length));
                case "ps_flushlsn", "disk_consistent_lsn" -> disk = Lsn.of(i64(in, key, length));
                case "ps_applylsn", "remote_consistent_lsn" -> remote = Lsn.of(i64(in, key, length));
                case "ps_replytime", "replytime" -> replyTime = i64(in, key, length);
                case "shard_number" -> {
                    requireLength(in, key, length, 4);
                    shard = in.i32();
                }
                case "corruption_detected" -> {
                    requireLength(in, key, length, 1);
                    corruption = in.u8() != 0;
                }
                default -> in.skip(length);
            }
        }
        return new PageserverFeedback(size, received, disk, remote, replyTime, shard, corruption);
    }

    /** Appends the body, keys in the order in which Neon writes them. */
    public void encodeBody(ByteBuf out) {
        out.writeByte(ALWAYS_SENT_KEYS + (shardNumber != 0 ? 1 : 0) + (corruptionDetected ? 1 : 0));
        write(out, "current_timeline_size", currentTimelineSizeBytes);
        write(out, "ps_writelsn", lastReceivedLsn.value());
        write(out, "ps_flushlsn", diskConsistentLsn.value());
        write(out, "ps_applylsn", remoteConsistentLsn.value());
        write(out, "ps_replytime", replyTimeMicros);
        if (shardNumber != 0) {
            CString.write(out, "shard_number");
            out.writeInt(4).writeInt(shardNumber);
        }
        if (corruptionDetected) {
            CString.write(out, "corruption_detected");
            out.writeInt(1).writeByte(1);
        }
    }

    private static void write(ByteBuf out, String key, long value) {
        CString.write(out, key);
        out.writeInt(8).writeLong(value);
    }

    private static long i64(MessageReader in, String key, int length) {
        requireLength(in, key, length, 8);
        return in.i64();
    }

    private static void requireLength(MessageReader in, String key, int length, int expected) {
        if (length != expected) {
            throw in.invalid("feedback key " + key + " has " + length + " bytes, expected " + expected);
        }
    }
}
