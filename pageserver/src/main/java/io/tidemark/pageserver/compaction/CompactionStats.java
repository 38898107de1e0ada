package io.tidemark.pageserver.compaction;

/**
 * What compaction of a timeline has done since it was opened.
 *
 * @param l0Merges moves of L0 files into the partitions
 * @param stackMerges merges within a partition
 * @param bytesRead the sizes of the input files
 * @param bytesWritten the sizes of the output files
 * @param images how many were made
 * @param failedImages how many could not be made
 * @param versionsDropped versions that nobody needed
 * @param failures tasks that failed
 */
public record CompactionStats(
        long l0Merges,
        long stackMerges,
        long bytesRead,
        long bytesWritten,
        long images,
        long failedImages,
        long versionsDropped,
        long failures) {

    static final CompactionStats NONE = new CompactionStats(0, 0, 0, 0, 0, 0, 0, 0);

    CompactionStats plus(CompactionStats more) {
        return new CompactionStats(
                l0Merges + more.l0Merges,
                stackMerges + more.stackMerges,
                bytesRead + more.bytesRead,
                bytesWritten + more.bytesWritten,
                images + more.images,
                failedImages + more.failedImages,
                versionsDropped + more.versionsDropped,
                failures + more.failures);
    }
}
