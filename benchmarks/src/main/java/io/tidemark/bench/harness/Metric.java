package io.tidemark.bench.harness;

/**
 * Something measured.
 *
 * @param name as printed
 * @param unit as printed, e.g. {@code MB/s} with a megabyte of 10^6 bytes
 * @param decimals digits after the point in print
 */
public record Metric(String name, String unit, int decimals) {
    /** Transactions per second. */
    public static final Metric TPS = new Metric("throughput", "tx/s", 0);

    /** 10^6 bytes per second of wall-clock time. */
    public static final Metric MEGABYTES_PER_SECOND = new Metric("throughput", "MB/s", 1);

    /** CPU time, user and system, of the processes of one side, for each 10^6 bytes. */
    public static final Metric CPU_MILLIS_PER_MEGABYTE = new Metric("CPU", "ms/MB", 2);
}
