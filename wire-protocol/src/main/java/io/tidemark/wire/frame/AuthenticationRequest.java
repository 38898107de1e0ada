package io.tidemark.wire.frame;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;

/** What a server asks of a client before it lets it in: {@code 'R', i32 length, i32 kind, rest}. */
public sealed interface AuthenticationRequest extends BackendMessage {
    int TYPE = 'R';

    static AuthenticationRequest decode(MessageReader in) {
        int kind = in.i32();
        return switch (kind) {
            case Ok.KIND -> new Ok();
            case CleartextPassword.KIND -> new CleartextPassword();
            case Md5Password.KIND -> new Md5Password(in.i32());
            case Sasl.KIND -> Sasl.decode(in);
            case SaslContinue.KIND -> new SaslContinue(in.lenientText(in.remaining()));
            case SaslFinal.KIND -> new SaslFinal(in.lenientText(in.remaining()));
            default -> new Unsupported(kind, Unpooled.wrappedBuffer(in.bytes(in.remaining())));
        };
    }

    /** You are in. */
    record Ok() implements AuthenticationRequest {
        static final int KIND = 0;

        @Override
        public void encode(ByteBuf out) {
            out.writeByte(TYPE).writeInt(8).writeInt(KIND);
        }
    }

    /** The password as it is; a JWT for Neon's services. */
    record CleartextPassword() implements AuthenticationRequest {
        static final int KIND = 3;

        @Override
        public void encode(ByteBuf out) {
            out.writeByte(TYPE).writeInt(8).writeInt(KIND);
        }
    }

    /** {@code i32 salt}. */
    record Md5Password(int salt) implements AuthenticationRequest {
        static final int KIND = 5;

        @Override
        public void encode(ByteBuf out) {
            out.writeByte(TYPE).writeInt(12).writeInt(KIND).writeInt(salt);
        }
    }

    /** {@code n * cstr mechanism, u8 0}, the server's favourite first. */
    record Sasl(List<String> mechanisms) implements AuthenticationRequest {
        static final int KIND = 10;

        public Sasl {
            mechanisms = List.copyOf(mechanisms);
        }

        static Sasl decode(MessageReader in) {
            List<String> mechanisms = new ArrayList<>();
            for (String mechanism = in.cstring(); !mechanism.isEmpty(); mechanism = in.cstring()) {
                mechanisms.add(mechanism);
            }
            return new Sasl(mechanisms);
        }

        @Override
        public void encode(ByteBuf out) {
            int length = FrameWriter.begin(out, TYPE);
            out.writeInt(KIND);
            mechanisms.forEach(mechanism -> CString.write(out, mechanism));
            out.writeByte(0);
            FrameWriter.end(out, length);
        }
    }

    /** The mechanism's challenge; text, as SCRAM has it. */
    record SaslContinue(String challenge) implements AuthenticationRequest {
        static final int KIND = 11;

        @Override
        public void encode(ByteBuf out) {
            encodeText(out, KIND, challenge);
        }
    }

    /** The mechanism's last word; text, as SCRAM has it. */
    record SaslFinal(String outcome) implements AuthenticationRequest {
        static final int KIND = 12;

        @Override
        public void encode(ByteBuf out) {
            encodeText(out, KIND, outcome);
        }
    }

    /** A kind that is not spoken here: Kerberos, GSSAPI, SSPI. {@code rest} is a copy on the heap. */
    record Unsupported(int kind, ByteBuf rest) implements AuthenticationRequest {
        @Override
        public void encode(ByteBuf out) {
            int length = FrameWriter.begin(out, TYPE);
            out.writeInt(kind).writeBytes(rest, rest.readerIndex(), rest.readableBytes());
            FrameWriter.end(out, length);
        }
    }

    private static void encodeText(ByteBuf out, int kind, String text) {
        int length = FrameWriter.begin(out, TYPE);
        out.writeInt(kind);
        out.writeCharSequence(text, java.nio.charset.StandardCharsets.UTF_8);
        FrameWriter.end(out, length);
    }
}
