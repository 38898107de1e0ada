package io.tidemark.wire.walpush;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.frame.MessageReader;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.replication.HotStandbyFeedback;
import io.tidemark.wire.replication.PageserverFeedback;
import org.jspecify.annotations.Nullable;

/**
 * What an acceptor answers to a proposer; one message per CopyData. Fields are little endian in v2 and big endian in v3;
 * {@code mconf} and {@code history} as in {@link ProposerMessage}.
 */
public sealed interface AcceptorMessage {

    /**
     * Reads one message, which must end where the buffer does.
     *
     * @param in exactly one CopyData body; stays the caller's, its reader index moves
     * @throws InvalidMessageException for anything that is not a message of this version
     */
    static AcceptorMessage decode(WalPushVersion version, ByteBuf in) {
        int tag = WalPushTag.read(version, "acceptor message", in);
        MessageReader reader = new MessageReader("acceptor message '" + (char) tag + "'", in);
        AcceptorMessage message = switch (tag) {
            case WalPushTag.GREETING -> AcceptorGreeting.decode(version, reader);
            case WalPushTag.VOTE -> VoteResponse.decode(version, reader);
            case WalPushTag.APPEND -> AppendResponse.decode(version, reader);
            default -> throw WalPushTag.unknown(tag);
        };
        reader.requireEnd();
        return message;
    }

    /** Appends the message to {@code out}. Version 2 has no place for membership: it is left out. */
    void encode(WalPushVersion version, ByteBuf out);

    /**
     * Who I am, and the highest term I know.
     *
     * <pre>
     * v2: u64 'g', u64 term, u64 node_id
     * v3: u8 'g', u64 node_id, mconf, u64 term
     * </pre>
     */
    record AcceptorGreeting(NodeId nodeId, MembershipConfig membership, Term term) implements AcceptorMessage {
        static AcceptorGreeting decode(WalPushVersion version, MessageReader in) {
            return switch (version) {
                case V2 -> {
                    Term term = Term.of(in.i64LE());
                    yield new AcceptorGreeting(new NodeId(in.i64LE()), MembershipConfig.NONE, term);
                }
                case V3 -> new AcceptorGreeting(new NodeId(in.i64()), MembershipConfig.decode(in), Term.of(in.i64()));
            };
        }

        @Override
        public void encode(WalPushVersion version, ByteBuf out) {
            WalPushTag.write(version, WalPushTag.GREETING, out);
            switch (version) {
                case V2 -> out.writeLongLE(term.value()).writeLongLE(nodeId.value());
                case V3 -> {
                    out.writeLong(nodeId.value());
                    membership.encode(out);
                    out.writeLong(term.value());
                }
            }
        }
    }

    /**
     * {@code termHistory} is cut at {@code flushLsn}. {@code term} is the acceptor's, after this vote.
     *
     * <pre>
     * v2: u64 'v', u64 term, u64 vote_given, u64 flush_lsn, u64 truncate_lsn, history, u64 0 (was timeline_start_lsn)
     * v3: u8 'v', u32 generation, u64 term, u8 vote_given, u64 flush_lsn, u64 truncate_lsn, history
     * </pre>
     */
    record VoteResponse(
            long membershipGeneration,
            Term term,
            boolean voteGiven,
            Lsn flushLsn,
            Lsn truncateLsn,
            TermHistory termHistory)
            implements AcceptorMessage {
        static VoteResponse decode(WalPushVersion version, MessageReader in) {
            return switch (version) {
                case V2 -> {
                    Term term = Term.of(in.i64LE());
                    boolean voteGiven = in.i64LE() != 0;
                    Lsn flush = Lsn.of(in.i64LE());
                    Lsn truncate = Lsn.of(in.i64LE());
                    TermHistory history = TermHistory.decode(version, in);
                    in.skip(8);
                    yield new VoteResponse(0, term, voteGiven, flush, truncate, history);
                }
                case V3 ->
                    new VoteResponse(
                            in.u32(),
                            Term.of(in.i64()),
                            in.u8() != 0,
                            Lsn.of(in.i64()),
                            Lsn.of(in.i64()),
                            TermHistory.decode(version, in));
            };
        }

        @Override
        public void encode(WalPushVersion version, ByteBuf out) {
            WalPushTag.write(version, WalPushTag.VOTE, out);
            switch (version) {
                case V2 -> {
                    out.writeLongLE(term.value()).writeLongLE(voteGiven ? 1 : 0);
                    out.writeLongLE(flushLsn.value()).writeLongLE(truncateLsn.value());
                    termHistory.encode(version, out);
                    out.writeLongLE(0);
                }
                case V3 -> {
                    out.writeInt((int) membershipGeneration).writeLong(term.value());
                    out.writeByte(voteGiven ? 1 : 0);
                    out.writeLong(flushLsn.value()).writeLong(truncateLsn.value());
                    termHistory.encode(version, out);
                }
            }
        }
    }

