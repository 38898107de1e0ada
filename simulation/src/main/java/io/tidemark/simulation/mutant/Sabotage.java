package io.tidemark.simulation.mutant;

import io.tidemark.runtime.durable.Disk;
import io.tidemark.safekeeper.acceptor.AcceptorEffect;
import io.tidemark.safekeeper.acceptor.AcceptorEvent;
import io.tidemark.safekeeper.acceptor.AcceptorJudgement;
import io.tidemark.shim.proposer.ProposerJudgement;
import io.tidemark.simulation.invariant.AcceptorView;
import io.tidemark.wire.walpush.AcceptorMessage;
import io.tidemark.wire.walpush.ProposerMessage;
import java.util.List;

/** The places around the real classes where a deliberate bug can sit. As it is, it does nothing: an honest cluster. */
public interface Sabotage {
    /** No bug at all. */
    Sabotage NONE = new Sabotage() {};

    /** The disk a safekeeper uses. */
    default Disk disk(Disk honest) {
        return honest;
    }

    default AcceptorJudgement acceptorJudgement() {
        return new AcceptorJudgement();
    }

    default ProposerJudgement proposerJudgement() {
        return new ProposerJudgement();
    }

    /** What an acceptor's owner carries out, in this order. */
    default List<AcceptorEffect> effects(AcceptorEvent event, List<AcceptorEffect> honest) {
        return honest;
    }

    /** What an acceptor believes it was sent; {@code view} is its timeline before. */
    default ProposerMessage toAcceptor(ProposerMessage honest, AcceptorView view) {
        return honest;
    }

    /** What an acceptor really answers. */
    default AcceptorMessage fromAcceptor(AcceptorMessage honest, AcceptorView view) {
        return honest;
    }

    /** What a proposer believes it was answered. */
    default AcceptorMessage toProposer(AcceptorMessage honest) {
        return honest;
    }
}
