package io.tidemark.wire.page;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.wire.frame.HexBytes;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.rel.SlruKind;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class PagestreamCodecTest {
    private static final RelTag REL = new RelTag(1663, 16384, 16385, Fork.MAIN);
    private static final Lsn SINCE = Lsn.parse("0/169C3D8");

    @Test
    void versionThreeHasItsVectors() {
        var getPage = new PageRequest.GetPage(new RequestHeader(1, RequestHeader.LATEST, SINCE), REL, 7);
        assertThat(HexBytes.written(out -> getPage.encode(out, PagestreamVersion.V3)))
                .isEqualTo("02" + "0000000000000001" + "ffffffffffffffff" + "000000000169c3d8"
                        + "0000067f0000400000004001" + "00" + "00000007");
        var nblocks = new PageRequest.Nblocks(new RequestHeader(2, RequestHeader.LATEST, SINCE), REL);
        String echo = "0000000000000002ffffffffffffffff000000000169c3d80000067f000040000000400100";
        assertThat(HexBytes.written(out -> nblocks.encode(out, PagestreamVersion.V3)))
                .isEqualTo("01" + echo);
        assertThat(HexBytes.written(out -> new PageResponse.Nblocks(nblocks, 42).encode(out, PagestreamVersion.V3)))
                .isEqualTo("65" + echo + "0000002a");
        assertThat(HexBytes.written(out ->
                        new PageResponse.Failure(nblocks.header(), "Read error").encode(out, PagestreamVersion.V3)))
                .isEqualTo("67" + "0000000000000002ffffffffffffffff000000000169c3d8" + "52656164206572726f7200");
    }

    @Test
    void sizesAreThoseOfTheProtocol() {
        for (PageRequest request : requests(1)) {
            int v3 = encode(request, PagestreamVersion.V3).readableBytes();
            int expected = switch (request) {
                case PageRequest.Exists r -> 38;
                case PageRequest.Nblocks r -> 38;
                case PageRequest.GetPage r -> 42;
                case PageRequest.DbSize r -> 29;
                case PageRequest.GetSlruSegment r -> 30;
            };
            assertThat(v3).isEqualTo(expected);
            assertThat(encode(request, PagestreamVersion.V2).readableBytes()).isEqualTo(expected - 8);
        }
    }

    @Test
    void everyRequestAndEveryAnswerComesBackAsItWas() {
        for (int seed = 0; seed < 300; seed++) {
            for (PagestreamVersion version : PagestreamVersion.values()) {
                for (PageRequest request : requests(seed)) {
                    ByteBuf bytes = encode(request, version);
                    PageRequest decoded = PageRequest.decode(bytes.duplicate(), version);
                    if (version == PagestreamVersion.V3) {
                        assertThat(decoded).as("seed %s", seed).isEqualTo(request);
                    }
                    assertThat(encode(decoded, version)).as("seed %s", seed).isEqualTo(bytes);
                    for (PageResponse response : responses(decoded, seed)) {
                        ByteBuf answer = encode(response, version);
                        PageResponse back = PageResponse.decode(answer.duplicate(), version, decoded);
                        assertThat(back).hasSameClassAs(response);
                        assertThat(encode(back, version)).as("seed %s", seed).isEqualTo(answer);
                    }
                }
            }
        }
    }

    @Test
    void everyStrictPrefixIsRefused() {
        for (PagestreamVersion version : PagestreamVersion.values()) {
            for (PageRequest request : requests(3)) {
                ByteBuf bytes = encode(request, version);
                for (int length = 0; length < bytes.readableBytes(); length++) {
                    ByteBuf prefix = bytes.slice(0, length);
                    assertThatThrownBy(() -> PageRequest.decode(prefix, version))
                            .isInstanceOf(InvalidMessageException.class);
                }
                for (PageResponse response : responses(request, 3)) {
                    ByteBuf answer = encode(response, version);
                    for (int length = 0; length < Math.min(answer.readableBytes(), 100); length++) {
                        ByteBuf prefix = answer.slice(0, length);
                        assertThatThrownBy(() -> PageResponse.decode(prefix, version, request))
                                .isInstanceOf(InvalidMessageException.class);
                    }
                }
            }
        }
    }

    @Test
    void anAnswerToAnotherRequestIsRefused() {
        var asked = new PageRequest.GetPage(new RequestHeader(1, SINCE, SINCE), REL, 7);
        var other = new PageRequest.GetPage(new RequestHeader(1, SINCE, SINCE), REL, 8);
        ByteBuf answer = encode(new PageResponse.GetPage(other, new byte[8192]), PagestreamVersion.V3);
        assertThatThrownBy(() -> PageResponse.decode(answer, PagestreamVersion.V3, asked))
                .hasMessageContaining("another request");
        ByteBuf size =
                encode(new PageResponse.Nblocks(new PageRequest.Nblocks(asked.header(), REL), 1), PagestreamVersion.V2);
        assertThatThrownBy(() -> PageResponse.decode(size, PagestreamVersion.V2, asked))
                .isInstanceOf(InvalidMessageException.class);
    }

    @Test
    void randomBytesAreRequestsOrTypedErrors() {
        int decoded = 0;
        for (int seed = 0; seed < 5_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            ByteBuf bytes = Unpooled.buffer();
            bytes.writeByte(random.nextInt(7));
            for (int i = random.nextInt(60); i > 0; i--) {
                bytes.writeByte(random.nextInt(3) == 0 ? random.nextInt() : 0);
            }
            try {
                PageRequest.decode(bytes, random.nextBoolean() ? PagestreamVersion.V2 : PagestreamVersion.V3);
                decoded++;
            } catch (InvalidMessageException expected) {
                // the other possible outcome
            }
        }
        assertThat(decoded).isBetween(100, 4_900);
    }

    private static List<PageRequest> requests(int seed) {
        SplittableRandom random = new SplittableRandom(seed);
        RequestHeader header =
                new RequestHeader(random.nextLong(), Lsn.of(random.nextLong()), Lsn.of(random.nextLong()));
        RelTag rel = new RelTag(random.nextInt(), random.nextInt(), random.nextInt(), Fork.of(random.nextInt(4)));
        return List.of(
                new PageRequest.Exists(header, rel),
                new PageRequest.Nblocks(header, rel),
                new PageRequest.GetPage(header, rel, random.nextInt()),
                new PageRequest.DbSize(header, random.nextInt()),
                new PageRequest.GetSlruSegment(header, SlruKind.of(random.nextInt(3)), random.nextInt()));
    }

    private static List<PageResponse> responses(PageRequest request, int seed) {
        SplittableRandom random = new SplittableRandom(~seed);
        PageResponse failure = new PageResponse.Failure(request.header(), "Bad request: é " + seed);
        byte[] pages = new byte[8192 * 3];
        random.nextBytes(pages);
        PageResponse success = switch (request) {
            case PageRequest.Exists r -> new PageResponse.Exists(r, random.nextBoolean());
            case PageRequest.Nblocks r -> new PageResponse.Nblocks(r, random.nextInt());
            case PageRequest.GetPage r -> new PageResponse.GetPage(r, java.util.Arrays.copyOf(pages, 8192));
            case PageRequest.DbSize r -> new PageResponse.DbSize(r, random.nextLong());
            case PageRequest.GetSlruSegment r -> new PageResponse.SlruSegment(r, pages);
        };
        return List.of(success, failure);
    }

    private static ByteBuf encode(PageRequest request, PagestreamVersion version) {
        ByteBuf out = Unpooled.buffer();
        request.encode(out, version);
        return out;
    }

    private static ByteBuf encode(PageResponse response, PagestreamVersion version) {
        ByteBuf out = Unpooled.buffer();
        response.encode(out, version);
        return out;
    }
}
