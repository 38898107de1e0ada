package io.tidemark.safekeeper;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a start has opened so far, so that a start that fails half way leaves nothing open. */
final class Startup {
    private static final Logger LOG = LoggerFactory.getLogger(Startup.class);

    private final Deque<AutoCloseable> opened = new ArrayDeque<>();

    Startup(AutoCloseable first) {
        opened.push(first);
    }

    <T extends AutoCloseable> T closing(T resource) {
        opened.push(resource);
        return resource;
    }

    /** Closes everything, last opened first. */
    void undo() {
        while (!opened.isEmpty()) {
            try {
                opened.pop().close();
            } catch (Exception e) {
                LOG.warn("closing after a failed start: {}", e.toString());
            }
        }
    }
}
