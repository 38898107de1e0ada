package io.tidemark.wire.walpush;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.frame.CString;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.frame.MessageReader;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.id.TimelineId;

/**
 * What a proposer says to an acceptor; one message per CopyData.
 *
 * <p>In the grammars of the records, v2 fields are little endian and v3 fields big endian; {@code id} is 16 bytes,
 * {@code hexid} 32 hex digits and a zero byte, {@code mconf} is in {@link MembershipConfig}, {@code history} in {@link
 * TermHistory}.
 */
public sealed interface ProposerMessage {

    /**
     * Reads one message. Bytes after its end are ignored, as every safekeeper does.
     *
     * @param in exactly one CopyData body; stays the caller's, its reader index moves. An {@link AppendRequest} keeps a
     *     reference to it through its {@code wal}
     * @throws InvalidMessageException for anything that is not a message of this version
     */
    static ProposerMessage decode(WalPushVersion version, ByteBuf in) {
        int tag = WalPushTag.read(version, "proposer message", in);
        return switch (tag) {
            case WalPushTag.GREETING -> ProposerGreeting.decode(version, in);
            case WalPushTag.VOTE -> VoteRequest.decode(version, in);
            case WalPushTag.ELECTED -> ProposerElected.decode(version, in);
            case WalPushTag.APPEND -> AppendRequest.decode(version, in);
            default -> throw WalPushTag.unknown(tag);
        };
    }

    /** Appends the message to {@code out}. Version 2 has no place for membership: it is left out. */
    void encode(WalPushVersion version, ByteBuf out);

    /**
     * The first message of a connection: who I am and which WAL I bring. {@code systemId} is unknown in sync mode.
     *
     * <pre>
     * v2: u64 'g', u32 2, u32 pg_version, 16 bytes proposer uuid, u64 system_id, id timeline, id tenant, u32 tli,
     *     u32 wal_seg_size
     * v3: u8 'g', hexid tenant, hexid timeline, mconf, u32 pg_version, u64 system_id, u32 wal_seg_size
     * </pre>
     *
     * @param pgVersion unknown, or of a supported major version
     * @param walSegmentSizeBytes a power of two from 1 MiB to 1 GiB
     */
    record ProposerGreeting(
            TenantId tenantId,
            TimelineId timelineId,
            MembershipConfig membership,
            PgVersion pgVersion,
            SystemId systemId,
            int walSegmentSizeBytes)
            implements ProposerMessage {
        private static final int PROPOSER_UUID_BYTES = 16;
        private static final int MIN_SEGMENT_BYTES = 1 << 20;
        private static final int MAX_SEGMENT_BYTES = 1 << 30;

        static ProposerGreeting decode(WalPushVersion version, ByteBuf in) {
            MessageReader reader = new MessageReader("proposer greeting", in);
            return switch (version) {
                case V2 -> decodeV2(reader);
                case V3 -> decodeV3(reader);
            };
        }

        private static ProposerGreeting decodeV2(MessageReader in) {
            long protocolVersion = in.u32LE();
            if (protocolVersion != WalPushVersion.V2.number()) {
                throw in.invalid("unsupported protocol version " + protocolVersion);
            }
            PgVersion pgVersion = pgVersion(in, in.i32LE());
            in.skip(PROPOSER_UUID_BYTES);
            SystemId systemId = SystemId.of(in.i64LE());
            TimelineId timelineId = new TimelineId(in.i64(), in.i64());
            TenantId tenantId = new TenantId(in.i64(), in.i64());
            in.skip(4);
            return new ProposerGreeting(
                    tenantId, timelineId, MembershipConfig.NONE, pgVersion, systemId, segmentSize(in, in.i32LE()));
        }

        private static ProposerGreeting decodeV3(MessageReader in) {
            TenantId tenantId;
            TimelineId timelineId;
            try {
                tenantId = TenantId.parse(in.cstring());
                timelineId = TimelineId.parse(in.cstring());
            } catch (IllegalArgumentException e) {
                throw new InvalidMessageException("proposer greeting: " + e.getMessage(), e);
            }
            MembershipConfig membership = MembershipConfig.decode(in);
            PgVersion pgVersion = pgVersion(in, in.i32());
            SystemId systemId = SystemId.of(in.i64());
            return new ProposerGreeting(
                    tenantId, timelineId, membership, pgVersion, systemId, segmentSize(in, in.i32()));
        }

        private static PgVersion pgVersion(MessageReader in, int number) {
            PgVersion version = PgVersion.of(number);
            if (version.isKnown() && !version.isSupported()) {
                throw in.invalid("pg_version " + Integer.toUnsignedString(number) + " is not one of PostgreSQL "
                        + PgVersion.OLDEST_MAJOR + " to " + PgVersion.NEWEST_MAJOR);
            }
            return version;
        }

        private static int segmentSize(MessageReader in, int sizeBytes) {
            if (sizeBytes < MIN_SEGMENT_BYTES || sizeBytes > MAX_SEGMENT_BYTES || Integer.bitCount(sizeBytes) != 1) {
                throw in.invalid("wal_seg_size " + Integer.toUnsignedString(sizeBytes)
                        + " is not a power of two from 1 MiB to 1 GiB");
            }
            return sizeBytes;
        }

        @Override
        public void encode(WalPushVersion version, ByteBuf out) {
            WalPushTag.write(version, WalPushTag.GREETING, out);
            switch (version) {
                case V2 -> {
                    out.writeIntLE(WalPushVersion.V2.number());
                    out.writeIntLE(pgVersion.number());
                    out.writeZero(PROPOSER_UUID_BYTES);
                    out.writeLongLE(systemId.value());
                    out.writeLong(timelineId.high()).writeLong(timelineId.low());
                    out.writeLong(tenantId.high()).writeLong(tenantId.low());
                    out.writeIntLE(1);
                    out.writeIntLE(walSegmentSizeBytes);
                }
                case V3 -> {
                    CString.write(out, tenantId.toString());
                    CString.write(out, timelineId.toString());
                    membership.encode(out);
                    out.writeInt(pgVersion.number());
                    out.writeLong(systemId.value());
                    out.writeInt(walSegmentSizeBytes);
                }
            }
        }
    }

