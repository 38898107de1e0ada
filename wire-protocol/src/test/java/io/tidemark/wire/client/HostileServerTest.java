package io.tidemark.wire.client;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.util.ReferenceCountUtil;
import io.tidemark.wire.frame.AuthenticationRequest;
import io.tidemark.wire.frame.BackendDecoder;
import io.tidemark.wire.frame.BackendMessage;
import io.tidemark.wire.frame.BackendMessage.CopyResponse;
import io.tidemark.wire.frame.BackendMessage.DataRow;
import io.tidemark.wire.frame.BackendMessage.ErrorResponse;
import io.tidemark.wire.frame.BackendMessage.ReadyForQuery;
import io.tidemark.wire.frame.BackendMessage.RowDescription;
import io.tidemark.wire.frame.Column;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyMessage.CopyData;
import io.tidemark.wire.frame.CopyMessage.CopyDone;
import io.tidemark.wire.frame.ErrorFields;
import io.tidemark.wire.frame.FrameLimits;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.frame.SqlState;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The client, message by message, against servers that lie, stop, or make no sense. */
class HostileServerTest {
    private static final PgClientConfig CONFIG =
            PgClientConfig.of("127.0.0.1", 1, "alice").withPassword("sesame");

    private final CompletableFuture<PgConnection> connected = new CompletableFuture<>();

    private EmbeddedChannel handshake(PgClientConfig config) {
        EmbeddedChannel channel = new EmbeddedChannel();
        if (config.sslMode() != SslMode.DISABLE) {
            channel.pipeline().addLast(new TlsNegotiation(config));
        }
        channel.pipeline().addLast(new BackendDecoder(config.limits()), new PgClientHandshake(config, connected));
        channel.pipeline().fireChannelActive();
        return channel;
    }

    private static void say(EmbeddedChannel channel, BackendMessage... messages) {
        ByteBuf out = PooledByteBufAllocator.DEFAULT.buffer();
        for (BackendMessage message : messages) {
            message.encode(out);
        }
        channel.writeInbound(out);
    }

    private void refused(Class<? extends Throwable> type, String why) {
        assertThat(connected).isCompletedExceptionally();
        assertThatThrownBy(connected::get)
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(type)
                .hasMessageContaining(why);
    }

    @ParameterizedTest
    @ValueSource(strings = {"S!", "N!", "E", "X", "\n"})
    void anAnswerToSslRequestIsOneByteThatMeansSomething(String answer) {
        EmbeddedChannel channel = handshake(CONFIG.withTls(SslMode.PREFER, null));
        channel.writeInbound(Unpooled.copiedBuffer(answer, US_ASCII));
        refused(InvalidMessageException.class, "SSLRequest");
        assertThat(channel.isOpen()).isFalse();
        channel.finishAndReleaseAll();
    }

    @Test
    void noTlsIsNotEnoughWhenItIsRequired() {
        EmbeddedChannel channel = handshake(CONFIG.withTls(SslMode.REQUIRE, null));
        channel.writeInbound(Unpooled.copiedBuffer("N", US_ASCII));
        refused(IOException.class, "does not offer TLS");
        channel.finishAndReleaseAll();
    }

