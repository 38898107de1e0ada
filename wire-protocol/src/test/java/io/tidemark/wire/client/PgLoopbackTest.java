package io.tidemark.wire.client;

import static io.tidemark.wire.client.ClientGroup.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyFrames;
import io.tidemark.wire.frame.StartupOptions;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.server.PgServerConfig;
import io.tidemark.wire.server.ToyServer;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Our client and our server, over loopback TCP. */
class PgLoopbackTest {
    private final ClientGroup clients = new ClientGroup();
    private final ToyServer server = new ToyServer(PgServerConfig.DEFAULT, null);
    private final PgClientConfig config = PgClientConfig.of("127.0.0.1", server.port(), "alice");

    @AfterEach
    void stop() {
        clients.close();
        server.close();
    }

    @Test
    void aQueryBringsBackItsRows() throws Exception {
        PgConnection connection = clients.connect(config);
        assertThat(connection.serverParameter("server_version")).isEqualTo("14.1");
        QueryResult result = await(connection.query("SHOW me"));
        assertThat(result.tag()).isEqualTo("SHOW");
        assertThat(result.table().value(0, "question")).isEqualTo("SHOW me");
        assertThat(result.table().value(0, "length")).isEqualTo("7");
        assertThat(result.table().value(0, "answer")).isNull();
        assertThat(await(connection.query("nothing")).table().columns()).isEmpty();
        assertThat(await(connection.query("later")).tag()).isEqualTo("LATER");
        assertThat(await(connection.query("  ")).tag()).isEmpty();
        connection.close();
        await(connection.closed());
    }

    @Test
    void startupParametersArrive() throws Exception {
        TenantTimelineId id = new TenantTimelineId(new TenantId(1, 2), new TimelineId(3, 4));
        PgConnection connection = clients.connect(
                config.withParameter("replication", "true").withParameter("options", StartupOptions.naming(id)));
        QueryResult result = await(connection.query("startup"));
        assertThat(result.table().rows().toString())
                .contains("[user, alice]", "[replication, true]", "tenant_id=" + id.tenantId());
    }

    @Test
    void malformedOptionsCloseTheConnectionWithoutAnAnswer() {
        assertThatThrownBy(() -> clients.connect(config.withParameter("options", "-c tenant_id=xyz")))
                .isInstanceOf(IOException.class)
                .isNotInstanceOf(PgServerException.class)
                .hasMessageContaining("closed the connection during startup");
    }

    @Test
    void anErrorLeavesTheConnectionUsable() throws Exception {
        PgConnection connection = clients.connect(config);
        assertThatThrownBy(() -> await(connection.query("fail")))
                .isInstanceOfSatisfying(
                        PgServerException.class, e -> assertThat(e.sqlState()).isEqualTo("42704"))
                .hasMessageContaining("no such thing");
        assertThatThrownBy(() -> await(connection.query("throw")))
                .isInstanceOfSatisfying(
                        PgServerException.class,
                        e -> assertThat(e.error().message()).isEqualTo("outer: inner"));
        assertThatThrownBy(() -> await(connection.copy("fail", new RecordingCopy(b -> false))))
                .isInstanceOf(PgServerException.class);
        assertThat(await(connection.query("nothing")).tag()).isEqualTo("NOTHING");
    }

    @Test
    void nothingElseRunsDuringACopy() throws Exception {
        PgConnection connection = clients.connect(config);
        await(connection.copy("echo", new RecordingCopy(b -> false)));
        assertThatThrownBy(() -> await(connection.query("nothing"))).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void commandsWaitForEachOther() throws Exception {
        PgConnection connection = clients.connect(config);
        List<CompletableFuture<QueryResult>> answers = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            answers.add(connection.query("SHOW " + i));
        }
        for (int i = 0; i < 5; i++) {
            assertThat(await(answers.get(i)).table().value(0, "question")).isEqualTo("SHOW " + i);
        }
    }

