package io.tidemark.pageserver.ingest;

import io.tidemark.pageserver.redo.RedoRules;

/**
 * What the parts of one timeline's ingest share. Belongs to the thread that ingests.
 *
 * @param head what is read at the head, written only through {@code changes}
 * @param rules version and flavour
 * @param changes what the record at hand puts
 * @param relations which relations and databases exist
 * @param slrus which SLRU segments exist
 * @param checkPoint the counters
 */
record IngestContext(
        TimelineHead head,
        RedoRules rules,
        Changes changes,
        RelationDirectory relations,
        SlruDirectory slrus,
        RunningCheckPoint checkPoint) {
    int pgMajor() {
        return rules.pgMajor();
    }
}
