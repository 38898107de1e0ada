package io.tidemark.simulation.actor;

import io.tidemark.simulation.world.Dice;
import io.tidemark.simulation.world.Host;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.Term;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A host on which computes come and go, one at a time. Several such hosts compete for the timeline, each believing that it is the
 * one.
 */
public final class ComputeActor {
    private final World world;
    private final Host host;
    private final ControllerActor controller;
    private final Dice dice;
    private @Nullable ComputeProcess process;
    private List<NodeId> list = List.of();
    private @Nullable Runnable killAfterWrite;
    private boolean retired;
    private boolean calm;
    private int starts;

    public ComputeActor(World world, int number, ControllerActor controller) {
        this.world = world;
        this.controller = controller;
        this.host = world.host("c" + number);
        this.dice = world.dice("computes" + number);
        controller.onList(this::listChanged);
    }

    public Host host() {
        return host;
    }

    /** How many runs there were. */
    public int starts() {
        return starts;
    }

    /** What the run of now knows to be committed; 0 when there is none. */
    public Lsn commitLsn() {
        ComputeProcess running = process;
        return running == null || !running.isAlive() ? Lsn.INVALID : running.commitLsn();
    }

    /** True when the run of now has won its term. */
    boolean isElected() {
        ComputeProcess running = process;
        return running != null && running.isAlive() && running.isElected();
    }

    /** Starts the first run some time soon. */
    public void begin() {
        startAfter(dice.longTail(0, 10_000_000));
    }

    /** No more competition: this one goes on alone, and lives. */
    public void calmDown() {
        calm = true;
        killAfterWrite = null;
        ComputeProcess running = process;
        if (running == null || !running.isAlive()) {
            startAfter(0);
        } else if (!list.equals(controller.list())) {
            kill(false);
        }
    }

    /** Ends, and is never started again. */
    public void retire() {
        retired = true;
        kill(false);
    }

    /** The run of now dies. */
    public void kill(boolean silently) {
        ComputeProcess running = process;
        if (running != null && running.isAlive()) {
            running.die(silently);
            startAfter(pause());
        }
    }

    /** The run of now dies as soon as it has written WAL, which by then some safekeepers have and others don't. */
    void killAfterWrite(Runnable then) {
        killAfterWrite = then;
    }

    private long pause() {
        return calm
                ? dice.between(10_000L, 1_000_000L)
                : dice.longTail(10_000, world.scenario().computePauseMaxMicros());
    }

    private void startAfter(long micros) {
        world.queue().after(micros, () -> {
            ComputeProcess running = process;
            if (!retired && (running == null || !running.isAlive())) {
                run(dice.chance(calm ? 0.1 : 0.25));
            }
        });
    }

    private void run(boolean sync) {
        if (list.isEmpty() || calm || !dice.chance(0.1)) {
            list = controller.list();
        }
        String name = host.name() + "." + ++starts;
        ComputeProcess next = new ComputeProcess(world, host, name, list, sync, new Ending());
        process = next;
        next.start();
        if (!calm) {
            world.queue().after(dice.longTail(1_000_000, world.scenario().computeLifeMaxMicros()), () -> {
                if (process == next && !calm) {
                    kill(dice.chance(0.5));
                }
            });
        }
    }

    /** The controller tells of another list; a compute restarts to use it, sooner or later. */
    private void listChanged(List<NodeId> now) {
        world.queue().after(calm ? 10_000 : dice.longTail(10_000, 15_000_000), () -> {
            if (!list.equals(controller.list())) {
                list = controller.list();
                kill(false);
            }
        });
    }

    /** What follows the end of a run. */
    private final class Ending implements ComputeProcess.Ending {
        @Override
        public void wrote() {
            Runnable then = killAfterWrite;
            if (then != null) {
                killAfterWrite = null;
                world.queue().after(dice.longTail(50, 50_000), () -> {
                    kill(dice.chance(0.5));
                    then.run();
                });
            }
        }

        @Override
        public void fenced(Term by) {
            startAfter(pause());
        }

        @Override
        public void mustRestart(String reason) {
            list = controller.list();
            startAfter(pause());
        }

        @Override
        public void synced(Lsn lsn) {
            world.queue().after(dice.longTail(1_000, 3_000_000), () -> {
                ComputeProcess running = process;
                if (!retired && (running == null || !running.isAlive())) {
                    run(false);
                }
            });
        }
    }
}