    @Test
    void aServerMustProveItselfBeforeScramIsOver() {
        EmbeddedChannel channel = handshake(CONFIG);
        say(channel, new AuthenticationRequest.Sasl(List.of("SCRAM-SHA-256")), new AuthenticationRequest.Ok());
        refused(InvalidMessageException.class, "before it had proved itself");
        channel.finishAndReleaseAll();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "x", "r=abc,s=AAAA,i=4096", "e=other-error", "v=AAAA"})
    void aScramChallengeThatMakesNoSenseIsATypedError(String challenge) {
        EmbeddedChannel channel = handshake(CONFIG);
        say(
                channel,
                new AuthenticationRequest.Sasl(List.of("SCRAM-SHA-256")),
                new AuthenticationRequest.SaslContinue(challenge));
        refused(InvalidMessageException.class, "SCRAM");
        channel.finishAndReleaseAll();
    }

    @Test
    void iterationsAreLimitedBeforeTheyAreComputed() {
        ScramExchange scram = new ScramExchange(List.of("SCRAM-SHA-256"), "sesame", null);
        String first = scram.first().body().toString(US_ASCII);
        String nonce = first.substring(first.indexOf("r=") + 2);
        assertThatThrownBy(() -> scram.answer("r=" + nonce + "server,s=AAAA,i=2000000000"))
                .isInstanceOf(InvalidMessageException.class)
                .hasMessageContaining("2000000000 iterations");
    }

    @Test
    void channelBindingIsUsedWhereThereIsAChannelToBindTo() throws Exception {
        List<String> both = List.of("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256");
        ScramExchange bound = new ScramExchange(
                both,
                "sesame",
                new CertificateBuilder()
                        .subject("CN=localhost")
                        .setIsCertificateAuthority(true)
                        .rsa2048()
                        .buildSelfSigned()
                        .getCertificate());
        assertThat(bound.first().body().toString(US_ASCII))
                .startsWith("SCRAM-SHA-256-PLUS\0")
                .contains("p=tls-server-end-point");
        ScramExchange clear = new ScramExchange(both, "sesame", null);
        assertThat(clear.first().body().toString(US_ASCII)).startsWith("SCRAM-SHA-256\0");
        assertThatThrownBy(() -> new ScramExchange(List.of("OAUTHBEARER"), "sesame", null))
                .isInstanceOf(InvalidMessageException.class)
                .hasMessageContaining("OAUTHBEARER");
    }

    @Test
    void md5IsPostgresqlsAndNotThePassword() {
        // md5(md5("sesame" + "alice") + 0x01020304), by md5sum.
        assertThat(Md5Password.of("alice", "sesame", 0x01020304)).isEqualTo("md55186f3b6a7e31b8fedc1a1ffcb0e3472");
    }

    @Test
    void aServerThatFallsSilentIsGivenUp() {
        EmbeddedChannel channel = handshake(CONFIG);
        channel.advanceTimeBy(11, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        refused(IOException.class, "within 10000 ms");
        channel.finishAndReleaseAll();
    }

    @Test
    void readyBeforeAuthenticationIsNotReady() {
        EmbeddedChannel channel = handshake(CONFIG);
        say(channel, ReadyForQuery.IDLE);
        refused(InvalidMessageException.class, "unexpected during startup");
        channel.finishAndReleaseAll();
    }

    private EmbeddedChannel ready() {
        EmbeddedChannel channel = handshake(CONFIG);
        say(channel, new AuthenticationRequest.Ok(), ReadyForQuery.IDLE);
        assertThat(connected).isCompleted();
        return channel;
    }

    @Test
    void rowsThatDontFitTheirColumnsEndTheConnection() {
        EmbeddedChannel channel = ready();
        CompletableFuture<QueryResult> answer = connected.join().query("SHOW x");
        say(channel, new RowDescription(List.of(Column.text("a"))), new DataRow(List.of("1", "2")));
        assertThat(answer).isCompletedExceptionally();
        assertThat(channel.isOpen()).isFalse();
        channel.finishAndReleaseAll();
    }

    @Test
    void aResultIsLimited() {
        EmbeddedChannel channel = ready();
        CompletableFuture<QueryResult> answer = connected.join().query("SHOW x");
        say(channel, new RowDescription(List.of(Column.text("a"))));
        DataRow row = new DataRow(List.of("x".repeat(1_000_000)));
        for (int i = 0; i < 70 && !answer.isDone(); i++) {
            say(channel, row);
        }
        assertThat(answer).isCompletedExceptionally();
        assertThatThrownBy(answer::get).hasMessageContaining("a result of more than");
        channel.finishAndReleaseAll();
    }

    @Test
    void aCommandThatDoesNotCopyIsRefused() {
        EmbeddedChannel channel = ready();
        RecordingCopy copy = new RecordingCopy(b -> false);
        CompletableFuture<Void> started = connected.join().copy("START", copy);
        say(channel, new BackendMessage.CommandComplete("START"), ReadyForQuery.IDLE);
        assertThat(started).isCompletedExceptionally();
        CompletableFuture<Void> again = connected.join().copy("START", copy);
        say(channel, CopyResponse.BOTH, new CopyData(Unpooled.copiedBuffer("abc", US_ASCII)));
        assertThat(again).isCompleted();
        say(channel, new ErrorResponse(ErrorFields.error(SqlState.SUCCESSFUL_COMPLETION, "ending streaming")));
        assertThat(copy.end().join())
                .isEqualTo(new CopyEnd.ServerFailed(
                        ErrorFields.error(SqlState.SUCCESSFUL_COMPLETION, "ending streaming")));
        channel.close().syncUninterruptibly();
        assertThat(connected.join().closed()).isCompleted();
        channel.finishAndReleaseAll();
    }

    @Test
    void anErrorBetweenCommandsIsWhyTheConnectionIsGone() {
        EmbeddedChannel channel = ready();
        say(channel, new ErrorResponse(ErrorFields.fatal(SqlState.ADMIN_SHUTDOWN, "shutdown")));
        assertThat(connected.join().closed()).isCompletedExceptionally();
        assertThatThrownBy(() -> connected.join().query("SHOW x").get()).hasMessageContaining("shutdown");
        channel.finishAndReleaseAll();
    }

    @Test
    void anyOrderOfMessagesIsSurvivedAndLeaksNothing() {
        for (int seed = 0; seed < 500; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            CompletableFuture<PgConnection> connection = new CompletableFuture<>();
            EmbeddedChannel channel = new EmbeddedChannel(
                    new BackendDecoder(FrameLimits.DEFAULT), new PgClientHandshake(CONFIG, connection));
            say(channel, new AuthenticationRequest.Ok(), ReadyForQuery.IDLE);
            RecordingCopy copy = new RecordingCopy(b -> false);
            CompletableFuture<?> command = random.nextBoolean()
                    ? connection.join().copy("COPY", copy)
                    : connection.join().query("SHOW");
            for (int i = 0; i < 6 && channel.isOpen(); i++) {
                say(channel, anyMessage(random));
            }
            channel.close().syncUninterruptibly();
            assertThat(command.isDone()).as("seed %s", seed).isTrue();
            assertThat(connection.join().closed().isDone()).as("seed %s", seed).isTrue();
            for (Object out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
                ReferenceCountUtil.release(out);
            }
            channel.finishAndReleaseAll();
        }
    }

    private static BackendMessage anyMessage(SplittableRandom random) {
        return switch (random.nextInt(11)) {
            case 0, 1 -> CopyResponse.BOTH;
            case 2, 3, 4 -> new CopyData(Unpooled.copiedBuffer("abc", US_ASCII));
            case 5 -> new CopyDone();
            case 6 -> ReadyForQuery.IDLE;
            case 7 -> new ErrorResponse(new ErrorFields(Map.of()));
            case 8 -> new BackendMessage.CommandComplete("X");
            case 9 -> new RowDescription(List.of());
            default -> new DataRow(List.of());
        };
    }
}
