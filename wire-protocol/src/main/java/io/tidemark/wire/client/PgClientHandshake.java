package io.tidemark.wire.client;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import io.tidemark.wire.frame.AuthenticationRequest;
import io.tidemark.wire.frame.BackendMessage;
import io.tidemark.wire.frame.FrontendMessage.AuthenticationResponse;
import io.tidemark.wire.frame.InitialPacket.StartupMessage;
import io.tidemark.wire.frame.InvalidMessageException;
import java.io.IOException;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;

/**
 * From a usable channel to the first ReadyForQuery: startup message and authentication. Then it gives its place in the
 * pipeline to a {@link PgConnection}.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write closes the channel, and that is where it is noticed
final class PgClientHandshake extends ChannelInboundHandlerAdapter {
    private final PgClientConfig config;
    private final CompletableFuture<PgConnection> connected;
    private final Map<String, String> serverParameters = new LinkedHashMap<>();
    private @Nullable ScramExchange scram;
    private @Nullable Future<?> timeout;
    private boolean authenticated;

    PgClientHandshake(PgClientConfig config, CompletableFuture<PgConnection> connected) {
        this.config = config;
        this.connected = connected;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        timeout = ctx.executor()
                .schedule(
                        () -> fail(
                                ctx,
                                new IOException("no connection to " + config + " within "
                                        + config.connectTimeout().toMillis() + " ms")),
                        config.connectTimeout().toMillis(),
                        TimeUnit.MILLISECONDS);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        if (timeout != null) {
            timeout.cancel(false);
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        sendStartup(ctx);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof SslHandshakeCompletionEvent tls) {
            if (tls.isSuccess()) {
                sendStartup(ctx);
            } else {
                fail(
                        ctx,
                        new IOException(
                                "no TLS with " + config + ": " + tls.cause().getMessage(), tls.cause()));
            }
        }
    }

    private void sendStartup(ChannelHandlerContext ctx) {
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put("user", config.user());
        parameters.putAll(config.parameters());
        ByteBuf out = ctx.alloc().buffer();
        new StartupMessage(StartupMessage.VERSION_3_0, parameters).encode(out);
        ctx.writeAndFlush(out, ctx.voidPromise());
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        switch (message) {
            case AuthenticationRequest request when !authenticated -> onAuthentication(ctx, request);
            case BackendMessage.ParameterStatus status
            when serverParameters.size() < PgConnection.MAX_PARAMETERS ->
                serverParameters.put(status.name(), status.value());
            case BackendMessage.BackendKeyData key -> {}
            case BackendMessage.NoticeResponse notice -> {}
            case BackendMessage.NegotiateProtocolVersion negotiate -> {}
            case BackendMessage.ErrorResponse error -> fail(ctx, new PgServerException(error.fields()));
            case BackendMessage.ReadyForQuery ready when authenticated -> becomeConnection(ctx);
            default -> {
                ReferenceCountUtil.release(message);
                fail(
                        ctx,
                        new InvalidMessageException("unexpected during startup: "
                                + message.getClass().getSimpleName()));
            }
        }
    }

    private void onAuthentication(ChannelHandlerContext ctx, AuthenticationRequest request) {
        switch (request) {
            case AuthenticationRequest.Ok ok -> {
                if (scram != null && !scram.isVerified()) {
                    throw new InvalidMessageException("the server ended SCRAM before it had proved itself");
                }
                authenticated = true;
            }
            case AuthenticationRequest.CleartextPassword clear ->
                send(ctx, AuthenticationResponse.ofPassword(requirePassword()));
            case AuthenticationRequest.Md5Password md5 ->
                send(
                        ctx,
                        AuthenticationResponse.ofPassword(
                                Md5Password.of(config.user(), requirePassword(), md5.salt())));
            case AuthenticationRequest.Sasl sasl -> {
                scram = new ScramExchange(sasl.mechanisms(), requirePassword(), serverCertificate(ctx));
                send(ctx, scram.first());
            }
            case AuthenticationRequest.SaslContinue next ->
                send(ctx, requireScram().answer(next.challenge()));
            case AuthenticationRequest.SaslFinal last -> requireScram().verify(last.outcome());
            case AuthenticationRequest.Unsupported unsupported ->
                throw new InvalidMessageException("the server asks for authentication of kind " + unsupported.kind()
                        + ", which is not supported");
        }
    }

    private String requirePassword() {
        String password = config.password();
        if (password == null) {
            throw new InvalidMessageException("the server asks for a password, but there is none for " + config);
        }
        return password;
    }

    private ScramExchange requireScram() {
        if (scram == null) {
            throw new InvalidMessageException("a SASL message outside of a SASL exchange");
        }
        return scram;
    }

    private static @Nullable X509Certificate serverCertificate(ChannelHandlerContext ctx) {
        SslHandler tls = ctx.pipeline().get(SslHandler.class);
        if (tls == null) {
            return null;
        }
        try {
            Certificate[] chain = tls.engine().getSession().getPeerCertificates();
            return chain.length > 0 && chain[0] instanceof X509Certificate certificate ? certificate : null;
        } catch (SSLPeerUnverifiedException e) {
            return null;
        }
    }

    private static void send(ChannelHandlerContext ctx, AuthenticationResponse response) {
        ByteBuf out = ctx.alloc().buffer();
        response.encode(out);
        ctx.writeAndFlush(out, ctx.voidPromise());
    }

    private void becomeConnection(ChannelHandlerContext ctx) {
        PgConnection connection = new PgConnection(ctx.channel(), serverParameters);
        ctx.pipeline().replace(this, null, connection);
        if (!connected.complete(connection)) {
            connection.close();
        }
    }

    private void fail(ChannelHandlerContext ctx, Throwable cause) {
        connected.completeExceptionally(cause);
        ctx.close();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        fail(ctx, cause instanceof DecoderException && cause.getCause() != null ? cause.getCause() : cause);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        fail(ctx, new IOException("the server closed the connection during startup of " + config));
    }
}
