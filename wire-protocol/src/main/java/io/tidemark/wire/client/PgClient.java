package io.tidemark.wire.client;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.tidemark.wire.frame.BackendDecoder;
import java.util.concurrent.CompletableFuture;

/** Opens connections to a PostgreSQL, or to anything that speaks like one. */
public final class PgClient {
    private PgClient() {}

    /**
     * Connects, encrypts, authenticates.
     *
     * @param bootstrap with event loops, channel class and options; used as a template
     * @return a connection that is ready for a command, completed on its event loop; or {@link PgServerException},
     *     {@link java.io.IOException}, {@link io.tidemark.wire.frame.InvalidMessageException}. Cancelling it does not stop
     *     the attempt, the timeout does
     */
    public static CompletableFuture<PgConnection> connect(Bootstrap bootstrap, PgClientConfig config) {
        CompletableFuture<PgConnection> connected = new CompletableFuture<>();
        ChannelFuture connecting = bootstrap
                .clone()
                .option(ChannelOption.TCP_NODELAY, true)
                .option(
                        ChannelOption.CONNECT_TIMEOUT_MILLIS,
                        Math.toIntExact(config.connectTimeout().toMillis()))
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        if (config.sslMode() != SslMode.DISABLE) {
                            channel.pipeline().addLast(new TlsNegotiation(config));
                        }
                        channel.pipeline()
                                .addLast(new BackendDecoder(config.limits()), new PgClientHandshake(config, connected));
                    }
                })
                .connect(config.host(), config.port());
        connecting.addListener(done -> {
            if (!done.isSuccess()) {
                connected.completeExceptionally(done.cause());
            }
        });
        return connected;
    }
}
