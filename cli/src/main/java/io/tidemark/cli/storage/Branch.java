package io.tidemark.cli.storage;

import io.tidemark.wire.id.TimelineId;

/**
 * A timeline with a name.
 *
 * @param timeline 32 hex digits
 * @param pgMajor of the cluster it is a history of
 * @param computePort where its compute listens, the same at every start; 0 before the first
 */
public record Branch(String name, String timeline, int pgMajor, int computePort) {
    /** Letters, digits, {@code _ . -}; begins with a letter or digit. It is a directory's name, too. */
    static final String NAME_PATTERN = "[A-Za-z0-9][A-Za-z0-9_.-]{0,62}";

    public Branch {
        if (!name.matches(NAME_PATTERN)) {
            throw new IllegalArgumentException(
                    "not a branch name: '" + name + "' (1 to 63 letters, digits, _ . -, the first a letter or digit)");
        }
    }

    public TimelineId timelineId() {
        return TimelineId.parse(timeline);
    }

    Branch withName(String newName) {
        return new Branch(newName, timeline, pgMajor, computePort);
    }

    Branch withTimeline(TimelineId newTimeline) {
        return new Branch(name, newTimeline.toString(), pgMajor, computePort);
    }

    Branch withComputePort(int port) {
        return new Branch(name, timeline, pgMajor, port);
    }
}
