package io.tidemark.wire.replication;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.frame.MessageReader;
import io.tidemark.wire.id.Lsn;

/**
 * What a walreceiver (a standby, a pageserver, or a shim in front of its PostgreSQL) says on a physical replication stream;
 * one message per CopyData, big endian.
 */
public sealed interface WalReceiverMessage {

    /**
     * Reads one message. A tag that nobody knows is a message too: servers log and ignore it.
     *
     * @param in exactly one CopyData body; stays the caller's, its reader index moves
     * @throws InvalidMessageException for a known tag with a wrong body, or for no tag at all
     */
    static WalReceiverMessage decode(ByteBuf in) {
        int tag = new MessageReader("walreceiver message", in).u8();
        return switch (tag) {
            case StandbyStatus.TAG -> StandbyStatus.decode(new MessageReader("standby status", in));
            case StandbyFeedback.TAG -> StandbyFeedback.decode(new MessageReader("hot standby feedback", in));
            case PageserverStatus.TAG -> PageserverStatus.decode(new MessageReader("pageserver feedback", in));
            default -> new Unknown(tag);
        };
    }

    /** Appends the message to {@code out}. */
    void encode(ByteBuf out);

    /**
     * How far I am: {@code u8 'r', u64 write, u64 flush, u64 apply, i64 timestamp, u8 reply_requested}.
     *
     * @param sentAtMicros see {@link PostgresTime}
     * @param replyRequested answer with a keepalive at once
     */
    record StandbyStatus(Lsn writeLsn, Lsn flushLsn, Lsn applyLsn, long sentAtMicros, boolean replyRequested)
            implements WalReceiverMessage {
        static final int TAG = 'r';

        static StandbyStatus decode(MessageReader in) {
            StandbyStatus status =
                    new StandbyStatus(Lsn.of(in.i64()), Lsn.of(in.i64()), Lsn.of(in.i64()), in.i64(), in.u8() != 0);
            in.requireEnd();
            return status;
        }

        @Override
        public void encode(ByteBuf out) {
            out.writeByte(TAG);
            out.writeLong(writeLsn.value()).writeLong(flushLsn.value()).writeLong(applyLsn.value());
            out.writeLong(sentAtMicros).writeByte(replyRequested ? 1 : 0);
        }
    }

    /**
     * What my oldest transaction needs kept: {@code u8 'h', i64 timestamp, u32 xmin, u32 xmin_epoch, u32 catalog_xmin, u32
     * catalog_epoch}. The low word comes first; a low word of 0 means "none", whatever the epoch.
     */
    record StandbyFeedback(HotStandbyFeedback feedback) implements WalReceiverMessage {
        static final int TAG = 'h';

        static StandbyFeedback decode(MessageReader in) {
            StandbyFeedback message = new StandbyFeedback(new HotStandbyFeedback(in.i64(), fullXid(in), fullXid(in)));
            in.requireEnd();
            return message;
        }

        private static long fullXid(MessageReader in) {
            long xid = in.u32();
            long epoch = in.u32();
            return xid == 0 ? 0 : epoch << 32 | xid;
        }

        @Override
        public void encode(ByteBuf out) {
            out.writeByte(TAG).writeLong(feedback.timestampMicros());
            out.writeInt((int) feedback.xmin()).writeInt((int) (feedback.xmin() >>> 32));
            out.writeInt((int) feedback.catalogXmin()).writeInt((int) (feedback.catalogXmin() >>> 32));
        }
    }

    /** A pageserver's progress: {@code u8 'z', u64 body length (not looked at), body}, see {@link PageserverFeedback}. */
    record PageserverStatus(PageserverFeedback feedback) implements WalReceiverMessage {
        static final int TAG = 'z';

        static PageserverStatus decode(MessageReader in) {
            in.skip(8);
            return new PageserverStatus(PageserverFeedback.decodeBody(in));
        }

        @Override
        public void encode(ByteBuf out) {
            int lengthIndex = out.writeByte(TAG).writerIndex();
            out.writeLong(0);
            int bodyIndex = out.writerIndex();
            feedback.encodeBody(out);
            out.setLong(lengthIndex, out.writerIndex() - bodyIndex);
        }
    }

    /** A tag of another time or place; the rest of the message has not been read. */
    record Unknown(int tag) implements WalReceiverMessage {
        @Override
        public void encode(ByteBuf out) {
            out.writeByte(tag);
        }
    }
}
