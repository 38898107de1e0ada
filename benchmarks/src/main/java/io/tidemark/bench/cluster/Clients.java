package io.tidemark.bench.cluster;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.tidemark.wire.client.PgClient;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.client.PgConnection;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The event loop of the benchmarks' own connections: one thread, native epoll. */
public final class Clients implements AutoCloseable {
    private static final int DEADLINE_SECONDS = 60;

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());

    /** Connects and waits until it is done. */
    PgConnection connect(PgClientConfig config) throws IOException, InterruptedException {
        return await(PgClient.connect(new Bootstrap().group(group).channel(EpollSocketChannel.class), config));
    }

    /** Waits for an answer, at most a minute. */
    static <T> T await(CompletableFuture<T> answer) throws IOException, InterruptedException {
        try {
            return answer.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new IOException("refused or lost: " + e.getCause(), e.getCause());
        } catch (TimeoutException e) {
            throw new IOException("no answer within " + DEADLINE_SECONDS + " s", e);
        }
    }

    @Override
    public void close() {
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
