package io.tidemark.runtime.net;

import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.handler.timeout.ReadTimeoutException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Ends a connection on which nothing happens for long: a peer that is gone without a word (its machine lost power, a firewall forgot the
 * connection) sends nothing, not even an end.
 */
public final class SilenceHandler extends IdleStateHandler {
    /** As Neon's servers have it: what their clients count on. */
    public static final Duration DEFAULT_TIMEOUT = Duration.ofMinutes(10);

    private SilenceHandler(Duration nothingComes, Duration nothingMoves) {
        super(nothingComes.toMillis(), 0, nothingMoves.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** For peers that are asked for a sign of life and have to answer: what we write says nothing about them. */
    public static SilenceHandler whenNothingComes(Duration timeout) {
        return new SilenceHandler(timeout, Duration.ZERO);
    }

    /** For peers that may only listen: as long as the kernel takes what we write, somebody reads it. */
    public static SilenceHandler whenNothingMoves(Duration timeout) {
        return new SilenceHandler(Duration.ZERO, timeout);
    }

    @Override
    protected void channelIdle(ChannelHandlerContext ctx, IdleStateEvent event) {
        ctx.fireExceptionCaught(ReadTimeoutException.INSTANCE);
        var _ = ctx.close();
    }
}