    /**
     * Asks for a vote for {@code term}.
     *
     * <pre>
     * v2: u64 'v', u64 term, 16 bytes proposer uuid (not looked at)
     * v3: u8 'v', u32 generation, u64 term
     * </pre>
     */
    record VoteRequest(long membershipGeneration, Term term) implements ProposerMessage {
        private static final int PROPOSER_UUID_BYTES = 16;

        static VoteRequest decode(WalPushVersion version, ByteBuf in) {
            MessageReader reader = new MessageReader("vote request", in);
            return switch (version) {
                case V2 -> new VoteRequest(0, Term.of(reader.i64LE()));
                case V3 -> new VoteRequest(reader.u32(), Term.of(reader.i64()));
            };
        }

        @Override
        public void encode(WalPushVersion version, ByteBuf out) {
            WalPushTag.write(version, WalPushTag.VOTE, out);
            switch (version) {
                case V2 -> out.writeLongLE(term.value()).writeZero(PROPOSER_UUID_BYTES);
                case V3 -> out.writeInt((int) membershipGeneration).writeLong(term.value());
            }
        }
    }

    /**
     * I am elected; WAL follows from {@code startStreamingAt}, so whatever is behind it and not mine goes.
     *
     * <pre>
     * v2: u64 'e', u64 term, u64 start_streaming_at, history, u64 timeline_start_lsn (not looked at)
     * v3: u8 'e', u32 generation, u64 term, u64 start_streaming_at, history
     * </pre>
     */
    record ProposerElected(long membershipGeneration, Term term, Lsn startStreamingAt, TermHistory termHistory)
            implements ProposerMessage {
        static ProposerElected decode(WalPushVersion version, ByteBuf in) {
            MessageReader reader = new MessageReader("elected", in);
            return switch (version) {
                case V2 -> {
                    Term term = Term.of(reader.i64LE());
                    Lsn start = Lsn.of(reader.i64LE());
                    TermHistory history = TermHistory.decode(version, reader);
                    reader.skip(8);
                    yield new ProposerElected(0, term, start, history);
                }
                case V3 ->
                    new ProposerElected(
                            reader.u32(),
                            Term.of(reader.i64()),
                            Lsn.of(reader.i64()),
                            TermHistory.decode(version, reader));
            };
        }

        @Override
        public void encode(WalPushVersion version, ByteBuf out) {
            WalPushTag.write(version, WalPushTag.ELECTED, out);
            switch (version) {
                case V2 -> {
                    out.writeLongLE(term.value()).writeLongLE(startStreamingAt.value());
                    termHistory.encode(version, out);
                    // The timeline began where its first term did.
                    Lsn timelineStart = termHistory.isEmpty()
                            ? Lsn.INVALID
                            : termHistory.entries().getFirst().lsn();
                    out.writeLongLE(timelineStart.value());
                }
                case V3 -> {
                    out.writeInt((int) membershipGeneration);
                    out.writeLong(term.value()).writeLong(startStreamingAt.value());
                    termHistory.encode(version, out);
                }
            }
        }
    }

