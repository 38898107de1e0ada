package io.tidemark.simulation.actor;

import io.tidemark.safekeeper.acceptor.AcceptorEvent;
import io.tidemark.simulation.actor.SafekeeperActor.Death;
import io.tidemark.simulation.actor.SafekeeperActor.Moment;
import io.tidemark.simulation.invariant.AcceptorView;
import io.tidemark.simulation.world.Connection;
import io.tidemark.simulation.world.Dice;
import io.tidemark.simulation.world.Host;
import io.tidemark.simulation.world.Network;
import io.tidemark.wire.id.Lsn;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Misfortune: kills, cuts, delays and fills, as often as the scenario has it, until the storm is over. Each seed has its own mix, some
 * kinds often and some never: a storm of everything at once hides what only a storm of one kind shows.
 */
public final class FaultActor {
    private static final long SECOND = 1_000_000;
    private static final long ROOMY_BYTES = Long.MAX_VALUE / 2;

    private final World world;
    private final List<ComputeActor> computes;
    private final ControllerActor controller;
    private final Dice dice;
    private final Map<Fault, Integer> weights = new EnumMap<>(Fault.class);
    private boolean over;
    private int faults;

    /** What can go wrong. */
    private enum Fault {
        KILL_SAFEKEEPER,
        POWER_LOSS,
        POWER_LOSS_WITHIN_WORK,
        POWER_LOSS_AT_MOMENT,
        FAILED_SYNC,
        FULL_DISK,
        WRITE_BACK,
        STALL,
        CUT_LINK,
        ISOLATE_HOST,
        SPLIT,
        LATENCY,
        RESET,
        STRAND,
        BREAK_SERVER_SIDE,
        KILL_COMPUTE,
        KILL_COMPUTE_AFTER_WRITE,
        INTERRUPT_CONTROLLER,
        BUMP_TERM
    }

    public FaultActor(World world, List<ComputeActor> computes, ControllerActor controller) {
        this.world = world;
        this.computes = List.copyOf(computes);
        this.controller = controller;
        this.dice = world.dice("faults");
        for (Fault fault : Fault.values()) {
            weights.put(fault, dice.pick(List.of(0, 1, 2, 2, 8)));
        }
        // What makes logs part, and power that fails when order matters, is worth more than the rest.
        for (Fault fault :
                List.of(Fault.KILL_COMPUTE_AFTER_WRITE, Fault.SPLIT, Fault.POWER_LOSS_AT_MOMENT, Fault.STRAND)) {
            weights.merge(fault, dice.pick(List.of(0, 4, 8)), Integer::sum);
        }
    }

    public int faults() {
        return faults;
    }

    public void begin() {
        long period = world.scenario().faultPeriodMicros();
        world.queue().after(dice.between(period / 4, period * 2), () -> {
            if (!over) {
                faults++;
                strike(pickFault());
                begin();
            }
        });
    }

    /** Heals everything, and brings everybody back. */
    public void stop() {
        over = true;
        world.network().healAll();
        world.network().setLatencyMax(5_000);
        for (SafekeeperActor safekeeper : world.safekeepers()) {
            safekeeper.disk().setCapacity(ROOMY_BYTES);
            safekeeper.calmDown();
            safekeeper.start();
        }
    }

    private Fault pickFault() {
        int total = weights.values().stream().mapToInt(Integer::intValue).sum();
        int at = dice.between(0, Math.max(0, total - 1));
        for (Map.Entry<Fault, Integer> entry : weights.entrySet()) {
            at -= entry.getValue();
            if (at < 0) {
                return entry.getKey();
            }
        }
        return Fault.POWER_LOSS;
    }

    private void strike(Fault fault) {
        SafekeeperActor safekeeper = dice.pick(world.safekeepers());
        switch (fault) {
            case KILL_SAFEKEEPER -> {
                safekeeper.die(Death.KILLED, "fault");
                safekeeper.restartLater();
            }
            case POWER_LOSS -> {
                safekeeper.die(Death.POWER_LOST, "fault");
                safekeeper.restartLater();
            }
            // In the middle of something: the very next operations, or some time later.
            case POWER_LOSS_WITHIN_WORK ->
                safekeeper.disk().losePowerDuring(dice.between(1, dice.chance(0.7) ? 8 : 60));
            case POWER_LOSS_AT_MOMENT -> safekeeper.losePowerDuringNext(dice.pick(List.of(Moment.values())));
            case FAILED_SYNC -> safekeeper.disk().failNextSync();
            case FULL_DISK -> {
                safekeeper.disk().setCapacity(dice.between(0L, 3L << 20));
                long later = dice.between(SECOND / 2, 15 * SECOND);
                world.queue().after(later, () -> safekeeper.disk().setCapacity(ROOMY_BYTES));
            }
            case WRITE_BACK -> safekeeper.disk().writeBack(dice.generator());
            case STALL -> safekeeper.stall(dice.longTail(SECOND / 10, 30 * SECOND));
            case KILL_COMPUTE -> dice.pick(computes).kill(dice.chance(0.5));
            case KILL_COMPUTE_AFTER_WRITE -> dice.pick(computes).killAfterWrite(this::hideLongestLog);
            case INTERRUPT_CONTROLLER -> controller.interrupt();
            case BUMP_TERM -> safekeeper.happens(new AcceptorEvent.BumpTerm(null));
            case CUT_LINK, ISOLATE_HOST, SPLIT, LATENCY -> strikeNetwork(fault, safekeeper);
            case RESET, STRAND, BREAK_SERVER_SIDE -> strikeConnection(fault);
        }
    }

