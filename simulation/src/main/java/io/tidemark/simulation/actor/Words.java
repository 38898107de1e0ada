package io.tidemark.simulation.actor;

import io.tidemark.wire.walpush.AcceptorMessage;
import io.tidemark.wire.walpush.AcceptorMessage.AcceptorGreeting;
import io.tidemark.wire.walpush.AcceptorMessage.AppendResponse;
import io.tidemark.wire.walpush.AcceptorMessage.VoteResponse;
import io.tidemark.wire.walpush.ProposerMessage;
import io.tidemark.wire.walpush.ProposerMessage.AppendRequest;
import io.tidemark.wire.walpush.ProposerMessage.ProposerElected;
import io.tidemark.wire.walpush.ProposerMessage.ProposerGreeting;
import io.tidemark.wire.walpush.ProposerMessage.VoteRequest;

/** Messages in a few words, for the event log. */
final class Words {
    private Words() {}

    static String of(ProposerMessage message) {
        return switch (message) {
            case ProposerGreeting greeting ->
                "greeting gen=" + greeting.membership().generation();
            case VoteRequest vote -> "vote-request gen=" + vote.membershipGeneration() + " term=" + vote.term();
            case ProposerElected elected ->
                "elected gen=" + elected.membershipGeneration() + " term=" + elected.term() + " start="
                        + elected.startStreamingAt() + " history=" + elected.termHistory();
            case AppendRequest append ->
                "append gen=" + append.membershipGeneration() + " term=" + append.term() + " " + append.beginLsn()
                        + ".." + append.endLsn() + " commit=" + append.commitLsn() + " truncate="
                        + append.truncateLsn();
        };
    }

    static String of(AcceptorMessage message) {
        return switch (message) {
            case AcceptorGreeting greeting ->
                "greeting node=" + greeting.nodeId() + " gen="
                        + greeting.membership().generation() + " term=" + greeting.term();
            case VoteResponse vote ->
                "vote gen=" + vote.membershipGeneration() + " term=" + vote.term()
                        + (vote.voteGiven() ? " given" : " refused")
                        + " flush=" + vote.flushLsn() + " truncate=" + vote.truncateLsn() + " history="
                        + vote.termHistory();
            case AppendResponse response ->
                "append-response gen=" + response.membershipGeneration() + " term=" + response.term() + " flush="
                        + response.flushLsn() + " commit=" + response.commitLsn();
        };
    }
}
