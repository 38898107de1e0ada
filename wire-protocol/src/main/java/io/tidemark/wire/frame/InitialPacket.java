package io.tidemark.wire.frame;

import io.netty.buffer.ByteBuf;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a client may say first. These packets have no type byte: {@code i32 length (with itself), i32 code, body}. */
public sealed interface InitialPacket {
    /** The high 16 bits of all codes that are not a protocol version. */
    int REQUEST_MAJOR = 1234;

    /** Reads a packet behind its length word; throws {@link InvalidMessageException} for anything else. */
    static InitialPacket decode(ByteBuf in) {
        MessageReader reader = new MessageReader("initial packet", in);
        int code = reader.i32();
        if (code >>> 16 != REQUEST_MAJOR) {
            return StartupMessage.decode(code, new MessageReader("startup message", in));
        }
        InitialPacket packet = switch (code & 0xFFFF) {
            case SslRequest.CODE -> new SslRequest();
            case GssEncRequest.CODE -> new GssEncRequest();
            // The key grew from 4 bytes to anything up to 256 with protocol 3.2 (PostgreSQL 18).
            case CancelRequest.CODE -> {
                int processId = reader.i32();
                reader.skip(reader.remaining());
                yield new CancelRequest(processId);
            }
            default -> throw reader.invalid("unknown request code 1234." + (code & 0xFFFF));
        };
        reader.requireEnd();
        return packet;
    }

    /** Appends the packet with its length word. */
    void encode(ByteBuf out);

    /** May we talk TLS? The answer is one byte: {@code S} or {@code N}. */
    record SslRequest() implements InitialPacket {
        static final int CODE = 5679;

        @Override
        public void encode(ByteBuf out) {
            out.writeInt(8).writeShort(REQUEST_MAJOR).writeShort(CODE);
        }
    }

    /** May we talk GSSAPI encryption? The answer is one byte, here always {@code N}. */
    record GssEncRequest() implements InitialPacket {
        static final int CODE = 5680;

        @Override
        public void encode(ByteBuf out) {
            out.writeInt(8).writeShort(REQUEST_MAJOR).writeShort(CODE);
        }
    }

    /** Cancel what another connection is doing; nothing of ours can be cancelled, so its key is not kept. */
    record CancelRequest(int processId) implements InitialPacket {
        static final int CODE = 5678;

        @Override
        public void encode(ByteBuf out) {
            out.writeInt(16).writeShort(REQUEST_MAJOR).writeShort(CODE);
            out.writeInt(processId).writeInt(0);
        }
    }

    /**
     * Who I am and what I want: {@code i32 version, n * {cstr key, cstr value}, u8 0}.
     *
     * @param protocolVersion major in the high, minor in the low 16 bits; servers here do not check it
     * @param parameters in the order sent; of a key that comes twice the last value counts. Unmodifiable
     */
    record StartupMessage(int protocolVersion, Map<String, String> parameters) implements InitialPacket {
        /** Protocol 3.0. */
        public static final int VERSION_3_0 = 3 << 16;

        public StartupMessage {
            parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
        }

        static StartupMessage decode(int version, MessageReader in) {
            Map<String, String> parameters = new LinkedHashMap<>();
            for (String key = in.cstring(); !key.isEmpty(); key = in.cstring()) {
                parameters.put(key, in.cstring());
            }
            in.requireEnd();
            return new StartupMessage(version, parameters);
        }

        /** What {@code application_name} says; empty when it is absent. */
        public String applicationName() {
            return parameters.getOrDefault("application_name", "");
        }

        /** The {@code options} parameter, taken apart. */
        public StartupOptions options() {
            return StartupOptions.parse(parameters.getOrDefault("options", ""));
        }

        /** Throws {@link IllegalArgumentException} when there is an empty key, which would end the list. */
        @Override
        public void encode(ByteBuf out) {
            int start = out.writerIndex();
            out.writeInt(0).writeInt(protocolVersion);
            parameters.forEach((key, value) -> {
                if (key.isEmpty()) {
                    throw new IllegalArgumentException("a startup parameter needs a name");
                }
                CString.write(out, key);
                CString.write(out, value);
            });
            out.writeByte(0);
            out.setInt(start, out.writerIndex() - start);
        }
    }
}
