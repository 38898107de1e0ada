package io.tidemark.wire.frame;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Says something and closes, also when the peer does not listen any more. */
public final class LastWords {
    /** A peer that takes longer to read what is left is not waited for. */
    static final long MAX_FLUSH_SECONDS = 5;

    private LastWords() {}

    /**
     * Sends {@code last} behind everything written before, then closes; closes anyway after a few seconds.
     *
     * @param last released when it is sent or dropped; may be empty
     */
    @SuppressWarnings("FutureReturnValueIgnored") // whatever happens to the write, the channel is closed
    public static void send(Channel channel, ByteBuf last) {
        Future<?> impatience = channel.eventLoop()
                .schedule(
                        () -> {
                            channel.close();
                        },
                        MAX_FLUSH_SECONDS,
                        TimeUnit.SECONDS);
        channel.closeFuture().addListener(closed -> impatience.cancel(false));
        channel.writeAndFlush(last).addListener(ChannelFutureListener.CLOSE);
    }
}
