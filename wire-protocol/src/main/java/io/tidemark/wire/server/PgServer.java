package io.tidemark.wire.server;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.tidemark.wire.frame.FrontendDecoder;
import org.jspecify.annotations.Nullable;

/** Makes a channel speak libpq v3 as a server. */
public final class PgServer {
    private PgServer() {}

    /**
     * Fills the pipeline of a channel that has just been accepted.
     *
     * @param passwordCheck null: everybody may come in
     */
    public static void install(
            Channel channel, PgServerConfig config, @Nullable PasswordCheck passwordCheck, PgSession.Factory sessions) {
        channel.config().setOption(ChannelOption.TCP_NODELAY, true);
        FrontendDecoder decoder = new FrontendDecoder(config.limits());
        if (config.sslContext() != null) {
            channel.pipeline().addLast(new DirectTlsHandler(config.sslContext()));
        }
        channel.pipeline().addLast(decoder, new PgServerHandshake(config, passwordCheck, sessions, decoder));
    }
}
