package io.tidemark.simulation.actor;

import io.tidemark.simulation.Scenario;
import io.tidemark.simulation.invariant.ClientPromises;
import io.tidemark.simulation.invariant.ClusterWatch;
import io.tidemark.simulation.mutant.Sabotage;
import io.tidemark.simulation.world.Dice;
import io.tidemark.simulation.world.EventLog;
import io.tidemark.simulation.world.EventQueue;
import io.tidemark.simulation.world.Host;
import io.tidemark.simulation.world.Network;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What every actor of one simulation shares. */
public final class World {
    private static final long CALL_TIMEOUT_MICROS = 2_000_000;

    private final Scenario scenario;
    private final Sabotage sabotage;
    private final EventQueue queue = new EventQueue();
    private final EventLog log;
    private final Network network;
    private final ClusterWatch cluster;
    private final ClientPromises promises = new ClientPromises();
    private final List<SafekeeperActor> safekeepers = new ArrayList<>();
    private final Dice callDice;
    private int hosts;

    public World(Scenario scenario, Sabotage sabotage, Consumer<String> listener) {
        this.scenario = scenario;
        this.cluster = new ClusterWatch(scenario.startLsn());
        this.sabotage = sabotage;
        this.log = new EventLog(queue, listener);
        this.network = new Network(queue, dice("network"), log);
        this.callDice = dice("calls");
        network.setLatencyMax(scenario.latencyMaxMicros());
    }

    public Scenario scenario() {
        return scenario;
    }

    public Sabotage sabotage() {
        return sabotage;
    }

    public EventQueue queue() {
        return queue;
    }

    public EventLog log() {
        return log;
    }

    public Network network() {
        return network;
    }

    public ClusterWatch cluster() {
        return cluster;
    }

    public ClientPromises promises() {
        return promises;
    }

    /** Every node there is, by node id from 1 on. */
    public List<SafekeeperActor> safekeepers() {
        return safekeepers;
    }

    /** A stream of choices of its own for an actor. */
    public Dice dice(String name) {
        return new Dice(scenario.seed(), name);
    }

    Host host(String name) {
        return new Host(hosts++, name);
    }

    /**
     * Calls a safekeeper as HTTP would: the request may not arrive, and the answer may not although the work was done.
     *
     * @param work null when the safekeeper can't answer
     * @param done gets null after a while when no answer came
     */
    <T> void call(Host from, SafekeeperActor to, Supplier<@Nullable T> work, Consumer<@Nullable T> done) {
        OneAnswer<T> answer = new OneAnswer<>(done);
        queue.after(CALL_TIMEOUT_MICROS, () -> answer.give(null));
        long late = callDice.chance(0.05) ? callDice.between(0L, 8 * CALL_TIMEOUT_MICROS) : 0;
        queue.after(network.latency() + late, () -> {
            if (network.isCut(from, to.host()) || !to.isUp()) {
                return;
            }
            T result = work.get();
            if (!network.isCut(to.host(), from) && !callDice.chance(0.02)) {
                queue.after(network.latency(), () -> answer.give(result));
            }
        });
    }

    /** Lets the first answer through, and no other. */
    private static final class OneAnswer<T> {
        private final Consumer<@Nullable T> done;
        private boolean given;

        OneAnswer(Consumer<@Nullable T> done) {
            this.done = done;
        }

        void give(@Nullable T result) {
            if (!given) {
                given = true;
                done.accept(result);
            }
        }
    }
}
