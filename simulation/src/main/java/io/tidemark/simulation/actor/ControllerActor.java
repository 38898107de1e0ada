package io.tidemark.simulation.actor;

import io.tidemark.simulation.invariant.Invariant;
import io.tidemark.simulation.world.Dice;
import io.tidemark.simulation.world.Host;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.MembershipConfig.Member;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The storage controller of one timeline: changes its membership step by step, as a database and calls that get lost allow. What it
 * has decided survives its crashes; how far it got does not, so an interrupted change begins anew with the joint configuration.
 */
public final class ControllerActor {
    private static final long RETRY_MICROS = 1_500_000;

    private final World world;
    private final Host host;
    private final Dice dice;
    private final List<Consumer<List<NodeId>>> listeners = new ArrayList<>();
    private MembershipConfig decided = MembershipConfig.NONE;
    private List<NodeId> leavers = List.of();
    private boolean settled = true;
    private boolean calm;
    private int attempt;
    private int changes;

    /** Where a safekeeper's log ends, and its term and generation, as its status says. */
    record Status(NodeId node, long generation, Term term, Term lastLogTerm, Lsn flushLsn, Lsn commitLsn) {
        static final Comparator<Status> BY_POSITION =
                Comparator.comparing(Status::lastLogTerm).thenComparing(Status::flushLsn);
    }

    public ControllerActor(World world) {
        this.world = world;
        this.host = world.host("ctl");
        this.dice = world.dice("controller");
    }

    public Host host() {
        return host;
    }

    /** How many changes were completed or aborted. */
    public int changes() {
        return changes;
    }

    /** True when the configuration is not joint and those in it know. */
    public boolean isSettled() {
        return settled;
    }

    /** Hears of every new list of safekeepers a compute should use. */
    void onList(Consumer<List<NodeId>> listener) {
        listeners.add(listener);
    }

    /** The safekeepers a compute should connect to: all members, old and new. */
    List<NodeId> list() {
        TreeSet<NodeId> all = new TreeSet<>(nodes(decided.members()));
        all.addAll(nodes(decided.newMembers()));
        return List.copyOf(all);
    }

    /** Makes the timeline on its first members. */
    public void begin() {
        List<NodeId> first = new ArrayList<>();
        for (int i = 0; i < world.scenario().initialMembers(); i++) {
            first.add(world.safekeepers().get(i).node());
        }
        long generation = world.scenario().explicitMembership() ? 1 : 0;
        if (generation == 0) {
            decided = new MembershipConfig(0, members(first), List.of());
            return;
        }
        decide(new MembershipConfig(generation, members(first), List.of()));
        for (NodeId node : first) {
            MembershipDuties.create(actor(node), decided);
        }
        world.queue().after(dice.between(3_000_000L, 15_000_000L), this::maybeChange);
    }

    /** No new change is begun any more; one under way is brought to its end. */
    public void calmDown() {
        calm = true;
    }

    /** The controller crashes and comes back: only what it had decided is left. */
    public void interrupt() {
        if (world.scenario().explicitMembership()) {
            world.log().note(host.name(), "crashed");
            attempt++;
            world.queue().after(dice.between(100_000L, 5_000_000L), this::resume);
        }
    }

    private void resume() {
        attempt++;
        if (decided.isJoint()) {
            putToOldSet();
        } else if (!settled) {
            putFinal();
        }
    }

    private void maybeChange() {
        if (settled && dice.chance(0.5)) {
            repair();
        }
        if (!calm && settled) {
            List<NodeId> desired = desiredSet();
            if (!desired.equals(nodes(decided.members()))) {
                decide(new MembershipConfig(decided.generation() + 1, decided.members(), members(desired)));
                settled = false;
                putToOldSet();
            }
        }
        world.queue().after(dice.between(2_000_000L, 20_000_000L), this::maybeChange);
    }

    /** A member without the timeline gets it: a late exclusion of an earlier change may have hit it. */
    private void repair() {
        MembershipConfig current = decided;
        List<NodeId> all = nodes(current.members());
        for (NodeId node : all) {
            SafekeeperActor to = actor(node);
            world.call(host, to, () -> to.timeline().isOpen() ? null : true, missing -> {
                if (missing != null && current.equals(decided) && all.size() > 1) {
                    List<NodeId> others = minus(all, List.of(node));
                    world.call(host, to, () -> MembershipDuties.pull(world, to, others, current), begun -> {});
                }
            });
        }
    }

    private List<NodeId> desiredSet() {
        List<NodeId> all = new ArrayList<>();
        world.safekeepers().forEach(s -> all.add(s.node()));
        List<NodeId> shuffled = new ArrayList<>();
        while (!all.isEmpty()) {
            shuffled.add(all.remove(dice.between(0, all.size() - 1)));
        }
        int size = Math.min(shuffled.size(), dice.pick(List.of(1, 2, 3, 3, 3, 4, 5)));
        List<NodeId> desired = new ArrayList<>(shuffled.subList(0, size));
        Collections.sort(desired);
        return desired;
    }

    private void decide(MembershipConfig configuration) {
        decided = configuration;
        world.cluster().decided(configuration);
        world.log()
                .note(
                        host.name(),
                        "decides generation " + configuration.generation() + " " + nodes(configuration.members())
                                + (configuration.isJoint() ? " to " + nodes(configuration.newMembers()) : ""));
        List<NodeId> list = list();
        listeners.forEach(l -> l.accept(list));
    }

