package io.tidemark.wire.rel;

/** A relation's fork: ForkNumber in PostgreSQL. */
public enum Fork {
    MAIN(0, ""),
    FSM(1, "_fsm"),
    VM(2, "_vm"),
    INIT(3, "_init");

    private static final Fork[] BY_NUMBER = values();

    private final int number;
    private final String suffix;

    Fork(int number, String suffix) {
        this.number = number;
        this.suffix = suffix;
    }

    /** forknum: 0 main, 1 fsm, 2 vm, 3 init. */
    public int number() {
        return number;
    }

    /** What the file's name has behind the relation's number. */
    public String fileSuffix() {
        return suffix;
    }

    /**
     * The fork of a number.
     *
     * @throws IllegalArgumentException when there is none
     */
    public static Fork of(int number) {
        if (number < 0 || number >= BY_NUMBER.length) {
            throw new IllegalArgumentException("no fork has the number " + number);
        }
        return BY_NUMBER[number];
    }
}
