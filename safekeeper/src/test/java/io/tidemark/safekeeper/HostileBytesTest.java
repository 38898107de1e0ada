package io.tidemark.safekeeper;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.wire.frame.StartupOptions;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.walpush.WalPushVersion;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Bytes that are no protocol, on both ports: each costs its sender the connection, and nobody else anything. */
class HostileBytesTest {
    private static final TenantTimelineId TTID = TestSafekeeper.ttid(1);
    private static final long SEED = 20_261_121;

    @TempDir
    private Path directory;

    private TestSafekeeper safekeeper;

    @BeforeEach
    void start() throws Exception {
        safekeeper = new TestSafekeeper(directory);
    }

    @AfterEach
    void stop() {
        safekeeper.close();
    }

    private int pgPort() {
        return safekeeper.server().pgAddress().getPort();
    }

    /** Sends bytes, and waits until the other side closes, or has nothing to say for a while. */
    private static byte[] exchange(int port, byte[] bytes) throws IOException {
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(200);
            socket.getOutputStream().write(bytes);
            InputStream in = socket.getInputStream();
            byte[] buffer = new byte[8192];
            int read;
            while ((read = in.read(buffer)) > 0) {
                answer.write(buffer, 0, read);
            }
        } catch (SocketTimeoutException e) {
            // It waits for more: fine, too.
        } catch (IOException e) {
            // Reset: the server closed while we were still sending.
        }
        return answer.toByteArray();
    }

    private static byte[] startup(String options) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(body);
        out.writeInt(3 << 16);
        for (String text : new String[] {"user", "x", "options", options}) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
            out.write(0);
        }
        out.write(0);
        ByteArrayOutputStream packet = new ByteArrayOutputStream();
        new DataOutputStream(packet).writeInt(body.size() + 4);
        body.writeTo(packet);
        return packet.toByteArray();
    }

    private static byte[] message(int type, byte[] body) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        DataOutputStream data = new DataOutputStream(out);
        data.write(type);
        data.writeInt(body.length + 4);
        data.write(body);
        return out.toByteArray();
    }

    private static byte[] query(String sql) throws IOException {
        return message('Q', (sql + "\0").getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] concat(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    private void assertStillServes() throws Exception {
        try (TestProposer proposer = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3)) {
            proposer.greet();
        }
        safekeeper.http(200, "GET", "/v1/status", "");
    }

    @Test
    void randomBytesOnBothPorts() throws Exception {
        Random random = new Random(SEED);
        for (int i = 0; i < 30; i++) {
            byte[] bytes = new byte[1 + random.nextInt(4000)];
            random.nextBytes(bytes);
            exchange(pgPort(), bytes);
            exchange(safekeeper.server().httpAddress().getPort(), bytes);
        }
        assertStillServes();
    }

    @Test
    void lengthsThatCannotBe() throws Exception {
        byte[] huge = {0x7f, (byte) 0xff, (byte) 0xff, (byte) 0xff, 0, 3, 0, 0};
        assertThat(exchange(pgPort(), huge)).isEmpty();
        byte[] negative = {(byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff, 0, 3, 0, 0};
        assertThat(exchange(pgPort(), negative)).isEmpty();
        byte[] inMessage =
                concat(startup(StartupOptions.naming(TTID)), query("START_WAL_PUSH (proto_version '3')"), new byte[] {
                    'd', 0x7f, (byte) 0xff, (byte) 0xff, (byte) 0xff
                });
        assertThat(new String(exchange(pgPort(), inMessage), StandardCharsets.UTF_8))
                .contains("XX000");
        assertStillServes();
    }

    @Test
    void startupOptionsThatCannotBeAreAnsweredWithSilence() throws Exception {
        assertThat(exchange(pgPort(), startup("-c tenant_id=zz timeline_id=11")))
                .isEmpty();
        assertStillServes();
    }

    @Test
    void proposerMessagesCutAndTwistedAnywhere() throws Exception {
        Random random = new Random(SEED);
        byte[] greeting = ("g" + TTID.tenantId() + "\0" + TTID.timelineId() + "\0").getBytes(StandardCharsets.US_ASCII);
        greeting = concat(
                greeting, new byte[12], new byte[] {0, 2, 0x49, (byte) 0xf0}, new byte[8], new byte[] {1, 0, 0, 0});
        byte[] head = concat(startup(StartupOptions.naming(TTID)), query("START_WAL_PUSH (proto_version '3')"));
        for (int i = 0; i < 40; i++) {
            byte[] twisted = greeting.clone();
            twisted[random.nextInt(twisted.length)] ^= (byte) (1 + random.nextInt(255));
            byte[] vote = new byte[random.nextInt(30)];
            random.nextBytes(vote);
            byte[] bytes = concat(head, message('d', twisted), message('d', greeting), message('d', vote));
            exchange(pgPort(), bytes);
        }
        assertStillServes();
    }

    @Test
    void readersThatTalkNonsense() throws Exception {
        assertStillServes();
        Random random = new Random(SEED);
        byte[] head = concat(startup(StartupOptions.naming(TTID)), query("START_REPLICATION PHYSICAL 0/1000028"));
        for (int i = 0; i < 20; i++) {
            byte[] nonsense = new byte[random.nextInt(60)];
            random.nextBytes(nonsense);
            if (nonsense.length > 0) {
                nonsense[0] = (byte) "rhz?".charAt(i % 4);
            }
            exchange(pgPort(), concat(head, message('d', nonsense)));
        }
        assertStillServes();
    }

    @Test
    void httpThatIsNone() throws Exception {
        int port = safekeeper.server().httpAddress().getPort();
        for (String text : new String[] {
            "GET\r\n\r\n",
            "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /v1/status HTTP/1.1\r\n" + "x: y\r\n".repeat(5000) + "\r\n",
            "GET /" + "a".repeat(20_000) + " HTTP/1.1\r\n\r\n",
            "POST /v1/tenant/timeline HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
            "POST /v1/tenant/timeline HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n".repeat(200)
        }) {
            exchange(port, text.getBytes(StandardCharsets.US_ASCII));
        }
        assertStillServes();
    }
}