    /** Either again later, or, if allowed, the change is given up. */
    private void retryOrAbort(Runnable step) {
        int current = attempt;
        boolean abort = decided.isJoint() && dice.chance(calm ? 0.02 : 0.1);
        world.queue().after(dice.between(RETRY_MICROS / 4, RETRY_MICROS), () -> {
            if (current != attempt) {
                return;
            }
            if (abort) {
                abort();
            } else {
                step.run();
            }
        });
    }

    private void abort() {
        leavers = minus(nodes(decided.newMembers()), nodes(decided.members()));
        decide(new MembershipConfig(decided.generation() + 1, decided.members(), List.of()));
        putFinal();
    }

    /** Step 3: the old set learns the joint configuration; from then on nothing commits under the old one. */
    private void putToOldSet() {
        MembershipConfig joint = decided;
        putToAll(nodes(joint.members()), joint, null, answers -> {
            List<Status> there = answers.stream()
                    .filter(s -> s.generation() == joint.generation())
                    .toList();
            int quorum = joint.members().size() / 2 + 1;
            if (there.size() < quorum) {
                retryOrAbort(this::putToOldSet);
                return;
            }
            List<Status> sorted = new ArrayList<>(there);
            sorted.sort(Status.BY_POSITION);
            Status syncPosition = sorted.get(quorum - 1);
            Term highest = there.stream().map(Status::term).reduce(Term.ZERO, Term::max);
            world.log().note(host.name(), "sync position " + syncPosition + " term " + highest);
            pullToNewcomers(syncPosition, highest, false);
        });
    }

    /**
     * Step 4: members that have no timeline copy it from the best of the old set. The first time those that are new are asked, then
     * all: who stays may have lost it to a late exclusion, or may never have got it.
     */
    private void pullToNewcomers(Status syncPosition, Term highest, boolean again) {
        MembershipConfig joint = decided;
        List<NodeId> old = nodes(joint.members());
        List<NodeId> newcomers = again ? nodes(joint.newMembers()) : minus(nodes(joint.newMembers()), old);
        for (NodeId newcomer : newcomers) {
            SafekeeperActor to = actor(newcomer);
            List<NodeId> sources = minus(old, List.of(newcomer));
            world.call(host, to, () -> MembershipDuties.pull(world, to, sources, joint), started -> {});
        }
        int current = attempt;
        world.queue().after(newcomers.isEmpty() ? 0 : 3 * RETRY_MICROS, () -> {
            if (current == attempt) {
                putToNewSet(syncPosition, highest);
            }
        });
    }

    /** Step 5: wait until a majority of the new set has what the old one had. */
    private void putToNewSet(Status syncPosition, Term highest) {
        MembershipConfig joint = decided;
        putToAll(nodes(joint.newMembers()), joint, highest, answers -> {
            long ready = answers.stream()
                    .filter(s -> s.generation() == joint.generation()
                            && !s.term().isBefore(highest)
                            && Status.BY_POSITION.compare(s, syncPosition) >= 0)
                    .count();
            if (ready < joint.newMembers().size() / 2 + 1) {
                retryOrAbort(() -> pullToNewcomers(syncPosition, highest, true));
                return;
            }
            leavers = minus(nodes(joint.members()), nodes(joint.newMembers()));
            decide(new MembershipConfig(joint.generation() + 1, joint.newMembers(), List.of()));
            putFinal();
        });
    }

    /** Steps 7 and 8: those who stay learn the new configuration, those who leave are told to forget the timeline. */
    private void putFinal() {
        MembershipConfig last = decided;
        putToAll(nodes(last.members()), last, null, answers -> {
            long there = answers.stream()
                    .filter(s -> s.generation() == last.generation())
                    .count();
            if (there < last.members().size() / 2 + 1) {
                retryOrAbort(this::putFinal);
                return;
            }
            for (NodeId leaver : leavers) {
                SafekeeperActor actor = actor(leaver);
                world.call(host, actor, () -> MembershipDuties.exclude(actor, last), done -> {});
            }
            changes++;
            settled = true;
            world.log().note(host.name(), "generation " + last.generation() + " is settled");
        });
    }

    /** Calls all, and goes on when each has answered or timed out. */
    private void putToAll(
            List<NodeId> nodes, MembershipConfig configuration, @Nullable Term atLeast, Consumer<List<Status>> then) {
        int current = attempt;
        List<Status> answers = new ArrayList<>();
        TreeMap<NodeId, Boolean> waiting = new TreeMap<>();
        nodes.forEach(n -> waiting.put(n, true));
        for (NodeId node : nodes) {
            SafekeeperActor to = actor(node);
            world.call(host, to, () -> MembershipDuties.put(to, configuration, atLeast), status -> {
                waiting.remove(node);
                if (status != null) {
                    answers.add(status);
                }
                if (waiting.isEmpty() && current == attempt) {
                    checkMonotone(answers, configuration);
                    then.accept(answers);
                }
            });
        }
    }

    private static void checkMonotone(List<Status> answers, MembershipConfig configuration) {
        for (Status status : answers) {
            Invariant.MEMBERSHIP_PRECONDITIONS.require(
                    status.generation() >= configuration.generation(),
                    "safekeeper %s answered generation %d to a PUT of %d",
                    status.node(),
                    status.generation(),
                    configuration.generation());
        }
    }

    private SafekeeperActor actor(NodeId node) {
        return world.safekeepers().get((int) node.value() - 1);
    }

    private static List<Member> members(List<NodeId> nodes) {
        return nodes.stream().map(n -> new Member(n, "s" + n, 5454)).toList();
    }

    private static List<NodeId> nodes(List<Member> members) {
        return members.stream().map(Member::nodeId).sorted().toList();
    }

    private static List<NodeId> minus(List<NodeId> all, List<NodeId> without) {
        return all.stream().filter(n -> !without.contains(n)).toList();
    }
}
