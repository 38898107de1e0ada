package io.tidemark.runtime.http;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.timeout.IdleStateEvent;
import io.tidemark.runtime.auth.Caller;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.node.JsonNodeFactory;

/** One HTTP connection: one request after the other, each answered on a virtual thread. */
final class HttpSessionHandler extends SimpleChannelInboundHandler<FullHttpRequest> {
    private static final Logger LOG = LoggerFactory.getLogger(HttpSessionHandler.class);
    private static final int MAX_REQUEST_ID_CHARS = 128;

    /** Requests that a client sent without waiting for the answer to the one before; more than this end the connection. */
    private static final int MAX_PIPELINED = 16;

    private final Router router;
    private final Semaphore slots;
    private final HttpMetrics metrics;
    private final ArrayDeque<Exchange> waiting = new ArrayDeque<>();
    private boolean busy;

    /** {@code authorization} is the header, empty when there is none. */
    private record Exchange(HttpRequestView request, String authorization, boolean keepAlive, String requestId) {}

    HttpSessionHandler(Router router, Semaphore slots, HttpMetrics metrics) {
        this.router = router;
        this.slots = slots;
        this.metrics = metrics;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest message) {
        String requestId = requestId(message);
        boolean keepAlive = HttpUtil.isKeepAlive(message);
        if (message.decoderResult().isFailure() || waiting.size() >= MAX_PIPELINED) {
            metrics.refused("HTTP_BAD_REQUEST");
            write(context, new Exchange(view(message, "/", Map.of()), "", false, requestId), error(400, "not HTTP"));
            return;
        }
        HttpRequestView view;
        try {
            QueryStringDecoder uri = new QueryStringDecoder(message.uri());
            view = view(message, uri.path(), uri.parameters());
        } catch (IllegalArgumentException e) {
            write(context, new Exchange(view(message, "/", Map.of()), "", false, requestId), error(400, "not a URI"));
            return;
        }
        String authorization = message.headers().get(HttpHeaderNames.AUTHORIZATION, "");
        waiting.add(new Exchange(view, authorization, keepAlive, requestId));
        next(context);
    }

    private static HttpRequestView view(
            FullHttpRequest message, String path, Map<String, java.util.List<String>> parameters) {
        String body = message.content().toString(StandardCharsets.UTF_8);
        return new HttpRequestView(message.method().name(), path, parameters, Map.of(), body, Caller.TRUSTED);
    }

    private static String requestId(FullHttpRequest message) {
        String given = message.headers().get("x-request-id");
        boolean usable = given != null
                && given.length() <= MAX_REQUEST_ID_CHARS
                && given.chars().allMatch(c -> c > 0x20 && c < 0x7F);
        return given != null && usable ? given : UUID.randomUUID().toString();
    }

    private void next(ChannelHandlerContext context) {
        Exchange exchange = busy ? null : waiting.poll();
        if (exchange == null) {
            return;
        }
        if (!slots.tryAcquire()) {
            metrics.refused("HTTP_TOO_MANY_REQUESTS");
            write(context, exchange, error(503, "too many requests at the same time; try again"));
            next(context);
            return;
        }
        busy = true;
        context.channel().config().setAutoRead(false);
        Thread.ofVirtual().name("http-" + exchange.requestId()).start(() -> {
            HttpReply reply;
            try {
                reply = answer(exchange.request(), exchange.authorization());
            } finally {
                slots.release();
            }
            context.executor().execute(() -> finish(context, exchange, reply));
        });
    }

    private void finish(ChannelHandlerContext context, Exchange exchange, HttpReply reply) {
        busy = false;
        write(context, exchange, reply);
        context.channel().config().setAutoRead(true);
        next(context);
    }

    private HttpReply answer(HttpRequestView request, String authorization) {
        try {
            return router.answer(request, authorization);
        } catch (HttpError e) {
            return error(e.status(), e.text());
        } catch (RuntimeException e) {
            LOG.error("{} {} failed", request.method(), request.path(), e);
            return error(500, "internal error: " + e.getMessage());
        }
    }

    private static HttpReply error(int status, String text) {
        String json = JsonNodeFactory.instance.objectNode().put("msg", text).toString();
        return new HttpReply(status, HttpReply.JSON, json);
    }

    private void write(ChannelHandlerContext context, Exchange exchange, HttpReply reply) {
        metrics.httpRequest(reply.status());
        byte[] body = reply.body().getBytes(StandardCharsets.UTF_8);
        FullHttpResponse response = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(reply.status()), Unpooled.wrappedBuffer(body));
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, reply.contentType())
                .set(HttpHeaderNames.CONTENT_LENGTH, body.length)
                .set("x-request-id", exchange.requestId());
        if (exchange.keepAlive()) {
            var _ = context.writeAndFlush(response, context.voidPromise());
        } else {
            response.headers().set(HttpHeaderNames.CONNECTION, "close");
            context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        // Some requests take long, and nothing moves meanwhile.
        if (event instanceof IdleStateEvent && !busy) {
            var _ = context.close();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, @Nullable Throwable cause) {
        LOG.debug("HTTP connection {} ends: {}", context.channel().remoteAddress(), String.valueOf(cause));
        var _ = context.close();
    }
}
