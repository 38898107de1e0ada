package io.tidemark.cli.demo;

import io.tidemark.cli.cluster.EmbeddedCluster;
import io.tidemark.shim.compute.ShimStatus;
import java.util.Locale;

/** One line about a cluster: where the quorum is, and each safekeeper's term, flush_lsn and lag. */
final class StatusText {
    private static final long KIB = 1024;

    private StatusText() {}

    static String of(EmbeddedCluster cluster) {
        ShimStatus status = cluster.status();
        StringBuilder line = new StringBuilder();
        line.append(status.state().name().toLowerCase(Locale.ROOT).replace('_', ' '))
                .append(" | term ")
                .append(status.term())
                .append(" | commit_lsn ")
                .append(status.commitLsn());
        for (int i = 0; i < status.safekeepers().size(); i++) {
            long id = cluster.directory().config().safekeepers().get(i).id();
            ShimStatus.Safekeeper safekeeper = status.safekeepers().get(i);
            line.append(" | ").append(id).append(": ");
            if (cluster.isRunning(id)) {
                line.append("flush_lsn ")
                        .append(safekeeper.flushLsn())
                        .append(", term ")
                        .append(safekeeper.term());
            } else {
                line.append("stopped at ").append(safekeeper.flushLsn());
            }
            if (safekeeper.lagBytes() > 0) {
                line.append(", lag ").append(bytes(safekeeper.lagBytes()));
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
