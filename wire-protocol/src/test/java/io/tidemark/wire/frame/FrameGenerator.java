package io.tidemark.wire.frame;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.wire.frame.BackendMessage.CopyResponse;
import io.tidemark.wire.frame.BackendMessage.Marker;
import io.tidemark.wire.frame.FrontendMessage.AuthenticationResponse;
import io.tidemark.wire.frame.FrontendMessage.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Every kind of message of either direction, from a seed. */
final class FrameGenerator {
    private final SplittableRandom random;

    FrameGenerator(long seed) {
        this.random = new SplittableRandom(seed);
    }

    List<FrontendMessage> frontend() {
        return List.of(
                new FrontendMessage.Query(text()),
                new FrontendMessage.Parse(text(), text(), list(random::nextInt)),
                new FrontendMessage.Bind(
                        text(),
                        text(),
                        list(this::format),
                        list(() -> random.nextBoolean() ? bytes() : null),
                        list(this::format)),
                new FrontendMessage.Describe(target(), text()),
                new FrontendMessage.Execute(text(), random.nextInt()),
                new FrontendMessage.Close(target(), text()),
                new FrontendMessage.Sync(),
                new FrontendMessage.Flush(),
                new FrontendMessage.Terminate(),
                new FrontendMessage.CopyFail(text()),
                AuthenticationResponse.ofPassword(text()),
                AuthenticationResponse.ofSaslInitial(
                        "SCRAM-SHA-256", text().getBytes(java.nio.charset.StandardCharsets.UTF_8)),
                AuthenticationResponse.ofSasl(new byte[random.nextInt(9)]),
                new CopyMessage.CopyDone(),
                new CopyMessage.CopyData(bytes()));
    }

    List<BackendMessage> backend() {
        List<BackendMessage> all = new ArrayList<>(List.of(
                new AuthenticationRequest.Ok(),
                new AuthenticationRequest.CleartextPassword(),
                new AuthenticationRequest.Md5Password(random.nextInt()),
                new AuthenticationRequest.Sasl(List.of("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256")),
                new AuthenticationRequest.SaslContinue(text()),
                new AuthenticationRequest.SaslFinal(text()),
                new AuthenticationRequest.Unsupported(7, bytes()),
                new BackendMessage.ParameterStatus(text(), text()),
                new BackendMessage.BackendKeyData(random.nextInt(), random.nextInt()),
                new BackendMessage.NegotiateProtocolVersion(random.nextInt(), list(this::text)),
                new BackendMessage.ReadyForQuery('E'),
                new BackendMessage.RowDescription(list(this::column)),
                new BackendMessage.DataRow(list(() -> random.nextBoolean() ? text() : null)),
                new BackendMessage.CommandComplete(text()),
                new BackendMessage.ErrorResponse(ErrorFields.error(SqlState.INTERNAL_ERROR, text())),
                new BackendMessage.NoticeResponse(new ErrorFields(java.util.Map.of('D', text()))),
                new CopyResponse(CopyResponse.Direction.IN, 1, list(this::format)),
                new CopyResponse(CopyResponse.Direction.OUT, 0, list(this::format)),
                CopyResponse.BOTH,
                new BackendMessage.ParameterDescription(list(random::nextInt)),
                new BackendMessage.Notification(random.nextInt(), text(), text()),
                new CopyMessage.CopyDone(),
                new CopyMessage.CopyData(bytes())));
        all.addAll(List.of(Marker.values()));
        return all;
    }

    List<InitialPacket> initial() {
        java.util.Map<String, String> parameters = new java.util.LinkedHashMap<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            parameters.put("k" + text(), text());
        }
        return List.of(
                new InitialPacket.SslRequest(),
                new InitialPacket.GssEncRequest(),
                new InitialPacket.CancelRequest(random.nextInt()),
                new InitialPacket.StartupMessage(InitialPacket.StartupMessage.VERSION_3_0, parameters));
    }

    private int format() {
        return random.nextInt(2);
    }

    private Target target() {
        return random.nextBoolean() ? Target.PORTAL : Target.STATEMENT;
    }

    private Column column() {
        return new Column(
                text(),
                random.nextInt(),
                (short) random.nextInt(),
                random.nextInt(),
                (short) random.nextInt(),
                random.nextInt(),
                format());
    }

    private String text() {
        return List.of("", "x", "SELECT 'ä'", "日本", "a b\n\tc", "🐘").get(random.nextInt(6));
    }

    private ByteBuf bytes() {
        byte[] bytes = new byte[random.nextInt(20)];
        random.nextBytes(bytes);
        return Unpooled.wrappedBuffer(bytes);
    }

    private <T> List<T> list(Supplier<@Nullable T> element) {
        List<T> list = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            list.add(element.get());
        }
        return list;
    }
}
