package io.tidemark.simulation.actor;

import io.tidemark.safekeeper.acceptor.AcceptorEvent;
import io.tidemark.simulation.actor.ControllerActor.Status;
import io.tidemark.simulation.invariant.AcceptorView;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.MembershipConfig;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a safekeeper does when the controller calls: the HTTP side of membership, as the specification has it. */
final class MembershipDuties {
    private MembershipDuties() {}

    /** POST timeline: an explicit creation with its first configuration. */
    static void create(SafekeeperActor safekeeper, MembershipConfig first) {
        safekeeper.onDisk(() -> safekeeper.timeline().createExplicitly(first));
        AcceptorView view = safekeeper.view();
        if (view != null) {
            safekeeper.watch().started(view, safekeeper.timeline());
        }
    }

    /** PUT membership, then term_bump if the term is too low. Null when there is no timeline here. */
    static @Nullable Status put(SafekeeperActor safekeeper, MembershipConfig configuration, @Nullable Term atLeast) {
        safekeeper.happens(new AcceptorEvent.SwitchMembership(configuration));
        if (atLeast != null) {
            safekeeper.happens(new AcceptorEvent.BumpTerm(atLeast));
        }
        return status(safekeeper);
    }

    static @Nullable Status status(SafekeeperActor safekeeper) {
        AcceptorView view = safekeeper.view();
        return view == null
                ? null
                : new Status(
                        safekeeper.node(),
                        view.membership().generation(),
                        view.term(),
                        view.termHistory().upTo(view.flushLsn()).lastTerm(),
                        view.flushLsn(),
                        view.commitLsn());
    }

    /** POST exclude: forgets the timeline, unless it is a member or knows a newer configuration. */
    static @Nullable Boolean exclude(SafekeeperActor safekeeper, MembershipConfig configuration) {
        AcceptorView view = safekeeper.view();
        if (view == null
                || configuration.contains(safekeeper.node())
                || configuration.generation() < view.membership().generation()) {
            return false;
        }
        boolean done = safekeeper.onDisk(() -> safekeeper.timeline().delete());
        // Even when the deletion dies half-way the timeline is gone as far as anybody may count on it.
        safekeeper.excluded();
        return done;
    }

    /** POST pull_timeline: asks the others how far they are, copies from the best. Answers when it has begun. */
    static Boolean pull(World world, SafekeeperActor to, List<NodeId> sources, MembershipConfig joint) {
        if (to.timeline().isOpen()) {
            to.happens(new AcceptorEvent.SwitchMembership(joint));
            return true;
        }
        List<Status> answers = new ArrayList<>();
        int[] waiting = {sources.size()};
        for (NodeId source : sources) {
            SafekeeperActor from = world.safekeepers().get((int) source.value() - 1);
            world.call(to.host(), from, () -> status(from), status -> {
                waiting[0]--;
                if (status != null) {
                    answers.add(status);
                }
                if (waiting[0] == 0) {
                    copyFromBest(world, to, answers, sources.size(), joint);
                }
            });
        }
        return true;
    }

    private static void copyFromBest(
            World world, SafekeeperActor to, List<Status> answers, int sources, MembershipConfig joint) {
        // A majority has all that is committed. All but one, as Neon asks for, never answer when two have lost the
        // timeline.
        boolean enough = answers.size() > sources / 2;
        if (!enough || answers.stream().anyMatch(s -> s.generation() > joint.generation())) {
            return;
        }
        Status best = answers.stream()
                .max(Status.BY_POSITION.thenComparing(Status::term).thenComparing(Status::commitLsn))
                .orElseThrow();
        SafekeeperActor donor = world.safekeepers().get((int) best.node().value() - 1);
        world.call(to.host(), donor, () -> donor.timeline().files(), files -> {
            if (files == null || !to.isUp() || to.timeline().isOpen()) {
                return;
            }
            if (to.onDisk(() -> to.timeline().install(files))) {
                to.installed(joint, donor);
            }
        });
    }
}
