package io.tidemark.cli.storage;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TimelineId;

/**
 * A compute that only reads: what it is built from at each start.
 *
 * @param branch whose history it shows
 * @param name its own; unique among those of the branch
 * @param timeline 32 hex digits: the branch's when it was defined, or an ancestor's
 * @param pgMajor of the branch
 * @param lsn what it shows; empty for a replica, which shows the head
 * @param port where it listens, the same at every start; 0 before the first
 */
public record Reader(String branch, String name, String timeline, int pgMajor, String lsn, int port) {
    /** Not in a branch's name, so a compute that reads is never taken for the one that writes. */
    static final String SEPARATOR = "@";

    public Reader {
        if (!name.matches(Branch.NAME_PATTERN)) {
            throw new IllegalArgumentException("not a compute's name: '" + name
                    + "' (1 to 63 letters, digits, _ . -, the first a letter or digit)");
        }
    }

    /** {@code branch@name}: its name among all computes. */
    public String id() {
        return id(branch, name);
    }

    /** The id of a compute with this name. */
    public static String id(String branch, String name) {
        return branch + SEPARATOR + name;
    }

    /** A name for one at an LSN. */
    static String nameAt(Lsn lsn) {
        return lsn.toString().replace('/', '-');
    }

    /** What it is, for people. */
    public String kind() {
        return follows() ? "replica" : "read-only";
    }

    /** Whether it goes on with the branch. */
    public boolean follows() {
        return lsn.isEmpty();
    }

    public TimelineId timelineId() {
        return TimelineId.parse(timeline);
    }

    /** Throws for a replica. */
    public Lsn startLsn() {
        return Lsn.parse(lsn);
    }

    Reader withPort(int newPort) {
        return new Reader(branch, name, timeline, pgMajor, lsn, newPort);
    }
}
