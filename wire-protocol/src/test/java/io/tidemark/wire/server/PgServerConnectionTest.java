package io.tidemark.wire.server;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.ReferenceCountUtil;
import io.tidemark.wire.frame.BackendMessage;
import io.tidemark.wire.frame.BackendMessage.CommandComplete;
import io.tidemark.wire.frame.BackendMessage.CopyResponse;
import io.tidemark.wire.frame.BackendMessage.ErrorResponse;
import io.tidemark.wire.frame.BackendMessage.Marker;
import io.tidemark.wire.frame.BackendMessage.ReadyForQuery;
import io.tidemark.wire.frame.BackendMessage.RowDescription;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyFrames;
import io.tidemark.wire.frame.CopyHandler;
import io.tidemark.wire.frame.CopyMessage.CopyData;
import io.tidemark.wire.frame.CopyMessage.CopyDone;
import io.tidemark.wire.frame.ErrorFields;
import io.tidemark.wire.frame.FrontendMessage;
import io.tidemark.wire.frame.FrontendMessage.Target;
import io.tidemark.wire.frame.InitialPacket;
import io.tidemark.wire.frame.InitialPacket.StartupMessage;
import io.tidemark.wire.frame.TextTable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The conversation message by message, without a network. */
class PgServerConnectionTest implements PgSession, CopyHandler {
    private final List<String> commands = new ArrayList<>();
    private final List<Object> copied = new ArrayList<>();
    private final List<String> closed = new ArrayList<>();
    private @Nullable PgServerConnection connection;
    private @Nullable EmbeddedChannel channel;

    private EmbeddedChannel open(PgServerConfig config, @Nullable PasswordCheck check) {
        EmbeddedChannel opened = new EmbeddedChannel();
        PgServer.install(opened, config, check, (pgConnection, startup) -> {
            connection = pgConnection;
            return this;
        });
        channel = opened;
        return opened;
    }

    private EmbeddedChannel opened() {
        EmbeddedChannel opened = open(PgServerConfig.DEFAULT, null);
        receive(opened, new StartupMessage(StartupMessage.VERSION_3_0, Map.of("user", "alice")));
        assertThat(sent(opened)).endsWith(ReadyForQuery.IDLE);
        return opened;
    }

    private PgServerConnection connection() {
        assertThat(connection).isNotNull();
        return connection;
    }

    @AfterEach
    void finish() {
        if (channel != null) {
            channel.finishAndReleaseAll();
        }
    }

    @Override
    public void onCommand(String sql) {
        commands.add(sql);
        if (sql.startsWith("now")) {
            connection().complete(TextTable.ofText("a").row("1").build(), "NOW");
        }
    }

    @Override
    public void onClosed(@Nullable Throwable cause) {
        closed.add(cause == null ? "" : String.valueOf(cause.getMessage()));
    }

    @Override
    public void onCopyData(ByteBuf data) {
        copied.add(data.readCharSequence(data.readableBytes(), US_ASCII).toString());
    }

    @Override
    public void onReadComplete() {
        copied.add("|");
    }

    @Override
    public void onCopyEnd(CopyEnd end) {
        copied.add(end);
    }

    @Test
    void startupIsAnsweredWithTheParameters() {
        EmbeddedChannel server = open(PgServerConfig.DEFAULT, null);
        receive(server, new InitialPacket.GssEncRequest());
        receive(server, new InitialPacket.SslRequest());
        assertThat(bytes(server)).isEqualTo("NN");
        receive(server, new StartupMessage(StartupMessage.VERSION_3_0 + 2, Map.of("user", "alice")));
        assertThat(sent(server).toString())
                .contains("client_encoding", "UTF8", "integer_datetimes", "server_version", "14.1")
                .doesNotContain("BackendKeyData");
    }

    @Test
    void whoBreaksTheProtocolBeforeItIsInGetsNoAnswer() {
        EmbeddedChannel garbage = open(PgServerConfig.DEFAULT, null);
        garbage.writeInbound(Unpooled.copiedBuffer("GET / HTTP/1.1\r\n\r\n", US_ASCII));
        assertThat(garbage.isOpen()).isFalse();
        assertThat(bytes(garbage)).isEmpty();

        EmbeddedChannel cancel = open(PgServerConfig.DEFAULT, null);
        receive(cancel, new InitialPacket.CancelRequest(1));
        assertThat(cancel.isOpen()).isFalse();

        EmbeddedChannel impatient = open(PgServerConfig.DEFAULT, (startup, password) -> Optional.empty());
        receive(impatient, new StartupMessage(StartupMessage.VERSION_3_0, Map.of()));
        receive(impatient, new FrontendMessage.Query("now"));
        assertThat(impatient.isOpen()).isFalse();
        assertThat(commands).isEmpty();
    }

