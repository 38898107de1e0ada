package io.tidemark.it.pageserver;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.page.PageRequest;
import io.tidemark.wire.page.PagestreamVersion;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A plain socket to a pageserver, on which a test can say what no client would; and the bytes of what a client says. */
final class RawPageClient implements AutoCloseable {
    private static final int PROTOCOL_3 = 3 << 16;
    private static final int READ_TIMEOUT_MILLIS = 30_000;

    private final Socket socket;
    private final DataInputStream in;

    RawPageClient(int port) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(READ_TIMEOUT_MILLIS);
        in = new DataInputStream(socket.getInputStream());
    }

    /** Says nothing more, but listens. */
    void end() throws IOException {
        socket.shutdownOutput();
    }

    void send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
    }

    /** Everything until the other side closes; a reset is an end, too. */
    byte[] rest() throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] buffer = new byte[8192];
        try {
            InputStream bytes = socket.getInputStream();
            for (int read = bytes.read(buffer); read > 0; read = bytes.read(buffer)) {
                all.write(buffer, 0, read);
            }
        } catch (java.net.SocketTimeoutException e) {
            throw new IOException("the server neither answers nor closes", e);
        } catch (IOException reset) {
            // It closed while bytes of ours were on their way.
        }
        return all.toByteArray();
    }

    /** Reads one message. Returns its type; its body goes nowhere. */
    int skipMessage() throws IOException {
        int type = in.readUnsignedByte();
        int left = in.readInt() - Integer.BYTES;
        while (left > 0) {
            long skipped = in.skip(left);
            if (skipped <= 0) {
                throw new EOFException("in the middle of a message of type " + (char) type);
            }
            left -= (int) skipped;
        }
        return type;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    static byte[] startup() {
        byte[] body = "user\0x\0\0".getBytes(StandardCharsets.US_ASCII);
        return bytes(out -> {
            out.writeInt(body.length + 8);
            out.writeInt(PROTOCOL_3);
            out.write(body);
        });
    }

    static byte[] message(int type, byte[] body) {
        return bytes(out -> {
            out.write(type);
            out.writeInt(body.length + Integer.BYTES);
            out.write(body);
        });
    }

    static byte[] query(String text) {
        return message('Q', (text + "\0").getBytes(StandardCharsets.UTF_8));
    }

    /** From the first byte to the beginning of the stream. */
    static byte[] head(PagestreamVersion version, TenantTimelineId id) {
        return concat(startup(), query(version.command() + " " + id.tenantId() + " " + id.timelineId()));
    }

    static byte[] encode(PageRequest request, PagestreamVersion version) {
        ByteBuf buffer = Unpooled.buffer();
        request.encode(buffer, version);
        byte[] body = new byte[buffer.readableBytes()];
        buffer.readBytes(body);
        return body;
    }

    static byte[] concat(byte[]... parts) {
        return bytes(out -> {
            for (byte[] part : parts) {
                out.write(part);
            }
        });
    }

    private interface Writing {
        void to(DataOutputStream out) throws IOException;
    }

    private static byte[] bytes(Writing writing) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            writing.to(new DataOutputStream(bytes));
        } catch (IOException e) {
            throw new AssertionError("memory does not fail", e);
        }
        return bytes.toByteArray();
    }
}
