package io.tidemark.wire.walpush;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.frame.MessageReader;

/** The tags of both directions: one byte in version 3, a little-endian u64 in version 2. */
final class WalPushTag {
    static final int GREETING = 'g';
    static final int VOTE = 'v';
    static final int ELECTED = 'e';
    static final int APPEND = 'a';

    private WalPushTag() {}

    static int read(WalPushVersion version, String messageName, ByteBuf in) {
        MessageReader reader = new MessageReader(messageName, in);
        return switch (version) {
            case V2 -> {
                long tag = reader.i64LE();
                if (tag < 0 || tag > 0xFF) {
                    throw new InvalidMessageException(
                            "unknown proposer-acceptor message tag 0x" + Long.toHexString(tag));
                }
                yield (int) tag;
            }
            case V3 -> reader.u8();
        };
    }

    static void write(WalPushVersion version, int tag, ByteBuf out) {
        switch (version) {
            case V2 -> out.writeLongLE(tag);
            case V3 -> out.writeByte(tag);
        }
    }

    static InvalidMessageException unknown(int tag) {
        return new InvalidMessageException("unknown proposer-acceptor message tag 0x" + Integer.toHexString(tag));
    }
}