    @Test
    void whoNeverComesInIsThrownOut() {
        PgServerConfig config =
                new PgServerConfig(null, false, "14.1", PgServerConfig.DEFAULT.limits(), Duration.ofSeconds(5));
        EmbeddedChannel server = open(config, null);
        server.advanceTimeBy(4, TimeUnit.SECONDS);
        server.runScheduledPendingTasks();
        assertThat(server.isOpen()).isTrue();
        server.advanceTimeBy(2, TimeUnit.SECONDS);
        server.runScheduledPendingTasks();
        assertThat(server.isOpen()).isFalse();
    }

    @Test
    void oneCommandComesAfterTheOther() {
        EmbeddedChannel server = opened();
        receive(server, new FrontendMessage.Query("first"), new FrontendMessage.Query("now 2"));
        assertThat(commands).containsExactly("first");
        assertThat(sent(server)).isEmpty();
        connection().complete("FIRST");
        assertThat(commands).containsExactly("first", "now 2");
        assertThat(sent(server).stream().map(m -> m.getClass().getSimpleName()))
                .containsExactly(
                        "CommandComplete",
                        "ReadyForQuery",
                        "RowDescription",
                        "DataRow",
                        "CommandComplete",
                        "ReadyForQuery");
        connection().complete("NOBODY ASKED");
        assertThat(sent(server)).isEmpty();
    }

    @Test
    void manyWaitingCommandsNeedNoDeepStackAndTooManyEndTheConnection() {
        EmbeddedChannel server = opened();
        receive(server, new FrontendMessage.Query("first"));
        for (int i = 0; i < PgServerConnection.MAX_WAITING_MESSAGES; i++) {
            receive(server, new FrontendMessage.Query("now"));
        }
        connection().complete("FIRST");
        assertThat(commands).hasSize(PgServerConnection.MAX_WAITING_MESSAGES + 1);
        sent(server);
        receive(server, new FrontendMessage.Query("again"));
        for (int i = 0; i <= PgServerConnection.MAX_WAITING_MESSAGES; i++) {
            receive(server, new FrontendMessage.Query("now"));
        }
        assertThat(server.isOpen()).isFalse();
        assertThat(closed).hasSize(1).first().asString().contains("messages during one command");
    }

    @Test
    void describeIsAnsweredWhenTheResultIsKnown() {
        EmbeddedChannel server = opened();
        receive(
                server,
                new FrontendMessage.Parse("", "now", List.of()),
                new FrontendMessage.Bind("", "", List.of(), List.of(), List.of()),
                new FrontendMessage.Describe(Target.PORTAL, ""));
        assertThat(sent(server)).containsExactly(Marker.PARSE_COMPLETE, Marker.BIND_COMPLETE);
        receive(server, new FrontendMessage.Execute("", 0));
        List<BackendMessage> result = sent(server);
        assertThat(result.getFirst()).isInstanceOf(RowDescription.class);
        assertThat(result.getLast()).isEqualTo(new CommandComplete("NOW"));
        receive(server, new FrontendMessage.Sync());
        assertThat(sent(server)).containsExactly(ReadyForQuery.IDLE);
        receive(server, new FrontendMessage.Describe(Target.PORTAL, ""), new FrontendMessage.Sync());
        assertThat(sent(server)).containsExactly(Marker.NO_DATA, ReadyForQuery.IDLE);
    }

    @Test
    void afterAnErrorEverythingIsSkippedUpToSync() {
        EmbeddedChannel server = opened();
        receive(
                server,
                new FrontendMessage.Parse("", "now", List.of(23)),
                new FrontendMessage.Bind("", "", List.of(), List.of(), List.of()),
                new FrontendMessage.Execute("", 0));
        assertThat(sent(server)).hasSize(1).first().isInstanceOf(ErrorResponse.class);
        receive(server, new FrontendMessage.Sync(), new FrontendMessage.Execute("", 7), new FrontendMessage.Sync());
        List<BackendMessage> answers = sent(server);
        assertThat(answers.getFirst()).isEqualTo(ReadyForQuery.IDLE);
        assertThat(answers.get(1).toString()).contains("row limit");
        assertThat(answers.get(2)).isEqualTo(ReadyForQuery.IDLE);
        assertThat(commands).isEmpty();
    }

    @Test
    void whatCameWithTheCommandEndsInAReadComplete() {
        EmbeddedChannel server = opened();
        receive(server, new FrontendMessage.Query("copy"), data("a"), data("b"));
        assertThat(copied).isEmpty();
        connection().startCopyBoth(this);
        assertThat(copied).containsExactly("a", "b", "|");
        assertThat(sent(server)).containsExactly(CopyResponse.BOTH);
    }

