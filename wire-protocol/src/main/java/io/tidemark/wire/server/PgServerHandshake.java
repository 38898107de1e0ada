package io.tidemark.wire.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import io.tidemark.wire.frame.AuthenticationRequest;
import io.tidemark.wire.frame.BackendMessage.ErrorResponse;
import io.tidemark.wire.frame.BackendMessage.ParameterStatus;
import io.tidemark.wire.frame.BackendMessage.ReadyForQuery;
import io.tidemark.wire.frame.ErrorFields;
import io.tidemark.wire.frame.FrontendDecoder;
import io.tidemark.wire.frame.FrontendMessage.AuthenticationResponse;
import io.tidemark.wire.frame.InitialPacket;
import io.tidemark.wire.frame.InitialPacket.StartupMessage;
import io.tidemark.wire.frame.LastWords;
import io.tidemark.wire.frame.SqlState;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * From connect to the first ReadyForQuery: TLS negotiation, startup message, password. Then it gives its place in the
 * pipeline to a {@link PgServerConnection}.
 *
 * <p>A client that breaks the protocol before it is in gets no answer, only a closed connection.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write closes the channel, and that is where it is noticed
final class PgServerHandshake extends ChannelInboundHandlerAdapter {
    private final PgServerConfig config;
    private final @Nullable PasswordCheck passwordCheck;
    private final PgSession.Factory sessions;
    private final FrontendDecoder decoder;
    private @Nullable Future<?> timeout;
    /** Set when the password is awaited. */
    private @Nullable StartupMessage startup;

    private boolean refused;

    PgServerHandshake(
            PgServerConfig config,
            @Nullable PasswordCheck passwordCheck,
            PgSession.Factory sessions,
            FrontendDecoder decoder) {
        this.config = config;
        this.passwordCheck = passwordCheck;
        this.sessions = sessions;
        this.decoder = decoder;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        timeout = ctx.executor()
                .schedule(
                        () -> {
                            ctx.close();
                        },
                        config.handshakeTimeout().toMillis(),
                        TimeUnit.MILLISECONDS);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        if (timeout != null) {
            timeout.cancel(false);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (refused) {
            ReferenceCountUtil.release(message);
        } else if (message instanceof InitialPacket packet) {
            onInitialPacket(ctx, packet);
        } else if (message instanceof AuthenticationResponse response && startup != null && passwordCheck != null) {
            onPassword(ctx, startup, passwordCheck, response);
        } else {
            ReferenceCountUtil.release(message);
            ctx.close();
        }
    }

    private void onInitialPacket(ChannelHandlerContext ctx, InitialPacket packet) {
        switch (packet) {
            case InitialPacket.SslRequest() -> onSslRequest(ctx);
            case InitialPacket.GssEncRequest() -> answer(ctx, 'N');
            case InitialPacket.CancelRequest cancel -> ctx.close();
            case StartupMessage message -> onStartup(ctx, message);
        }
    }

    private void onSslRequest(ChannelHandlerContext ctx) {
        SslContext sslContext = config.sslContext();
        if (isEncrypted(ctx)) {
            ctx.close();
        } else if (sslContext == null) {
            answer(ctx, 'N');
        } else {
            // The answer is in clear text: it is on its way before the TLS handler is in the pipeline.
            answer(ctx, 'S');
            ctx.pipeline().addFirst(sslContext.newHandler(ctx.alloc()));
        }
    }

    private static void answer(ChannelHandlerContext ctx, char answer) {
        ctx.writeAndFlush(ctx.alloc().buffer(1).writeByte(answer), ctx.voidPromise());
    }

    private static boolean isEncrypted(ChannelHandlerContext ctx) {
        return ctx.pipeline().get(SslHandler.class) != null;
    }

    private void onStartup(ChannelHandlerContext ctx, StartupMessage message) {
        if (config.requireTls() && !isEncrypted(ctx)) {
            refuse(ctx, "must connect with TLS");
        } else if (passwordCheck == null) {
            letIn(ctx, message);
        } else {
            startup = message;
            ByteBuf out = ctx.alloc().buffer(16);
            new AuthenticationRequest.CleartextPassword().encode(out);
            ctx.writeAndFlush(out, ctx.voidPromise());
        }
    }

    private void onPassword(
            ChannelHandlerContext ctx, StartupMessage message, PasswordCheck check, AuthenticationResponse response) {
        check.refusal(message, response.password())
                .ifPresentOrElse(reason -> refuse(ctx, reason), () -> letIn(ctx, message));
    }

    private void refuse(ChannelHandlerContext ctx, String reason) {
        refused = true;
        ByteBuf out = ctx.alloc().buffer();
        new ErrorResponse(ErrorFields.error(SqlState.INTERNAL_ERROR, reason)).encode(out);
        LastWords.send(ctx.channel(), out);
    }

    private void letIn(ChannelHandlerContext ctx, StartupMessage message) {
        PgServerConnection connection = new PgServerConnection(ctx.channel());
        PgSession session = sessions.open(connection, message);
        connection.open(session);
        decoder.authenticated();
        ByteBuf out = ctx.alloc().buffer();
        new AuthenticationRequest.Ok().encode(out);
        new ParameterStatus("client_encoding", "UTF8").encode(out);
        new ParameterStatus("integer_datetimes", "on").encode(out);
        String serverVersion = session.serverVersion();
        new ParameterStatus("server_version", serverVersion == null ? config.serverVersion() : serverVersion)
                .encode(out);
        ReadyForQuery.IDLE.encode(out);
        ctx.writeAndFlush(out, ctx.voidPromise());
        ctx.pipeline().replace(this, null, connection);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close();
    }
}
