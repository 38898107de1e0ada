package io.tidemark.wire.replication;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.frame.MessageReader;
import io.tidemark.wire.id.Lsn;

/**
 * What a walsender (a PostgreSQL or a safekeeper) says on a physical replication stream; one message per CopyData, big
 * endian.
 */
public sealed interface WalSenderMessage {

    /**
     * Reads one message.
     *
     * @param in exactly one CopyData body; stays the caller's, its reader index moves. An {@link XLogData} keeps a reference
     *     to it through its {@code wal}
     * @throws InvalidMessageException for anything that is not a message
     */
    static WalSenderMessage decode(ByteBuf in) {
        int tag = new MessageReader("walsender message", in).u8();
        return switch (tag) {
            case XLogData.TAG -> XLogData.decode(new MessageReader("XLogData", in));
            case Keepalive.TAG -> Keepalive.decode(new MessageReader("keepalive", in));
            default -> throw new InvalidMessageException("unknown walsender message tag 0x" + Integer.toHexString(tag));
        };
    }

    /** Appends the message to {@code out}. */
    void encode(ByteBuf out);

    /**
     * WAL {@code [startLsn, startLsn + wal.readableBytes())}: {@code u8 'w', u64 start, u64 end, i64 timestamp, WAL}.
     *
     * @param endLsn end of the WAL that could be sent, which may be ahead of this piece
     * @param sentAtMicros see {@link PostgresTime}
     * @param wal whoever holds the message owns one reference. Decoded, it is a slice of the frame, not a copy
     */
    record XLogData(Lsn startLsn, Lsn endLsn, long sentAtMicros, ByteBuf wal) implements WalSenderMessage {
        /** What precedes the WAL, tag included, in bytes. */
        public static final int HEADER_BYTES = 25;

        static final int TAG = 'w';

        static XLogData decode(MessageReader in) {
            return new XLogData(Lsn.of(in.i64()), Lsn.of(in.i64()), in.i64(), in.retainedSlice(in.remaining()));
        }

        /** Header and WAL; copies the WAL and leaves {@link #wal} as it was. */
        @Override
        public void encode(ByteBuf out) {
            encodeHeader(out);
            out.writeBytes(wal, wal.readerIndex(), wal.readableBytes());
        }

        /** All but the WAL, for those who send it without copying; {@link #HEADER_BYTES} bytes. */
        public void encodeHeader(ByteBuf out) {
            out.writeByte(TAG).writeLong(startLsn.value()).writeLong(endLsn.value());
            out.writeLong(sentAtMicros);
        }
    }

    /**
     * Nothing new, I am alive: {@code u8 'k', u64 end, i64 timestamp, u8 reply_requested}.
     *
     * @param endLsn end of the WAL that could be sent
     * @param sentAtMicros see {@link PostgresTime}
     * @param replyRequested answer with a {@link WalReceiverMessage.StandbyStatus} at once
     */
    record Keepalive(Lsn endLsn, long sentAtMicros, boolean replyRequested) implements WalSenderMessage {
        static final int TAG = 'k';

        static Keepalive decode(MessageReader in) {
            Keepalive keepalive = new Keepalive(Lsn.of(in.i64()), in.i64(), in.u8() != 0);
            in.requireEnd();
            return keepalive;
        }

        @Override
        public void encode(ByteBuf out) {
            out.writeByte(TAG).writeLong(endLsn.value()).writeLong(sentAtMicros);
            out.writeByte(replyRequested ? 1 : 0);
        }
    }
}
