package io.tidemark.simulation.mutant;

import io.tidemark.runtime.durable.Disk;
import io.tidemark.safekeeper.acceptor.AcceptorEffect;
import io.tidemark.safekeeper.acceptor.AcceptorEvent;
import io.tidemark.safekeeper.acceptor.AcceptorJudgement;
import io.tidemark.shim.proposer.ProposerJudgement;
import io.tidemark.simulation.mutant.ForgetfulDisk.Lapse;
import io.tidemark.wire.walpush.ProposerMessage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** The kinds of {@link Sabotage}, made of what is wrong. */
public final class Sabotages {
    private Sabotages() {}

    /** A kind of message, or the end of a batch, whose effects are tampered with. */
    public enum On {
        VOTE_REQUEST,
        ELECTED,
        BATCH_END;

        private boolean matches(AcceptorEvent event) {
            return switch (event) {
                case AcceptorEvent.Received received ->
                    switch (received.message()) {
                        case ProposerMessage.VoteRequest _ -> this == VOTE_REQUEST;
                        case ProposerMessage.ProposerElected _ -> this == ELECTED;
                        case ProposerMessage.ProposerGreeting _, ProposerMessage.AppendRequest _ -> false;
                    };
                case AcceptorEvent.BatchEnd _ -> this == BATCH_END;
                default -> false;
            };
        }
    }

    /** An acceptor that judges wrongly. */
    public static Sabotage of(AcceptorJudgement wrong) {
        return new Sabotage() {
            @Override
            public AcceptorJudgement acceptorJudgement() {
                return wrong;
            }
        };
    }

    /** A proposer that judges wrongly. */
    public static Sabotage of(ProposerJudgement wrong) {
        return new Sabotage() {
            @Override
            public ProposerJudgement proposerJudgement() {
                return wrong;
            }
        };
    }

    /** An acceptor and a proposer that are wrong together. */
    public static Sabotage of(AcceptorJudgement wrongAcceptor, ProposerJudgement wrongProposer) {
        return new Sabotage() {
            @Override
            public AcceptorJudgement acceptorJudgement() {
                return wrongAcceptor;
            }

            @Override
            public ProposerJudgement proposerJudgement() {
                return wrongProposer;
            }
        };
    }

    /** Effects of this kind are left out. */
    public static Sabotage without(On on, Class<? extends AcceptorEffect> leftOut) {
        return new Sabotage() {
            @Override
            public List<AcceptorEffect> effects(AcceptorEvent event, List<AcceptorEffect> honest) {
                return on.matches(event)
                        ? honest.stream().filter(e -> !leftOut.isInstance(e)).toList()
                        : honest;
            }
        };
    }

    /** Effects of this kind come before all others. */
    public static Sabotage first(On on, Class<? extends AcceptorEffect> early) {
        return new Sabotage() {
            @Override
            public List<AcceptorEffect> effects(AcceptorEvent event, List<AcceptorEffect> honest) {
                if (!on.matches(event)) {
                    return honest;
                }
                List<AcceptorEffect> reordered = new ArrayList<>(
                        honest.stream().filter(early::isInstance).toList());
                honest.stream().filter(e -> !early.isInstance(e)).forEach(reordered::add);
                return reordered;
            }
        };
    }

    /** Syncs of some files do nothing. */
    public static Sabotage forgetsToSync(Predicate<Path> files) {
        return forgetful(Lapse.SYNC_OF_FILES, files);
    }

    /** Syncs of directories do nothing. */
    public static Sabotage forgetsToSyncDirectories() {
        return forgetful(Lapse.SYNC_OF_DIRECTORIES, file -> false);
    }

    /** Such a file that is cut keeps what it had. */
    public static Sabotage forgetsToCut(Predicate<Path> files) {
        return forgetful(Lapse.SHRINKING_OF_FILES, files);
    }

    /** Such a file that is cut, or deleted, stays as it is. */
    public static Sabotage forgetsToCutAndDelete(Predicate<Path> files) {
        return forgetful(Lapse.SHRINKING_AND_DELETING_OF_FILES, files);
    }

    private static Sabotage forgetful(Lapse lapse, Predicate<Path> files) {
        return new Sabotage() {
            @Override
            public Disk disk(Disk honest) {
                return new ForgetfulDisk(honest, lapse, files);
            }
        };
    }
}
