package io.tidemark.simulation;

import io.tidemark.simulation.actor.BrokerActor;
import io.tidemark.simulation.actor.ComputeActor;
import io.tidemark.simulation.actor.ControllerActor;
import io.tidemark.simulation.actor.FaultActor;
import io.tidemark.simulation.actor.FinalChecks;
import io.tidemark.simulation.actor.ReaderActor;
import io.tidemark.simulation.actor.SafekeeperActor;
import io.tidemark.simulation.actor.World;
import io.tidemark.simulation.invariant.Invariant;
import io.tidemark.simulation.invariant.InvariantViolation;
import io.tidemark.wire.id.Lsn;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * One seed, from an empty cluster through the storm to the quiet end. The same seed and mutant give the same events, whenever and
 * wherever they run.
 */
public final class Simulation {
    /** More events than this in one simulation mean that somebody spins. */
    public static final long MAX_EVENTS = 2_000_000;

    /** Virtual time from the end of the storm in which new WAL must be committed. */
    public static final long RECOVERY_MICROS = 120_000_000;

    private final World world;
    private final Mutant mutant;
    private final ControllerActor controller;
    private final List<ComputeActor> computes = new ArrayList<>();
    private final FaultActor faults;

    private Simulation(long seed, Mutant mutant, Consumer<String> listener) {
        Scenario scenario = Scenario.of(seed);
        this.mutant = mutant;
        world = new World(scenario, mutant.sabotage(), listener);
        for (int i = 1; i <= scenario.safekeepers(); i++) {
            world.safekeepers().add(new SafekeeperActor(world, i));
        }
        controller = new ControllerActor(world);
        for (int i = 1; i <= scenario.computes(); i++) {
            computes.add(new ComputeActor(world, i, controller));
        }
        faults = new FaultActor(world, computes, controller);
    }

    /** Runs the honest classes; every line of the event log goes to {@code listener} as it happens. */
    public static SimulationResult run(long seed, Consumer<String> listener) {
        return run(seed, Mutant.NONE, listener);
    }

    /** Runs with a deliberate bug. Never throws for a violation: the result tells. */
    public static SimulationResult run(long seed, Mutant mutant, Consumer<String> listener) {
        return new Simulation(seed, mutant, listener).run();
    }

    private SimulationResult run() {
        try {
            storm();
            calm();
            FinalChecks.check(world);
            return SimulationResult.passed(
                    world.scenario(), mutant, statistics(), world.log().hash());
        } catch (InvariantViolation e) {
            return failed(e);
        } catch (RuntimeException e) {
            return failed(new InvariantViolation(Invariant.NOTHING_UNEXPECTED, e.toString(), e));
        }
    }

    private SimulationResult failed(InvariantViolation violation) {
        return SimulationResult.failed(
                world.scenario(),
                mutant,
                statistics(),
                world.log().hash(),
                violation,
                world.log().tail());
    }

    private SimulationResult.Statistics statistics() {
        return new SimulationResult.Statistics(
                world.queue().executed(),
                world.queue().nowMicros() / 1_000_000,
                faults.faults(),
                world.cluster().elections(),
                world.cluster().truncations(),
                controller.changes(),
                world.promises().count(),
                world.cluster().committedBytes());
    }

    private void storm() {
        world.log().note("sim", world.scenario().toString());
        world.safekeepers().forEach(SafekeeperActor::start);
        controller.begin();
        computes.forEach(ComputeActor::begin);
        for (int i = 1; i <= 2; i++) {
            new ReaderActor(world, i).begin();
        }
        new BrokerActor(world).begin();
        faults.begin();
        runUntil(world.scenario().stormMicros());
    }

    private void calm() {
        world.log().note("sim", "the storm is over");
        controller.calmDown();
        faults.stop();
        ComputeActor last = computes.getFirst();
        computes.stream().filter(c -> c != last).forEach(ComputeActor::retire);
        last.calmDown();
        Lsn mark = world.cluster().committedLsn();
        long deadline = world.queue().nowMicros() + RECOVERY_MICROS;
        while (world.queue().nowMicros() < deadline) {
            runUntil(world.queue().nowMicros() + 1_000_000);
            boolean progress = last.commitLsn().isAfter(mark.plus(2_000));
            if (progress && controller.isSettled()) {
                return;
            }
        }
        Invariant.PROGRESS_WHEN_HEALTHY.require(
                false,
                "nothing was committed after %s in %d s of good weather (now %s, membership settled: %s)",
                mark,
                RECOVERY_MICROS / 1_000_000,
                last.commitLsn(),
                controller.isSettled());
    }

    private void runUntil(long micros) {
        while (world.queue().step(micros)) {
            Invariant.NOTHING_UNEXPECTED.require(
                    world.queue().executed() < MAX_EVENTS, "more than %d events", MAX_EVENTS);
        }
    }
}