    @Test
    void copyGoesBothWaysAndEndsInTheQueryMode() {
        EmbeddedChannel server = opened();
        receive(server, new FrontendMessage.Query("copy"));
        connection().startCopyBoth(this);
        assertThat(sent(server)).containsExactly(CopyResponse.BOTH);
        receive(server, data("a"), data("b"), new CopyDone());
        assertThat(copied).containsExactly("a", "b", new CopyEnd.Done());
        connection().finishCopy("COPIED");
        assertThat(sent(server)).containsExactly(new CopyDone(), new CommandComplete("COPIED"), ReadyForQuery.IDLE);
        receive(server, new FrontendMessage.Query("copy"));
        connection().startCopyBoth(this);
        receive(server, new FrontendMessage.Query("not now"));
        assertThat(sent(server).getLast().toString()).contains("not a COPY message");
        assertThat(copied.getLast()).isInstanceOf(CopyEnd.Lost.class);
        assertThat(server.isOpen()).isFalse();
        assertThat(closed).hasSize(1);
    }

    @Test
    void copyOutHoldsBackWhatTheClientSaysMeanwhile() {
        EmbeddedChannel server = opened();
        // As drivers in Rust ask: a named statement, and Sync at once.
        receive(
                server,
                new FrontendMessage.Parse("s0", "copy", List.of()),
                new FrontendMessage.Describe(Target.STATEMENT, "s0"),
                new FrontendMessage.Sync());
        assertThat(sent(server)).hasSize(4).contains(Marker.PARSE_COMPLETE, Marker.NO_DATA);
        receive(
                server,
                new FrontendMessage.Bind("", "s0", List.of(), List.of(), List.of()),
                new FrontendMessage.Execute("", 0),
                new FrontendMessage.Sync());
        assertThat(commands).containsExactly("copy");
        connection().startCopyOut(this);
        connection().writeAndFlush(CopyFrames.frame(server.alloc(), 1, out -> out.writeByte('x')));
        List<BackendMessage> answers = sent(server);
        assertThat(answers).hasSize(3).startsWith(Marker.BIND_COMPLETE, CopyResponse.OUT);
        ReferenceCountUtil.release(answers.getLast());
        connection().finishCopy("COPIED");
        assertThat(sent(server)).containsExactly(new CopyDone(), new CommandComplete("COPIED"), ReadyForQuery.IDLE);

        receive(server, new FrontendMessage.Query("copy"));
        connection().startCopyOut(this);
        connection().fail(ErrorFields.error("XX000", "halfway"));
        answers = sent(server);
        assertThat(answers).startsWith(CopyResponse.OUT).endsWith(ReadyForQuery.IDLE);
        assertThat(answers.get(1).toString()).contains("halfway");

        receive(server, new FrontendMessage.Query("copy"));
        connection().startCopyOut(this);
        server.close().syncUninterruptibly();
        assertThat(copied.getLast()).isInstanceOf(CopyEnd.Lost.class);
    }

    @Test
    void aClientThatLeavesDuringACommandIsForgotten() {
        EmbeddedChannel server = opened();
        receive(server, new FrontendMessage.Query("slow"), new FrontendMessage.Query("waiting"));
        server.close().syncUninterruptibly();
        assertThat(closed).containsExactly("");
        connection().complete("TOO LATE");
        connection().startCopyBoth(this);
        assertThat(copied).containsExactly(new CopyEnd.Lost(null));
        assertThat(commands).containsExactly("slow");
    }

    @Test
    void aClientThatDoesNotReadIsNotWaitedForLong() {
        EmbeddedChannel server = opened();
        // Holds back everything that is written, as a full socket would.
        server.pipeline().addFirst(new ChannelOutboundHandlerAdapter() {
            @Override
            public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
                ReferenceCountUtil.release(message);
            }
        });
        connection().closeWith(ErrorFields.error("57P01", "shutdown"));
        assertThat(server.isOpen()).isTrue();
        server.advanceTimeBy(6, TimeUnit.SECONDS);
        server.runScheduledPendingTasks();
        assertThat(server.isOpen()).isFalse();
    }

    private static FrontendMessage data(String text) {
        return new CopyData(Unpooled.copiedBuffer(text, US_ASCII));
    }

    private static void receive(EmbeddedChannel server, InitialPacket packet) {
        ByteBuf out = Unpooled.buffer();
        packet.encode(out);
        server.writeInbound(out);
    }

    private static void receive(EmbeddedChannel server, FrontendMessage... messages) {
        ByteBuf out = Unpooled.buffer();
        for (FrontendMessage message : messages) {
            message.encode(out);
        }
        server.writeInbound(out);
    }

    private static List<BackendMessage> sent(EmbeddedChannel server) {
        ByteBuf all = Unpooled.buffer();
        for (ByteBuf out = server.readOutbound(); out != null; out = server.readOutbound()) {
            all.writeBytes(out);
            out.release();
        }
        List<BackendMessage> messages = new ArrayList<>();
        while (all.isReadable()) {
            int type = all.readUnsignedByte();
            messages.add(BackendMessage.decode(type, all.readSlice(all.readInt() - 4)));
        }
        return messages;
    }

    private static String bytes(EmbeddedChannel server) {
        StringBuilder text = new StringBuilder();
        for (ByteBuf out = server.readOutbound(); out != null; out = server.readOutbound()) {
            text.append(out.toString(US_ASCII));
            out.release();
        }
        return text.toString();
    }
}