    private void strikeNetwork(Fault fault, SafekeeperActor safekeeper) {
        switch (fault) {
            case CUT_LINK -> {
                Host other = clientHost();
                boolean both = dice.chance(0.6);
                cutFor(safekeeper.host(), other, dice.longTail(SECOND / 10, 30 * SECOND));
                if (both) {
                    cutFor(other, safekeeper.host(), dice.longTail(SECOND / 10, 30 * SECOND));
                }
            }
            case ISOLATE_HOST -> {
                Host alone = dice.chance(0.5) ? safekeeper.host() : clientHost();
                isolateFor(alone, dice.longTail(SECOND / 2, 20 * SECOND));
            }
            case SPLIT -> split(dice.between(SECOND, 25 * SECOND));
            default -> {
                long latency = dice.pick(List.of(1_000L, 30_000L, 500_000L, 3 * SECOND));
                world.log().note("net", "latency up to " + latency / 1000 + " ms");
                world.network().setLatencyMax(latency);
            }
        }
    }

    /** One compute keeps a few safekeepers, and the others can't reach those: two sides that both go on. */
    private void split(long micros) {
        ComputeActor one = dice.pick(computes);
        for (ComputeActor compute : computes) {
            one = compute.isElected() && dice.chance(0.8) ? compute : one;
        }
        Host lonely = one.host();
        List<SafekeeperActor> kept = new ArrayList<>();
        for (SafekeeperActor safekeeper : world.safekeepers()) {
            if (dice.chance(0.4)) {
                kept.add(safekeeper);
            }
        }
        for (SafekeeperActor safekeeper : world.safekeepers()) {
            for (ComputeActor compute : computes) {
                if (kept.contains(safekeeper) != compute.host().equals(lonely)) {
                    cutFor(safekeeper.host(), compute.host(), micros);
                    cutFor(compute.host(), safekeeper.host(), micros);
                }
            }
        }
    }

    /** The next election happens without the longest log: later that log must be cut. */
    private void hideLongestLog() {
        SafekeeperActor longest = null;
        Lsn end = Lsn.INVALID;
        for (SafekeeperActor safekeeper : world.safekeepers()) {
            AcceptorView view = safekeeper.view();
            if (view != null && view.writeLsn().isAfter(end)) {
                longest = safekeeper;
                end = view.writeLsn();
            }
        }
        if (longest == null || over || dice.chance(0.3)) {
            return;
        }
        long micros = dice.between(SECOND, 15 * SECOND);
        for (ComputeActor compute : computes) {
            cutFor(longest.host(), compute.host(), micros);
            cutFor(compute.host(), longest.host(), micros);
        }
    }

    private void strikeConnection(Fault fault) {
        Network network = world.network();
        List<Connection> all = network.open();
        if (all.isEmpty()) {
            return;
        }
        List<Connection> busy = all.stream()
                .filter(c -> c.isOpenAtClient()
                        && computes.stream()
                                .anyMatch(k -> k.isElected() && k.host().equals(c.client())))
                .toList();
        List<Connection> open = busy.isEmpty() || dice.chance(0.3) ? all : busy;
        Connection connection = dice.pick(open);
        world.log().note("net", fault + " " + connection);
        switch (fault) {
            case RESET -> network.reset(connection);
            case STRAND -> {
                // What the client sends from now on gets stuck; it gives up after a while, and much later all of it
                // arrives.
                if (dice.chance(0.5)) {
                    network.holdToServer(connection);
                    world.queue().after(dice.between(SECOND, 40 * SECOND), () -> network.letGo(connection.server()));
                } else {
                    network.delayToServer(connection, dice.longTail(SECOND / 20, 40 * SECOND));
                }
                world.queue()
                        .after(dice.longTail(0, 6 * SECOND), () -> network.endAtClient(connection, "connection reset"));
            }
            default -> network.endAtServer(connection, "connection reset");
        }
    }

    private Host clientHost() {
        List<Host> hosts = new ArrayList<>();
        computes.forEach(c -> hosts.add(c.host()));
        hosts.add(controller.host());
        return dice.pick(hosts);
    }

    private void cutFor(Host from, Host to, long micros) {
        world.network().cut(from, to);
        world.queue().after(micros, () -> world.network().heal(from, to));
    }

    private void isolateFor(Host alone, long micros) {
        List<Host> others = new ArrayList<>();
        world.safekeepers().forEach(s -> others.add(s.host()));
        computes.forEach(c -> others.add(c.host()));
        others.add(controller.host());
        for (Host other : others) {
            if (!other.equals(alone)) {
                cutFor(alone, other, micros);
                cutFor(other, alone, micros);
            }
        }
    }
}
