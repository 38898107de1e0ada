package io.tidemark.wire.frame;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * The server's ear: {@link InitialPacket}s up to and with the startup message, then {@link FrontendMessage}s.
 *
 * <p>One per channel; belongs to its event loop.
 */
public final class FrontendDecoder extends FrameDecoder {
    private static final int MIN_INITIAL_BYTES = 8;

    private final FrameLimits limits;
    private boolean started;
    private boolean authenticated;

    public FrontendDecoder(FrameLimits limits) {
        this.limits = limits;
    }

    /** From now on messages may be as long as an authenticated client's. */
    public void authenticated() {
        authenticated = true;
    }

    @Override
    @Nullable
    Object next(ByteBuf in) {
        if (!started) {
            return initialPacket(in);
        }
        if (!in.isReadable()) {
            return null;
        }
        int type = in.getUnsignedByte(in.readerIndex());
        ByteBuf body = body(in, authenticated ? limits.of(type) : limits.authenticationBytes());
        return body == null ? null : FrontendMessage.decode(type, body);
    }

    private @Nullable InitialPacket initialPacket(ByteBuf in) {
        if (in.readableBytes() < 4) {
            return null;
        }
        int length = in.getInt(in.readerIndex());
        if (length < MIN_INITIAL_BYTES || length - 4 > limits.startupBytes()) {
            throw new InvalidMessageException("an initial packet announces a length of "
                    + Integer.toUnsignedString(length) + " bytes, expected " + MIN_INITIAL_BYTES + " to "
                    + (limits.startupBytes() + 4));
        }
        if (in.readableBytes() < length) {
            return null;
        }
        in.skipBytes(4);
        InitialPacket packet = InitialPacket.decode(in.readSlice(length - 4));
        if (packet instanceof InitialPacket.StartupMessage) {
            started = true;
        } else if (in.isReadable()) {
            // A client waits for the answer. Bytes that came along were put there by somebody else, to be taken for
            // words said under TLS (CVE-2021-23214).
            throw new InvalidMessageException("unencrypted bytes after a request for encryption");
        }
        return packet;
    }
}
