package io.tidemark.simulation.world;

import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/** A stream of random choices that depends on a seed and a name only, so that one actor's choices don't shift another's. */
public final class Dice {
    private final SplittableRandom random;

    public Dice(long seed, String name) {
        long mixed = seed * 0x9E37_79B9_7F4A_7C15L;
        for (int i = 0; i < name.length(); i++) {
            mixed = (mixed ^ name.charAt(i)) * 0x1000_0000_01B3L;
        }
        this.random = new SplittableRandom(mixed);
    }

    /** True with this probability, 0 to 1. */
    public boolean chance(double probability) {
        return random.nextDouble() < probability;
    }

    /** A number of {@code [low, high]}. */
    public int between(int low, int high) {
        return random.nextInt(low, high + 1);
    }

    /** A number of {@code [low, high]}. */
    public long between(long low, long high) {
        return random.nextLong(low, high + 1);
    }

    /** A number of {@code [low, high]}, small ones far more often: delays of networks and disks have long tails. */
    public long longTail(long low, long high) {
        double u = random.nextDouble();
        return low + (long) ((high - low) * u * u * u * u);
    }

    public <T> T pick(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    public long nextLong() {
        return random.nextLong();
    }

    public void fill(byte[] bytes) {
        random.nextBytes(bytes);
    }

    /** The generator itself, for what wants one. */
    public RandomGenerator generator() {
        return random;
    }
}
