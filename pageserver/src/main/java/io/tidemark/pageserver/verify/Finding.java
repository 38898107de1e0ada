package io.tidemark.pageserver.verify;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.rel.RelTag;
import java.util.List;

/**
 * One block that is not as it should be.
 *
 * @param lsn where the record starts
 * @param operation resource manager and opcode
 * @param reference the number of the block reference
 * @param details the difference field by field, or why redo refused
 */
public record Finding(Lsn lsn, String operation, int reference, RelTag relation, int block, List<String> details) {
    @Override
    public String toString() {
        return operation + " at " + lsn + ", block " + Integer.toUnsignedString(block) + " of " + relation
                + " (reference " + reference + "):\n    " + String.join("\n    ", details);
    }
}