    /**
     * How far the acceptor is. A refusal of an old term has the acceptor's term and zeros everywhere else.
     *
     * <pre>
     * v2: u64 'a', u64 term, u64 flush_lsn, u64 commit_lsn, i64 hs_ts, u64 hs_xmin, u64 hs_catalog_xmin, [feedback]
     * v3: u8 'a', u32 generation, then as v2 from term on
     * </pre>
     *
     * <p>{@code feedback} is the body of a {@link PageserverFeedback}, big endian even in v2.
     *
     * @param flushLsn end of the last complete record that is fsynced
     * @param commitLsn the persisted commit_lsn, not the one in memory
     * @param pageserverFeedback attached when there is news
     */
    record AppendResponse(
            long membershipGeneration,
            Term term,
            Lsn flushLsn,
            Lsn commitLsn,
            HotStandbyFeedback hotStandbyFeedback,
            @Nullable PageserverFeedback pageserverFeedback)
            implements AcceptorMessage {
        static AppendResponse decode(WalPushVersion version, MessageReader in) {
            return switch (version) {
                case V2 ->
                    new AppendResponse(
                            0,
                            Term.of(in.i64LE()),
                            Lsn.of(in.i64LE()),
                            Lsn.of(in.i64LE()),
                            new HotStandbyFeedback(in.i64LE(), in.i64LE(), in.i64LE()),
                            feedback(in));
                case V3 ->
                    new AppendResponse(
                            in.u32(),
                            Term.of(in.i64()),
                            Lsn.of(in.i64()),
                            Lsn.of(in.i64()),
                            new HotStandbyFeedback(in.i64(), in.i64(), in.i64()),
                            feedback(in));
            };
        }

        private static @Nullable PageserverFeedback feedback(MessageReader in) {
            return in.remaining() == 0 ? null : PageserverFeedback.decodeBody(in);
        }

        @Override
        public void encode(WalPushVersion version, ByteBuf out) {
            WalPushTag.write(version, WalPushTag.APPEND, out);
            switch (version) {
                case V2 -> {
                    out.writeLongLE(term.value());
                    out.writeLongLE(flushLsn.value()).writeLongLE(commitLsn.value());
                    out.writeLongLE(hotStandbyFeedback.timestampMicros());
                    out.writeLongLE(hotStandbyFeedback.xmin()).writeLongLE(hotStandbyFeedback.catalogXmin());
                }
                case V3 -> {
                    out.writeInt((int) membershipGeneration).writeLong(term.value());
                    out.writeLong(flushLsn.value()).writeLong(commitLsn.value());
                    out.writeLong(hotStandbyFeedback.timestampMicros());
                    out.writeLong(hotStandbyFeedback.xmin()).writeLong(hotStandbyFeedback.catalogXmin());
                }
            }
            if (pageserverFeedback != null) {
                pageserverFeedback.encodeBody(out);
            }
        }
    }
}