    @Test
    void copyBothCarriesBytesBothWaysAndReturnsToQueries() throws Exception {
        SplittableRandom random = new SplittableRandom(42);
        PgConnection connection = clients.connect(config);
        int totalBytes = 3_000_000;
        RecordingCopy copy = new RecordingCopy(received -> received.readableBytes() >= totalBytes);
        await(connection.copy("echo", copy));
        ByteBuf sent = Unpooled.buffer(totalBytes);
        while (sent.readableBytes() < totalBytes) {
            byte[] chunk = new byte[Math.min(totalBytes - sent.readableBytes(), 1 + random.nextInt(131_072))];
            random.nextBytes(chunk);
            sent.writeBytes(chunk);
            ByteBuf frame = CopyFrames.frame(
                    ByteBufAllocator.DEFAULT,
                    1,
                    out -> out.writeByte(chunk[0]),
                    Unpooled.wrappedBuffer(chunk, 1, chunk.length - 1));
            connection.writeAndFlush(frame);
        }
        assertThat(await(copy.data())).isEqualTo(sent);
        connection.endCopy();
        assertThat(await(copy.end())).isEqualTo(new CopyEnd.Done());
        assertThat(server.copyEnds()).containsExactly(new CopyEnd.Done());
    }

    @Test
    void afterCopyTheConnectionTakesQueriesAgain() throws Exception {
        PgConnection connection = clients.connect(config);
        for (int round = 0; round < 3; round++) {
            RecordingCopy copy = new RecordingCopy(received -> received.isReadable());
            await(connection.copy("echo", copy));
            connection.writeAndFlush(CopyFrames.frame(ByteBufAllocator.DEFAULT, 4, out -> out.writeInt(7)));
            await(copy.data());
            connection.endCopy();
            await(copy.end());
            QueryResult result = await(connection.query("nothing"));
            assertThat(result.tag()).isEqualTo("NOTHING");
        }
    }

    @Test
    void whatAHandlerThrowsIsTheLastWordOfTheServer() throws Exception {
        PgConnection connection = clients.connect(config);
        RecordingCopy copy = new RecordingCopy(b -> false);
        await(connection.copy("echo", copy));
        connection.writeAndFlush(CopyFrames.frame(ByteBufAllocator.DEFAULT, 4, out -> out.writeInt(0xdeadbeef)));
        assertThat(await(copy.end()))
                .isInstanceOfSatisfying(
                        CopyEnd.ServerFailed.class,
                        failed -> assertThat(failed.error().message()).isEqualTo("poison"));
        // The server hears of the end of its connection after we have read its last word.
        Awaitility.await()
                .atMost(Duration.ofSeconds(10))
                .until(() -> !server.copyEnds().isEmpty());
        assertThat(server.copyEnds()).hasSize(1).first().isInstanceOf(CopyEnd.Lost.class);
        await(connection.closed());
        assertThatThrownBy(() -> await(connection.query("nothing"))).isInstanceOf(IOException.class);
    }

    @Test
    void aServerThatGoesAwayEndsTheCopy() throws Exception {
        PgConnection connection = clients.connect(config);
        RecordingCopy copy = new RecordingCopy(b -> false);
        await(connection.copy("echo", copy));
        server.close();
        assertThat(await(copy.end())).isInstanceOf(CopyEnd.Lost.class);
    }

    @Test
    void aPasswordIsCheckedWhenThereIsACheck() throws Exception {
        try (ToyServer guarded = new ToyServer(
                PgServerConfig.DEFAULT,
                (startup, password) ->
                        password.equals("sesame") ? Optional.empty() : Optional.of("JWT authentication error"))) {
            PgClientConfig guest = PgClientConfig.of("127.0.0.1", guarded.port(), "alice");
            PgConnection connection = clients.connect(guest.withPassword("sesame"));
            assertThat(await(connection.query("nothing")).tag()).isEqualTo("NOTHING");
            assertThatThrownBy(() -> clients.connect(guest.withPassword("open")))
                    .isInstanceOf(PgServerException.class)
                    .hasMessageContaining("JWT authentication error");
            assertThatThrownBy(() -> clients.connect(guest)).hasMessageContaining("asks for a password");
        }
    }

    @Test
    void nobodyListeningIsAnIoError() {
        server.close();
        assertThatThrownBy(() -> clients.connect(config)).isInstanceOf(IOException.class);
    }
}
