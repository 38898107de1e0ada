package io.tidemark.wire.walpush;

import static io.tidemark.wire.walpush.WalPushVersion.V2;
import static io.tidemark.wire.walpush.WalPushVersion.V3;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.frame.HexBytes;
import io.tidemark.wire.frame.MessageReader;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.replication.HotStandbyFeedback;
import io.tidemark.wire.replication.PageserverFeedback;
import io.tidemark.wire.walpush.AcceptorMessage.AcceptorGreeting;
import io.tidemark.wire.walpush.AcceptorMessage.AppendResponse;
import io.tidemark.wire.walpush.AcceptorMessage.VoteResponse;
import io.tidemark.wire.walpush.MembershipConfig.Member;
import io.tidemark.wire.walpush.ProposerMessage.AppendRequest;
import io.tidemark.wire.walpush.ProposerMessage.ProposerElected;
import io.tidemark.wire.walpush.ProposerMessage.ProposerGreeting;
import io.tidemark.wire.walpush.ProposerMessage.VoteRequest;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Bytes that are fixed by the protocol, both ways. */
class WalPushVectorsTest {
    private static final Lsn L = Lsn.parse("0/149FD18");
    private static final TenantId TENANT = TenantId.parse("cf0480929707ee75372337efaa5ecf96");
    private static final TimelineId TIMELINE = TimelineId.parse("112ded66422aa5e953e5440fa5427ac4");
    private static final TermLsn ORIGIN = new TermLsn(Term.ZERO, L);
    private static final TermHistory HISTORY = TermHistory.of(ORIGIN, new TermLsn(Term.of(8), L));
    private static final String FEEDBACK_BODY = "0563757272656e745f74696d656c696e655f73697a65000000000800000000"
            + "0000100070735f77726974656c736e0000000008000000000149fd1870735f666c7573686c736e000000000800000000"
            + "0149fd1870735f6170706c796c736e0000000008000000000149fd1870735f7265706c7974696d650000000008000000"
            + "00000f4240";
    private static final PageserverFeedback FEEDBACK = new PageserverFeedback(4096, L, L, L, 1_000_000, 0, false);

    @Test
    void proposerGreeting() {
        ProposerGreeting greeting = new ProposerGreeting(
                TENANT,
                TIMELINE,
                MembershipConfig.NONE,
                PgVersion.of(170004),
                SystemId.of(0x0123456789abcdefL),
                16 << 20);
        proposer(
                V3,
                greeting,
                "67636630343830393239373037656537353337323333376566616135656366393600313132646564363634323261"
                        + "613565393533653534343066613534323761633400000000000000000000000000000298140123456789abcdef01"
                        + "000000");
        proposer(
                V2,
                greeting,
                "6700000000000000020000001498020000000000000000000000000000000000efcdab8967452301112ded66422a"
                        + "a5e953e5440fa5427ac4cf0480929707ee75372337efaa5ecf960100000000000001");
    }

    @Test
    void acceptorGreeting() {
        MembershipConfig joint = new MembershipConfig(
                2, List.of(new Member(new NodeId(1), "sk1", 5454)), List.of(new Member(new NodeId(2), "sk2", 5454)));
        acceptor(
                V3,
                new AcceptorGreeting(new NodeId(1), joint, Term.of(7)),
                "67000000000000000100000002000000010000000000000001736b3100154e000000010000000000000002736b32"
                        + "00154e0000000000000007");
        acceptor(
                V2,
                new AcceptorGreeting(new NodeId(1), MembershipConfig.NONE, Term.of(7)),
                "670000000000000007000000000000000100000000000000");
    }

    @Test
    void vote() {
        proposer(V3, new VoteRequest(2, Term.of(8)), "76000000020000000000000008");
        proposer(
                V2, new VoteRequest(0, Term.of(8)), "7600000000000000080000000000000000000000000000000000000000000000");
        acceptor(
                V3,
                new VoteResponse(2, Term.of(8), true, L, L, TermHistory.of(ORIGIN)),
                "7600000002000000000000000801000000000149fd18000000000149fd1800000001000000000000000000000000"
                        + "0149fd18");
        acceptor(
                V2,
                new VoteResponse(0, Term.of(8), true, L, L, TermHistory.of(ORIGIN)),
                "76000000000000000800000000000000010000000000000018fd49010000000018fd490100000000010000000000"
                        + "00000000000018fd4901000000000000000000000000");
    }

    @Test
    void elected() {
        proposer(
                V3,
                new ProposerElected(2, Term.of(8), L, HISTORY),
                "65000000020000000000000008000000000149fd18000000020000000000000000000000000149fd180000000000"
                        + "000008000000000149fd18");
        proposer(
                V2,
                new ProposerElected(0, Term.of(8), L, HISTORY),
                "6500000000000000080000000000000018fd49010000000002000000000000000000000018fd4901000000000800"
                        + "00000000000018fd49010000000018fd490100000000");
    }

    @Test
    void append() {
        ByteBuf wal = HexBytes.of("0102030405060708");
        proposer(
                V3,
                new AppendRequest(2, Term.of(8), L, L.plus(8), L, L, wal),
                "61000000020000000000000008000000000149fd18000000000149fd20000000000149fd18000000000149fd1801"
                        + "02030405060708");
        proposer(
                V2,
                new AppendRequest(0, Term.of(8), L, L.plus(8), L, L, wal),
                "61000000000000000800000000000000000000000000000018fd49010000000020fd49010000000018fd49010000"
                        + "000018fd490100000000000000000000000000000000000000000102030405060708");
        acceptor(
                V3,
                new AppendResponse(2, Term.of(8), L.plus(8), L, HotStandbyFeedback.NONE, null),
                "61000000020000000000000008000000000149fd20000000000149fd180000000000000000000000000000000000"
                        + "00000000000000");
        acceptor(
                V2,
                new AppendResponse(0, Term.of(8), L.plus(8), L, HotStandbyFeedback.NONE, null),
                "6100000000000000080000000000000020fd49010000000018fd4901000000000000000000000000000000000000"
                        + "00000000000000000000");
    }

    @Test
    void feedbackBodyIsBigEndianInBothVersions() {
        assertThat(HexBytes.written(FEEDBACK::encodeBody)).isEqualTo(FEEDBACK_BODY);
        assertThat(PageserverFeedback.decodeBody(new MessageReader("feedback", HexBytes.of(FEEDBACK_BODY))))
                .isEqualTo(FEEDBACK);
        acceptor(
                V2,
                new AppendResponse(0, Term.of(8), L.plus(8), L, HotStandbyFeedback.NONE, FEEDBACK),
                "6100000000000000080000000000000020fd49010000000018fd4901000000000000000000000000000000000000"
                        + "00000000000000000000" + FEEDBACK_BODY);
    }

    private static void proposer(WalPushVersion version, ProposerMessage message, String hex) {
        assertThat(HexBytes.written(out -> message.encode(version, out))).isEqualTo(hex);
        assertThat(ProposerMessage.decode(version, HexBytes.of(hex))).isEqualTo(message);
    }

    private static void acceptor(WalPushVersion version, AcceptorMessage message, String hex) {
        assertThat(HexBytes.written(out -> message.encode(version, out))).isEqualTo(hex);
        assertThat(AcceptorMessage.decode(version, HexBytes.of(hex))).isEqualTo(message);
    }
}
