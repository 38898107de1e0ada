package io.tidemark.simulation.world;

/** A machine on the network, by its number. Processes on it come and go; partitions are between hosts. */
public record Host(int number, String name) {
    @Override
    public String toString() {
        return name;
    }
}
