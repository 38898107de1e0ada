package io.tidemark.wire.frame;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a client says after its startup message: {@code u8 type, i32 length (with itself), body}. In the grammars below only
 * the body is given. Source: PostgreSQL's documentation, "Message Formats".
 */
public sealed interface FrontendMessage
        permits FrontendMessage.Query,
                FrontendMessage.Parse,
                FrontendMessage.Bind,
                FrontendMessage.Describe,
                FrontendMessage.Execute,
                FrontendMessage.Close,
                FrontendMessage.Sync,
                FrontendMessage.Flush,
                FrontendMessage.Terminate,
                FrontendMessage.AuthenticationResponse,
                FrontendMessage.CopyFail,
                CopyMessage {

    /**
     * Reads one body, which must end where the buffer does.
     *
     * @param body stays the caller's; a {@link CopyMessage.CopyData} keeps a reference to it
     * @throws InvalidMessageException for an unknown type or a wrong body
     */
    static FrontendMessage decode(int type, ByteBuf body) {
        MessageReader in = new MessageReader("frontend message '" + (char) type + "'", body);
        FrontendMessage message = switch (type) {
            case Query.TYPE -> new Query(in.cstring());
            case Parse.TYPE -> Parse.decode(in);
            case Bind.TYPE -> Bind.decode(in);
            case Describe.TYPE -> new Describe(Target.decode(in), in.cstring());
            case Execute.TYPE -> new Execute(in.cstring(), in.i32());
            case Close.TYPE -> new Close(Target.decode(in), in.cstring());
            case Sync.TYPE -> new Sync();
            case Flush.TYPE -> new Flush();
            case Terminate.TYPE -> new Terminate();
            case AuthenticationResponse.TYPE ->
                new AuthenticationResponse(Unpooled.wrappedBuffer(in.bytes(in.remaining())));
            case CopyFail.TYPE -> new CopyFail(in.lenientCString());
            case CopyMessage.CopyDone.TYPE -> new CopyMessage.CopyDone();
            case CopyMessage.CopyData.TYPE -> new CopyMessage.CopyData(in.retainedSlice(in.remaining()));
            default -> throw in.invalid("unknown message type 0x" + Integer.toHexString(type));
        };
        in.requireEnd();
        return message;
    }

    /** Appends the whole frame. */
    void encode(ByteBuf out);

    /** A simple query: {@code cstr sql}. */
    record Query(String sql) implements FrontendMessage {
        static final int TYPE = 'Q';

        @Override
        public void encode(ByteBuf out) {
            int length = FrameWriter.begin(out, TYPE);
            CString.write(out, sql);
            FrameWriter.end(out, length);
        }
    }

    /** {@code cstr statement, cstr sql, i16 n, n * u32 type}. */
    record Parse(String statement, String sql, List<Integer> parameterTypeOids) implements FrontendMessage {
        static final int TYPE = 'P';

        public Parse {
            parameterTypeOids = List.copyOf(parameterTypeOids);
        }

        static Parse decode(MessageReader in) {
            String statement = in.cstring();
            String sql = in.cstring();
            int n = in.count(in.u16(), 4);
            List<Integer> types = new ArrayList<>(n);
            for (int i = 0; i < n; i++) {
                types.add(in.i32());
            }
            return new Parse(statement, sql, types);
        }

        @Override
        public void encode(ByteBuf out) {
            int length = FrameWriter.begin(out, TYPE);
            CString.write(out, statement);
            CString.write(out, sql);
            out.writeShort(parameterTypeOids.size());
            parameterTypeOids.forEach(out::writeInt);
            FrameWriter.end(out, length);
        }
    }

    /**
     * {@code cstr portal, cstr statement, formats of parameters, i16 n, n * {i32 length or -1, bytes}, formats of results}
     * with {@code formats = i16 n, n * i16}.
     *
     * @param parameters copies on the heap, nothing to release; null for SQL's NULL
     */
    record Bind(
            String portal,
            String statement,
            List<Integer> parameterFormats,
            List<@Nullable ByteBuf> parameters,
            List<Integer> resultFormats)
            implements FrontendMessage {
        static final int TYPE = 'B';

        public Bind {
            parameterFormats = List.copyOf(parameterFormats);
            parameters = Collections.unmodifiableList(new ArrayList<>(parameters));
            resultFormats = List.copyOf(resultFormats);
        }

        static Bind decode(MessageReader in) {
            String portal = in.cstring();
            String statement = in.cstring();
            List<Integer> parameterFormats = formats(in);
            int n = in.count(in.u16(), 4);
            List<@Nullable ByteBuf> parameters = new ArrayList<>(n);
            for (int i = 0; i < n; i++) {
                int length = in.i32();
                parameters.add(length == -1 ? null : Unpooled.wrappedBuffer(in.bytes(length)));
            }
            return new Bind(portal, statement, parameterFormats, parameters, formats(in));
        }

        private static List<Integer> formats(MessageReader in) {
            int n = in.count(in.u16(), 2);
            List<Integer> formats = new ArrayList<>(n);
            for (int i = 0; i < n; i++) {
                formats.add(in.u16());
            }
            return formats;
        }

        @Override
        public void encode(ByteBuf out) {
            int length = FrameWriter.begin(out, TYPE);
            CString.write(out, portal);
            CString.write(out, statement);
            encodeFormats(parameterFormats, out);
            out.writeShort(parameters.size());
            for (ByteBuf parameter : parameters) {
                if (parameter == null) {
                    out.writeInt(-1);
                } else {
                    out.writeInt(parameter.readableBytes());
                    out.writeBytes(parameter, parameter.readerIndex(), parameter.readableBytes());
                }
            }
            encodeFormats(resultFormats, out);
            FrameWriter.end(out, length);
        }

        private static void encodeFormats(List<Integer> formats, ByteBuf out) {
            out.writeShort(formats.size());
            formats.forEach(out::writeShort);
        }
    }

    /** What Describe and Close speak of: a prepared statement ({@code S}) or a portal ({@code P}). */
    enum Target {
        STATEMENT('S'),
        PORTAL('P');

        private final int code;

        Target(int code) {
            this.code = code;
        }

        static Target decode(MessageReader in) {
            int code = in.u8();
            return switch (code) {
                case 'S' -> STATEMENT;
                case 'P' -> PORTAL;
                default -> throw in.invalid("neither a statement nor a portal: 0x" + Integer.toHexString(code));
            };
        }
    }

    /** {@code u8 target, cstr name}. */
    record Describe(Target target, String name) implements FrontendMessage {
        static final int TYPE = 'D';

        @Override
        public void encode(ByteBuf out) {
            int length = FrameWriter.begin(out, TYPE);
            out.writeByte(target.code);
            CString.write(out, name);
            FrameWriter.end(out, length);
        }
    }

    /** {@code cstr portal, i32 row limit}; 0 is "no limit". */
    record Execute(String portal, int rowLimit) implements FrontendMessage {
        static final int TYPE = 'E';

        @Override
        public void encode(ByteBuf out) {
            int length = FrameWriter.begin(out, TYPE);
            CString.write(out, portal);
            out.writeInt(rowLimit);
            FrameWriter.end(out, length);
        }
    }

    /** {@code u8 target, cstr name}. */
    record Close(Target target, String name) implements FrontendMessage {
        static final int TYPE = 'C';

        @Override
        public void encode(ByteBuf out) {
            int length = FrameWriter.begin(out, TYPE);
            out.writeByte(target.code);
            CString.write(out, name);
            FrameWriter.end(out, length);
        }
    }

    /** End of a group of extended-protocol messages. */
    record Sync() implements FrontendMessage {
        static final int TYPE = 'S';

        @Override
        public void encode(ByteBuf out) {
            FrameWriter.empty(out, TYPE);
        }
    }

    /** Send what you have. */
    record Flush() implements FrontendMessage {
        static final int TYPE = 'H';

        @Override
        public void encode(ByteBuf out) {
            FrameWriter.empty(out, TYPE);
        }
    }

    /** Goodbye. */
    record Terminate() implements FrontendMessage {
        static final int TYPE = 'X';

        @Override
        public void encode(ByteBuf out) {
            FrameWriter.empty(out, TYPE);
        }
    }

    /** COPY failed at the client: {@code cstr reason}. */
    record CopyFail(String reason) implements FrontendMessage {
        static final int TYPE = 'f';

        @Override
        public void encode(ByteBuf out) {
            int length = FrameWriter.begin(out, TYPE);
            CString.write(out, reason);
            FrameWriter.end(out, length);
        }
    }

    /**
     * PasswordMessage, SASLInitialResponse or SASLResponse: they share a type, and only what the server asked for before tells
     * them apart.
     *
     * @param body a copy on the heap, nothing to release; never printed
     */
    record AuthenticationResponse(ByteBuf body) implements FrontendMessage {
        static final int TYPE = 'p';

        /** {@code cstr password}. */
        public static AuthenticationResponse ofPassword(String password) {
            ByteBuf body = Unpooled.buffer();
            CString.write(body, password);
            return new AuthenticationResponse(body);
        }

        /** {@code cstr mechanism, i32 length, initial response}. */
        public static AuthenticationResponse ofSaslInitial(String mechanism, byte[] initial) {
            ByteBuf body = Unpooled.buffer();
            CString.write(body, mechanism);
            body.writeInt(initial.length).writeBytes(initial);
            return new AuthenticationResponse(body);
        }

        /** The bytes of a SASL mechanism, and nothing else. */
        public static AuthenticationResponse ofSasl(byte[] response) {
            return new AuthenticationResponse(Unpooled.wrappedBuffer(response));
        }

        /** Reads the body as a password; throws {@link InvalidMessageException} when it is none. */
        public String password() {
            MessageReader in = new MessageReader("password message", body.duplicate());
            String password = in.cstring();
            in.requireEnd();
            return password;
        }

        @Override
        public void encode(ByteBuf out) {
            int length = FrameWriter.begin(out, TYPE);
            out.writeBytes(body, body.readerIndex(), body.readableBytes());
            FrameWriter.end(out, length);
        }

        @Override
        public String toString() {
            return "AuthenticationResponse[" + body.readableBytes() + " bytes]";
        }
    }
}
