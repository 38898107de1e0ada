package io.tidemark.cli.demo;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.storage.EmbeddedStorage;
import io.tidemark.cli.storage.StorageDirectory;
import io.tidemark.shim.compute.ShimState;
import io.tidemark.shim.compute.ShimStatus;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.function.LongPredicate;

/**
 * One line about a cluster: where the quorum is, and each safekeeper's flush_lsn, lag, and term when it is another one. Three
 * safekeepers fit in 80 columns.
 */
final class StatusText {
    private static final long KIB = 1024;

    private StatusText() {}

    /** About branch main. */
    static String of(EmbeddedStorage storage) throws IOException {
        List<Long> ids = storage.directory().config().safekeepers().stream()
                .map(SafekeeperPlace::id)
                .toList();
        return of(storage.status(StorageDirectory.MAIN), ids, storage.safekeepers()::isRunning);
    }

    /** @param ids of the safekeepers, in the order of the status */
    static String of(ShimStatus status, List<Long> ids, LongPredicate isRunning) {
        StringBuilder line = new StringBuilder();
        if (status.state() != ShimState.STREAMING) {
            line.append(status.state().name().toLowerCase(Locale.ROOT).replace('_', ' '))
                    .append(" | ");
        } else if (ids.stream().filter(isRunning::test).count() <= ids.size() / 2) {
            line.append("no quorum, COMMITs wait | ");
        }
        line.append("term ").append(status.term()).append(" | commit_lsn ").append(status.commitLsn());
        for (int i = 0; i < status.safekeepers().size(); i++) {
            long id = ids.get(i);
            ShimStatus.Safekeeper safekeeper = status.safekeepers().get(i);
            line.append(" | ").append(id).append(' ');
            if (!isRunning.test(id)) {
                line.append("stopped");
                continue;
            }
            line.append(safekeeper.flushLsn());
            if (!safekeeper.term().equals(status.term())) {
                line.append(" term ").append(safekeeper.term());
            }
            if (safekeeper.lagBytes() > 0) {
                line.append(" lag ").append(bytes(safekeeper.lagBytes()));
            }
        }
        return line.toString();
    }

    private static String bytes(long count) {
        if (count < KIB) {
            return count + " B";
        }
        return count < KIB * KIB ? count / KIB + " KiB" : count / (KIB * KIB) + " MiB";
    }
}
