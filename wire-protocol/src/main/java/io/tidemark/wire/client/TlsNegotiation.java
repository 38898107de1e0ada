package io.tidemark.wire.client;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.netty.util.ReferenceCountUtil;
import io.tidemark.wire.frame.InitialPacket.SslRequest;
import io.tidemark.wire.frame.InvalidMessageException;
import java.io.IOException;
import javax.net.ssl.SSLException;

/**
 * Asks for TLS and looks at the one byte that answers, then gives its place to an SslHandler, or leaves when the server has
 * none and the mode doesn't insist. It keeps channelActive to itself until the channel can be used in clear text; a channel
 * that can be used under TLS is told by the SslHandler's event.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write closes the channel, and that is where it is noticed
final class TlsNegotiation extends ChannelInboundHandlerAdapter {
    private final PgClientConfig config;

    TlsNegotiation(PgClientConfig config) {
        this.config = config;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        ByteBuf out = ctx.alloc().buffer(8);
        new SslRequest().encode(out);
        ctx.writeAndFlush(out, ctx.voidPromise());
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws IOException {
        int answer;
        try {
            ByteBuf bytes = (ByteBuf) message;
            if (bytes.readableBytes() != 1) {
                // Whatever is behind the answer was not said under TLS, and must not be taken as if it was.
                throw new InvalidMessageException(
                        bytes.readableBytes() + " bytes in answer to SSLRequest, expected one");
            }
            answer = bytes.readUnsignedByte();
        } finally {
            ReferenceCountUtil.release(message);
        }
        switch (answer) {
            case 'S' ->
                ctx.pipeline().replace(this, null, sslContext().newHandler(ctx.alloc(), config.host(), config.port()));
            case 'N' -> {
                if (config.sslMode() != SslMode.PREFER) {
                    throw new IOException(
                            "the server does not offer TLS, but sslmode=" + config.sslMode() + " requires it");
                }
                ctx.pipeline().remove(this);
                ctx.pipeline().fireChannelActive();
            }
            default -> throw new InvalidMessageException("answer 0x" + Integer.toHexString(answer) + " to SSLRequest");
        }
    }

    private SslContext sslContext() throws SSLException {
        SslContextBuilder builder = SslContextBuilder.forClient();
        if (!config.sslMode().verifiesCertificate()) {
            builder.trustManager(InsecureTrustManagerFactory.INSTANCE);
        } else if (config.trust() != null) {
            builder.trustManager(config.trust());
        }
        if (config.sslMode() != SslMode.VERIFY_FULL) {
            builder.endpointIdentificationAlgorithm("");
        }
        return builder.build();
    }
}