    /**
     * WAL {@code [beginLsn, endLsn)}; empty as a heartbeat, or to spread commit_lsn.
     *
     * <pre>
     * v2: u64 'a', u64 term, u64 epoch_start_lsn (not looked at), u64 begin, u64 end, u64 commit, u64 truncate,
     *     16 bytes proposer uuid (not looked at), WAL
     * v3: u8 'a', u32 generation, u64 term, u64 begin, u64 end, u64 commit, u64 truncate, WAL
     * </pre>
     *
     * @param commitLsn 0 when unknown
     * @param truncateLsn 0 when unknown; min flush_lsn of all safekeepers
     * @param wal exactly {@code endLsn - beginLsn} readable bytes; whoever holds the message owns one reference. Decoded,
     *     it is a slice of the frame, not a copy
     */
    record AppendRequest(
            long membershipGeneration, Term term, Lsn beginLsn, Lsn endLsn, Lsn commitLsn, Lsn truncateLsn, ByteBuf wal)
            implements ProposerMessage {
        /** The longest WAL payload of one message: Neon's MAX_SEND_SIZE, in bytes. */
        public static final int MAX_WAL_BYTES = 131_072;

        /** What precedes the WAL at most, tag included, in bytes. */
        public static final int MAX_HEADER_BYTES = 72;

        private static final int PROPOSER_UUID_BYTES = 16;

        static AppendRequest decode(WalPushVersion version, ByteBuf in) {
            MessageReader reader = new MessageReader("append request", in);
            return switch (version) {
                case V2 -> decodeV2(reader);
                case V3 -> decodeV3(reader);
            };
        }

        private static AppendRequest decodeV2(MessageReader in) {
            Term term = Term.of(in.i64LE());
            in.skip(8);
            Lsn begin = Lsn.of(in.i64LE());
            Lsn end = Lsn.of(in.i64LE());
            Lsn commit = Lsn.of(in.i64LE());
            Lsn truncate = Lsn.of(in.i64LE());
            in.skip(PROPOSER_UUID_BYTES);
            return new AppendRequest(0, term, begin, end, commit, truncate, wal(in, begin, end));
        }

        private static AppendRequest decodeV3(MessageReader in) {
            long generation = in.u32();
            Term term = Term.of(in.i64());
            Lsn begin = Lsn.of(in.i64());
            Lsn end = Lsn.of(in.i64());
            Lsn commit = Lsn.of(in.i64());
            Lsn truncate = Lsn.of(in.i64());
            return new AppendRequest(generation, term, begin, end, commit, truncate, wal(in, begin, end));
        }

        private static ByteBuf wal(MessageReader in, Lsn begin, Lsn end) {
            if (begin.isAfter(end)) {
                throw in.invalid("begin_lsn " + begin + " is after end_lsn " + end);
            }
            long length = end.minus(begin);
            if (length < 0 || length > MAX_WAL_BYTES) {
                throw in.invalid("AppendRequest is longer than MAX_SEND_SIZE: " + Long.toUnsignedString(length)
                        + " bytes, at most " + MAX_WAL_BYTES);
            }
            return in.retainedSlice((int) length);
        }

        /** Header and WAL; copies the WAL and leaves {@link #wal} as it was. */
        @Override
        public void encode(WalPushVersion version, ByteBuf out) {
            encodeHeader(version, out);
            out.writeBytes(wal, wal.readerIndex(), wal.readableBytes());
        }

        /** All but the WAL, for those who send it without copying; at most {@link #MAX_HEADER_BYTES}. */
        public void encodeHeader(WalPushVersion version, ByteBuf out) {
            WalPushTag.write(version, WalPushTag.APPEND, out);
            switch (version) {
                case V2 -> {
                    out.writeLongLE(term.value()).writeLongLE(0);
                    out.writeLongLE(beginLsn.value()).writeLongLE(endLsn.value());
                    out.writeLongLE(commitLsn.value()).writeLongLE(truncateLsn.value());
                    out.writeZero(PROPOSER_UUID_BYTES);
                }
                case V3 -> {
                    out.writeInt((int) membershipGeneration).writeLong(term.value());
                    out.writeLong(beginLsn.value()).writeLong(endLsn.value());
                    out.writeLong(commitLsn.value()).writeLong(truncateLsn.value());
                }
            }
        }
    }
}
