package io.tidemark.pageserver.verify;

import java.util.List;

/**
 * One block or relation that is not as it should be.
 *
 * @param title which, and after which record
 * @param details the difference field by field, or why redo refused
 */
public record Finding(String title, List<String> details) {
    @Override
    public String toString() {
        return title + ":\n    " + String.join("\n    ", details);
    }
}
