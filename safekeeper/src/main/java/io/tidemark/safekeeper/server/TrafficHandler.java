package io.tidemark.safekeeper.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.tidemark.safekeeper.metrics.SafekeeperMetrics;

/** Counts bytes, both ways. */
final class TrafficHandler extends ChannelDuplexHandler {
    private final SafekeeperMetrics metrics;

    TrafficHandler(SafekeeperMetrics metrics) {
        this.metrics = metrics;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (message instanceof ByteBuf bytes) {
            metrics.bytesRead(bytes.readableBytes());
        }
        context.fireChannelRead(message);
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        if (message instanceof ByteBuf bytes) {
            metrics.bytesWritten(bytes.readableBytes());
        }
        var _ = context.write(message, promise);
    }
}
