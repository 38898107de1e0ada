package io.tidemark.pageserver.timeline;

import java.util.Arrays;
import java.util.Optional;

/** What becomes of a branch that is detached from its ancestor, and of the ancestor's other branches; each has the two names that Neon has. */
public enum DetachBehavior {
    /**
     * It takes over the ancestor's history up to its branch point, and with it the other branches that begin there or earlier. The ancestor
     * must not be a branch itself.
     */
    NO_ANCESTOR_AND_REPARENT("v1", "no_ancestor_and_reparent"),

    /** It keeps what it inherits at its branch point, of any number of ancestors, and begins there. Other branches stay where they are. */
    MULTI_LEVEL_AND_NO_REPARENT("v2", "multi_level_and_no_reparent");

    private final String version;
    private final String text;

    DetachBehavior(String version, String text) {
        this.version = version;
        this.text = text;
    }

    /** The one of this name; empty when there is none. */
    public static Optional<DetachBehavior> of(String name) {
        return Arrays.stream(values())
                .filter(one -> one.version.equals(name) || one.text.equals(name))
                .findFirst();
    }

    @Override
    public String toString() {
        return text;
    }
}
