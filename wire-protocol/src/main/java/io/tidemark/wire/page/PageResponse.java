package io.tidemark.wire.page;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.frame.MessageReader;
import io.tidemark.wire.rel.SlruKind;
import java.nio.charset.StandardCharsets;

/**
 * What a compute is answered: {@code u8 tag, [the request without its tag, version 3], body}.
 *
 * <pre>
 *   100 Exists u8 | 101 Nblocks u32 | 102 GetPage 8192 bytes | 104 DbSize i64 | 105 GetSlruSegment n(u32) n * 8192 bytes
 *   103 Failure: of the request only the header is echoed; text, u8 0
 * </pre>
 *
 * <p>The echo is what was received, never the LSN that was used. A client that sees another echo on a success stops its
 * PostgreSQL at once.
 */
public sealed interface PageResponse {
    int PAGE_SIZE_BYTES = 8192;

    /** The first byte. */
    int tag();

    /** Appends the response. */
    void encode(ByteBuf out, PagestreamVersion version);

    /**
     * Reads the answer to {@code request}.
     *
     * @param in exactly one CopyData body; stays the caller's
     * @throws InvalidMessageException for anything else, an answer to another request included
     */
    static PageResponse decode(ByteBuf in, PagestreamVersion version, PageRequest request) {
        MessageReader reader = new MessageReader("page response", in);
        int tag = reader.u8();
        if (tag == Failure.TAG) {
            RequestHeader header =
                    version == PagestreamVersion.V3 ? RequestHeader.decode(reader, version) : request.header();
            String text = reader.cstring();
            reader.requireEnd();
            return new Failure(header, text);
        }
        if (version == PagestreamVersion.V3) {
            requireEcho(reader, request, version);
        }
        PageResponse response = decodeBody(reader, tag, request);
        reader.requireEnd();
        return response;
    }

    private static PageResponse decodeBody(MessageReader reader, int tag, PageRequest request) {
        if (tag != tagOfAnswer(request)) {
            throw reader.invalid("tag " + tag + " does not answer request tag " + request.tag());
        }
        return switch (request) {
            case PageRequest.Exists exists -> new Exists(exists, reader.u8() != 0);
            case PageRequest.Nblocks nblocks -> new Nblocks(nblocks, reader.i32());
            case PageRequest.GetPage getPage -> new GetPage(getPage, reader.bytes(PAGE_SIZE_BYTES));
            case PageRequest.DbSize dbSize -> new DbSize(dbSize, reader.i64());
            case PageRequest.GetSlruSegment segment -> {
                int blocks = reader.count(reader.u32(), PAGE_SIZE_BYTES);
                if (blocks > SlruKind.PAGES_PER_SEGMENT) {
                    throw reader.invalid(blocks + " blocks are more than a segment has");
                }
                yield new SlruSegment(segment, reader.bytes(blocks * PAGE_SIZE_BYTES));
            }
        };
    }

    private static int tagOfAnswer(PageRequest request) {
        return switch (request) {
            case PageRequest.Exists exists -> Exists.TAG;
            case PageRequest.Nblocks nblocks -> Nblocks.TAG;
            case PageRequest.GetPage getPage -> GetPage.TAG;
            case PageRequest.DbSize dbSize -> DbSize.TAG;
            case PageRequest.GetSlruSegment segment -> SlruSegment.TAG;
        };
    }

    private static void requireEcho(MessageReader reader, PageRequest request, PagestreamVersion version) {
        ByteBuf expected = Unpooled.buffer(64);
        request.encodeEcho(expected, version);
        byte[] echo = reader.bytes(expected.readableBytes());
        if (!ByteBufUtil.equals(expected, Unpooled.wrappedBuffer(echo))) {
            throw reader.invalid("it answers another request than " + request);
        }
    }

    private static void encodeEcho(ByteBuf out, PagestreamVersion version, PageRequest request) {
        if (version == PagestreamVersion.V3) {
            request.encodeEcho(out, version);
        }
    }

    /** Whether the fork exists. */
    record Exists(PageRequest.Exists request, boolean exists) implements PageResponse {
        static final int TAG = 100;

        @Override
        public int tag() {
            return TAG;
        }

        @Override
        public void encode(ByteBuf out, PagestreamVersion version) {
            out.writeByte(tag());
            encodeEcho(out, version, request);
            out.writeByte(exists ? 1 : 0);
        }
    }

    /** The fork's size in blocks, unsigned. */
    record Nblocks(PageRequest.Nblocks request, int blocks) implements PageResponse {
        static final int TAG = 101;

        @Override
        public int tag() {
            return TAG;
        }

        @Override
        public void encode(ByteBuf out, PagestreamVersion version) {
            out.writeByte(tag());
            encodeEcho(out, version, request);
            out.writeInt(blocks);
        }
    }

    /** A page of 8192 bytes. */
    @SuppressWarnings("ArrayRecordComponent") // a page is its bytes; nobody compares answers
    record GetPage(PageRequest.GetPage request, byte[] page) implements PageResponse {
        static final int TAG = 102;

        @Override
        public int tag() {
            return TAG;
        }

        @Override
        public void encode(ByteBuf out, PagestreamVersion version) {
            out.writeByte(tag());
            encodeEcho(out, version, request);
            out.writeBytes(page, 0, PAGE_SIZE_BYTES);
        }
    }

    /** The size in bytes. */
    record DbSize(PageRequest.DbSize request, long sizeBytes) implements PageResponse {
        static final int TAG = 104;

        @Override
        public int tag() {
            return TAG;
        }

        @Override
        public void encode(ByteBuf out, PagestreamVersion version) {
            out.writeByte(tag());
            encodeEcho(out, version, request);
            out.writeLong(sizeBytes);
        }
    }

    /** All blocks of the segment, one after the other. */
    @SuppressWarnings("ArrayRecordComponent") // a page is its bytes; nobody compares answers
    record SlruSegment(PageRequest.GetSlruSegment request, byte[] blocks) implements PageResponse {
        static final int TAG = 105;

        @Override
        public int tag() {
            return TAG;
        }

        @Override
        public void encode(ByteBuf out, PagestreamVersion version) {
            out.writeByte(tag());
            encodeEcho(out, version, request);
            out.writeInt(blocks.length / PAGE_SIZE_BYTES);
            out.writeBytes(blocks);
        }
    }

    /** The request could not be answered, and will not be: what can go better a second time closes the connection instead. */
    record Failure(RequestHeader header, String text) implements PageResponse {
        static final int TAG = 103;

        @Override
        public int tag() {
            return TAG;
        }

        @Override
        public void encode(ByteBuf out, PagestreamVersion version) {
            out.writeByte(TAG);
            if (version == PagestreamVersion.V3) {
                header.encode(out, version);
            }
            out.writeBytes(text.replace('\0', ' ').getBytes(StandardCharsets.UTF_8))
                    .writeByte(0);
        }
    }
}
