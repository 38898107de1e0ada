package io.tidemark.wire.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslContext;

/**
 * Looks at the first byte of a connection: 0x16 begins a TLS handshake, which then needs no SSLRequest (libpq 17's {@code
 * sslnegotiation=direct}). Leaves the pipeline either way.
 */
final class DirectTlsHandler extends ChannelInboundHandlerAdapter {
    private static final int TLS_HANDSHAKE = 0x16;

    private final SslContext sslContext;

    DirectTlsHandler(SslContext sslContext) {
        this.sslContext = sslContext;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (!(message instanceof ByteBuf bytes) || !bytes.isReadable()) {
            ctx.fireChannelRead(message);
            return;
        }
        if (bytes.getUnsignedByte(bytes.readerIndex()) == TLS_HANDSHAKE) {
            ctx.pipeline().replace(this, null, sslContext.newHandler(ctx.alloc()));
        } else {
            ctx.pipeline().remove(this);
        }
        ctx.pipeline().fireChannelRead(message);
    }
}
