package io.tidemark.wire.rel;

/** The SLRUs that storage keeps. pg_commit_ts, pg_subtrans and pg_notify are not kept. */
public enum SlruKind {
    CLOG(0, "pg_xact"),
    MULTIXACT_MEMBERS(1, "pg_multixact/members"),
    MULTIXACT_OFFSETS(2, "pg_multixact/offsets");

    /** SLRU_PAGES_PER_SEGMENT. */
    public static final int PAGES_PER_SEGMENT = 32;

    private static final SlruKind[] BY_NUMBER = values();

    private final int number;
    private final String directory;

    SlruKind(int number, String directory) {
        this.number = number;
        this.directory = directory;
    }

    /** 0 clog, 1 multixact members, 2 multixact offsets. */
    public int number() {
        return number;
    }

    /** Where a data directory has its segments, relative to its root. */
    public String directory() {
        return directory;
    }

    /**
     * The kind of a number.
     *
     * @throws IllegalArgumentException when there is none
     */
    public static SlruKind of(int number) {
        if (number < 0 || number >= BY_NUMBER.length) {
            throw new IllegalArgumentException("no SLRU has the number " + number);
        }
        return BY_NUMBER[number];
    }
}
