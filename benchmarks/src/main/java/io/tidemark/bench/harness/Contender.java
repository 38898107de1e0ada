package io.tidemark.bench.harness;

/** One way to do the work that is compared: ours, or a peer's. */
public interface Contender {
    /** As printed. */
    String name();

    /**
     * Takes one turn. What has to be prepared or cleaned up around the measured part happens in here too, since the next turn
     * is somebody else's.
     */
    Sample takeTurn() throws Exception;

    /** A contender from its name and its turn. */
    static Contender of(String name, Turn turn) {
        return new Contender() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public Sample takeTurn() throws Exception {
                return turn.take();
            }
        };
    }

    /** See {@link #takeTurn}. */
    @FunctionalInterface
    interface Turn {
        Sample take() throws Exception;
    }
}
