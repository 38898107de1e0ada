/**
 * A local cluster: safekeepers, a PostgreSQL and its shim, below one directory of one machine.
 *
 * <pre>
 * DIR/cluster.json              who listens where, which tenant and timeline ({@link io.tidemark.cli.cluster.ClusterConfig})
 * DIR/safekeeper-1 ...          a safekeeper's data
 * DIR/postgres, postgres.log    PostgreSQL's data directory and log
 * DIR/log/safekeeper-1.log ...  what the processes print
 * DIR/run/safekeeper-1.pid ...  process id and start time
 * </pre>
 *
 * <p>{@link io.tidemark.cli.cluster.ProcessCluster} runs them as separate processes, which outlive the command that started them.
 * {@link io.tidemark.cli.cluster.WalEquality} is what it is judged by.
 *
 * <p>Owner: whoever made the object; nothing here is thread-safe. Start reading at {@code ProcessCluster}.
 */
@NullMarked
package io.tidemark.cli.cluster;

import org.jspecify.annotations.NullMarked;
