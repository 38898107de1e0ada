package io.tidemark.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** Many seeds, on a few threads: each simulation is single-threaded and knows nothing of the others. */
public final class Sweep {
    private Sweep() {}

    /**
     * Runs {@code [firstSeed, firstSeed + seeds)} and answers those that failed, by seed.
     *
     * @param stopAtFirst begin no further seed once one has failed
     * @param progress hears of every result, from any of the threads, one at a time
     */
    public static List<SimulationResult> run(
            long firstSeed,
            long seeds,
            int threads,
            Mutant mutant,
            boolean stopAtFirst,
            Consumer<SimulationResult> progress) {
        AtomicLong next = new AtomicLong();
        AtomicBoolean stop = new AtomicBoolean();
        List<SimulationResult> failures = new ArrayList<>();
        Runnable worker = () -> {
            while (!stop.get()) {
                long index = next.getAndIncrement();
                if (index >= seeds) {
                    return;
                }
                SimulationResult result = Simulation.run(firstSeed + index, mutant, line -> {});
                synchronized (failures) {
                    if (!result.isPassed()) {
                        failures.add(result);
                        stop.compareAndSet(false, stopAtFirst);
                    }
                    progress.accept(result);
                }
            }
        };
        try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                running.add(pool.submit(worker));
            }
            for (Future<?> one : running) {
                one.get();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("a simulation could not be run", e.getCause());
        }
        synchronized (failures) {
            List<SimulationResult> sorted = new ArrayList<>(failures);
            sorted.sort(java.util.Comparator.comparingLong(SimulationResult::seed));
            return sorted;
        }
    }
}
