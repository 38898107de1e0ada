package io.tidemark.wire.frame;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.DecoderException;
import io.netty.util.ReferenceCountUtil;
import io.tidemark.wire.frame.CopyMessage.CopyData;
import io.tidemark.wire.frame.FrontendMessage.AuthenticationResponse;
import io.tidemark.wire.frame.InitialPacket.StartupMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FrameCodecTest {
    private static final int SEEDS = 100;
    private static final StartupMessage STARTUP =
            new StartupMessage(StartupMessage.VERSION_3_0, Map.of("user", "alice"));

    @Test
    void everyMessageComesBackAsItWas() {
        for (int seed = 0; seed < SEEDS; seed++) {
            FrameGenerator generator = new FrameGenerator(seed);
            for (FrontendMessage message : generator.frontend()) {
                ByteBuf frame = encoded(message);
                assertThat(FrontendMessage.decode(frame.getByte(0), body(frame)))
                        .as("seed %s", seed)
                        .isEqualTo(message);
            }
            for (BackendMessage message : generator.backend()) {
                ByteBuf frame = encoded(message);
                assertThat(BackendMessage.decode(frame.getByte(0), body(frame)))
                        .as("seed %s", seed)
                        .isEqualTo(message);
            }
            for (InitialPacket packet : generator.initial()) {
                ByteBuf bytes = encoded(packet);
                assertThat(bytes.readInt()).isEqualTo(bytes.readableBytes() + 4);
                assertThat(InitialPacket.decode(bytes)).as("seed %s", seed).isEqualTo(packet);
            }
        }
    }

    @Test
    void everyStrictPrefixOfABodyIsRefused() {
        for (int seed = 0; seed < 10; seed++) {
            FrameGenerator generator = new FrameGenerator(seed);
            for (FrontendMessage message : generator.frontend()) {
                if (message instanceof CopyData || message instanceof AuthenticationResponse) {
                    continue; // Their bodies are any bytes.
                }
                ByteBuf frame = encoded(message);
                forEveryStrictPrefix(body(frame), prefix -> FrontendMessage.decode(frame.getByte(0), prefix));
            }
            for (BackendMessage message : generator.backend()) {
                if (message instanceof CopyData
                        || message instanceof AuthenticationRequest.SaslContinue
                        || message instanceof AuthenticationRequest.SaslFinal
                        || message instanceof AuthenticationRequest.Unsupported) {
                    continue;
                }
                ByteBuf frame = encoded(message);
                forEveryStrictPrefix(body(frame), prefix -> BackendMessage.decode(frame.getByte(0), prefix));
            }
        }
        forEveryStrictPrefix(encoded(STARTUP).skipBytes(4), InitialPacket::decode);
    }

    private static void forEveryStrictPrefix(ByteBuf body, java.util.function.Consumer<ByteBuf> decode) {
        for (int length = 0; length < body.readableBytes(); length++) {
            ByteBuf prefix = body.slice(body.readerIndex(), length);
            assertThatThrownBy(() -> decode.accept(prefix)).isInstanceOf(InvalidMessageException.class);
        }
    }

    @Test
    void bytesBehindABodyAreRefused() {
        for (FrontendMessage message : new FrameGenerator(3).frontend()) {
            if (!(message instanceof CopyData) && !(message instanceof AuthenticationResponse)) {
                ByteBuf frame = encoded(message).writeByte(0);
                assertThatThrownBy(() -> FrontendMessage.decode(frame.getByte(0), body(frame)))
                        .isInstanceOf(InvalidMessageException.class);
            }
        }
    }

    @Test
    void everySplitPointOfAStreamGivesTheSameMessages() {
        List<Object> expected = new ArrayList<>();
        ByteBuf stream = Unpooled.buffer();
        STARTUP.encode(stream);
        expected.add(STARTUP);
        for (FrontendMessage message : new FrameGenerator(5).frontend()) {
            message.encode(stream);
            expected.add(message);
        }
        for (int split = 0; split <= stream.readableBytes(); split++) {
            EmbeddedChannel channel = frontendChannel();
            channel.writeInbound(stream.copy(0, split));
            channel.writeInbound(stream.copy(split, stream.readableBytes() - split));
            assertThat(drain(channel)).as("split at %s", split).isEqualTo(expected);
        }
        EmbeddedChannel byByte = frontendChannel();
        for (int i = 0; i < stream.readableBytes(); i++) {
            byByte.writeInbound(stream.copy(i, 1));
        }
        assertThat(drain(byByte)).isEqualTo(expected);
    }

    private static List<Object> drain(EmbeddedChannel channel) {
        List<Object> messages = new ArrayList<>();
        for (Object message = channel.readInbound(); message != null; message = channel.readInbound()) {
            messages.add(message);
        }
        channel.finishAndReleaseAll();
        return messages;
    }

    @Test
    void copyDataIsASliceOfWhatWasReceived() {
        EmbeddedChannel channel = new EmbeddedChannel(new BackendDecoder(FrameLimits.DEFAULT));
        ByteBuf received = PooledByteBufAllocator.DEFAULT.directBuffer();
        new CopyData(Unpooled.wrappedBuffer(new byte[1000])).encode(received);
        new CopyData(Unpooled.wrappedBuffer(new byte[2000])).encode(received);
        long address = received.memoryAddress();
        channel.writeInbound(received);
        CopyData first = channel.readInbound();
        CopyData second = channel.readInbound();
        assertThat(first.data().memoryAddress()).isEqualTo(address + 5);
        assertThat(second.data().memoryAddress()).isEqualTo(address + 5 + 1000 + 5);
        first.release();
        assertThat(second.data().readableBytes()).isEqualTo(2000);
        second.release();
        assertThat(received.refCnt()).isZero();
        channel.finishAndReleaseAll();
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 3, Integer.MIN_VALUE, Integer.MAX_VALUE, 4 + (1 << 20) + 1})
    void aHostileLengthIsRefusedWhenItIsRead(int length) {
        EmbeddedChannel channel = authenticatedChannel();
        ByteBuf header = Unpooled.buffer().writeByte('Q').writeInt(length);
        assertThatThrownBy(() -> channel.writeInbound(header))
                .isInstanceOf(DecoderException.class)
                .hasCauseInstanceOf(InvalidMessageException.class);
        // Out of step for good: the rest is swallowed, not looked at.
        channel.writeInbound(encoded(new FrontendMessage.Sync()));
        assertThat(channel.inboundMessages()).isEmpty();
        channel.finishAndReleaseAll();
    }

    @Test
    void limitsDependOnThePhaseAndTheType() {
        FrameLimits limits = new FrameLimits(50, 100, 200, 300);
        FrontendDecoder decoder = new FrontendDecoder(limits);
        EmbeddedChannel channel = new EmbeddedChannel(decoder);
        channel.writeInbound(encoded(STARTUP));
        FrontendMessage query = new FrontendMessage.Query("x".repeat(150));
        FrontendMessage data = new CopyData(Unpooled.wrappedBuffer(new byte[300]));
        assertThatThrownBy(() -> channel.writeInbound(encoded(query))).hasMessageContaining("at most 100");
        channel.finishAndReleaseAll();

        FrontendDecoder authenticated = new FrontendDecoder(limits);
        EmbeddedChannel other = new EmbeddedChannel(authenticated);
        other.writeInbound(encoded(STARTUP));
        authenticated.authenticated();
        other.writeInbound(encoded(query), encoded(data));
        assertThat(drain(other)).containsExactly(STARTUP, query, data);

        EmbeddedChannel third = new EmbeddedChannel(new FrontendDecoder(limits));
        assertThatThrownBy(() -> third.writeInbound(Unpooled.buffer().writeInt(55)))
                .hasMessageContaining("announces a length");
        assertThatThrownBy(
                        () -> frontendChannel().writeInbound(Unpooled.buffer().writeInt(7)))
                .hasMessageContaining("announces a length");
        third.finishAndReleaseAll();
    }

    @Test
    void clearTextBehindARequestForEncryptionIsRefused() {
        EmbeddedChannel channel = frontendChannel();
        ByteBuf stuffed = encoded(new InitialPacket.SslRequest());
        STARTUP.encode(stuffed);
        assertThatThrownBy(() -> channel.writeInbound(stuffed)).hasMessageContaining("unencrypted bytes");
        assertThat(channel.inboundMessages()).isEmpty();
        channel.finishAndReleaseAll();
    }

    @Test
    void randomStreamsAreMessagesOrOneTypedErrorAndLeakNothing() {
        for (int seed = 0; seed < 800; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            boolean frontend = random.nextBoolean();
            EmbeddedChannel channel =
                    frontend ? authenticatedChannel() : new EmbeddedChannel(new BackendDecoder(FrameLimits.DEFAULT));
            ByteBuf stream = PooledByteBufAllocator.DEFAULT.buffer();
            FrameGenerator generator = new FrameGenerator(seed);
            if (frontend) {
                generator.frontend().forEach(message -> message.encode(stream));
            } else {
                generator.backend().forEach(message -> message.encode(stream));
            }
            for (int i = random.nextInt(4); i >= 0; i--) {
                stream.setByte(random.nextInt(stream.writerIndex()), random.nextInt());
            }
            stream.writerIndex(random.nextInt(stream.writerIndex() + 1));
            try {
                channel.writeInbound(stream);
            } catch (DecoderException e) {
                assertThat(e).as("seed %s", seed).hasCauseInstanceOf(InvalidMessageException.class);
            }
            for (Object message = channel.readInbound(); message != null; message = channel.readInbound()) {
                ReferenceCountUtil.release(message);
            }
            channel.finishAndReleaseAll();
            assertThat(stream.refCnt()).as("seed %s", seed).isZero();
        }
    }

    @Test
    void passwordsAreNotPrinted() {
        assertThat(AuthenticationResponse.ofPassword("secret").toString()).doesNotContain("secret");
        assertThat(new BackendMessage.BackendKeyData(1, 0x5ec4e7).toString()).doesNotContain("6210791");
    }

    private static EmbeddedChannel frontendChannel() {
        FrontendDecoder decoder = new FrontendDecoder(FrameLimits.DEFAULT);
        decoder.authenticated();
        return new EmbeddedChannel(decoder);
    }

    private static EmbeddedChannel authenticatedChannel() {
        EmbeddedChannel channel = frontendChannel();
        channel.writeInbound(encoded(STARTUP));
        assertThat(channel.inboundMessages().remove()).isEqualTo(STARTUP);
        return channel;
    }

    private static ByteBuf body(ByteBuf frame) {
        assertThat(frame.getInt(1)).isLessThanOrEqualTo(frame.readableBytes() - 1);
        return frame.slice(5, frame.readableBytes() - 5);
    }

    private static ByteBuf encoded(FrontendMessage message) {
        ByteBuf out = Unpooled.buffer();
        message.encode(out);
        return out;
    }

    private static ByteBuf encoded(BackendMessage message) {
        ByteBuf out = Unpooled.buffer();
        message.encode(out);
        return out;
    }

    private static ByteBuf encoded(InitialPacket packet) {
        ByteBuf out = Unpooled.buffer();
        packet.encode(out);
        return out;
    }
}
