package io.tidemark.wire.page;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.frame.MessageReader;
import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.rel.SlruKind;

/**
 * What a compute asks: {@code u8 tag, header, body}.
 *
 * <pre>
 *   0 Exists   rel            rel = spcnode(u32) dbnode(u32) relnode(u32) forknum(u8)
 *   1 Nblocks  rel
 *   2 GetPage  rel blkno(u32)
 *   3 DbSize   dbnode(u32)
 *   4 GetSlruSegment  kind(u8) segno(u32)
 * </pre>
 *
 * <p>Bytes behind a request are ignored, as Neon does.
 */
public sealed interface PageRequest {
    /** The part that all requests have. */
    RequestHeader header();

    /** Appends the request, tag included. */
    default void encode(ByteBuf out, PagestreamVersion version) {
        out.writeByte(tag());
        encodeEcho(out, version);
    }

    /** Appends the request without its tag: what version 3 echoes. */
    default void encodeEcho(ByteBuf out, PagestreamVersion version) {
        header().encode(out, version);
        encodeBody(out);
    }

    /** The first byte. */
    int tag();

    /** Appends what follows the header. */
    void encodeBody(ByteBuf out);

    /**
     * Reads one request.
     *
     * @param in exactly one CopyData body; stays the caller's
     * @throws InvalidMessageException for anything that is not a request
     */
    static PageRequest decode(ByteBuf in, PagestreamVersion version) {
        MessageReader reader = new MessageReader("page request", in);
        int tag = reader.u8();
        RequestHeader header = RequestHeader.decode(reader, version);
        return switch (tag) {
            case Exists.TAG -> new Exists(header, rel(reader));
            case Nblocks.TAG -> new Nblocks(header, rel(reader));
            case GetPage.TAG -> new GetPage(header, rel(reader), reader.i32());
            case DbSize.TAG -> new DbSize(header, reader.i32());
            case GetSlruSegment.TAG -> new GetSlruSegment(header, slruKind(reader), reader.i32());
            default -> throw new InvalidMessageException("unknown page request tag " + tag);
        };
    }

    private static RelTag rel(MessageReader in) {
        int tablespace = in.i32();
        int database = in.i32();
        int relation = in.i32();
        int fork = in.u8();
        if (fork > Fork.INIT.number()) {
            throw in.invalid("no fork has the number " + fork);
        }
        return new RelTag(tablespace, database, relation, Fork.of(fork));
    }

    private static SlruKind slruKind(MessageReader in) {
        int kind = in.u8();
        if (kind > SlruKind.MULTIXACT_OFFSETS.number()) {
            throw in.invalid("no SLRU has the number " + kind);
        }
        return SlruKind.of(kind);
    }

    private static void encodeRel(ByteBuf out, RelTag rel) {
        out.writeInt(rel.tablespace()).writeInt(rel.database()).writeInt(rel.relation());
        out.writeByte(rel.fork().number());
    }

    /** Whether a fork of a relation exists. */
    record Exists(RequestHeader header, RelTag rel) implements PageRequest {
        static final int TAG = 0;

        @Override
        public int tag() {
            return TAG;
        }

        @Override
        public void encodeBody(ByteBuf out) {
            encodeRel(out, rel);
        }
    }

    /** How many blocks a fork of a relation has. */
    record Nblocks(RequestHeader header, RelTag rel) implements PageRequest {
        static final int TAG = 1;

        @Override
        public int tag() {
            return TAG;
        }

        @Override
        public void encodeBody(ByteBuf out) {
            encodeRel(out, rel);
        }
    }

    /**
     * One page.
     *
     * @param block unsigned
     */
    record GetPage(RequestHeader header, RelTag rel, int block) implements PageRequest {
        static final int TAG = 2;

        @Override
        public int tag() {
            return TAG;
        }

        @Override
        public void encodeBody(ByteBuf out) {
            encodeRel(out, rel);
            out.writeInt(block);
        }
    }

    /** How many bytes a database has in its default tablespace. */
    record DbSize(RequestHeader header, int database) implements PageRequest {
        static final int TAG = 3;

        @Override
        public int tag() {
            return TAG;
        }

        @Override
        public void encodeBody(ByteBuf out) {
            out.writeInt(database);
        }
    }

    /** A whole segment of an SLRU. */
    record GetSlruSegment(RequestHeader header, SlruKind kind, int segment) implements PageRequest {
        static final int TAG = 4;

        @Override
        public int tag() {
            return TAG;
        }

        @Override
        public void encodeBody(ByteBuf out) {
            out.writeByte(kind.number());
            out.writeInt(segment);
        }
    }
}
