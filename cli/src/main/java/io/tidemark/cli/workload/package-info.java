/**
 * Workloads that make a real PostgreSQL write WAL of every kind, for tests, benchmarks and {@code tidemark wal make}.
 *
 * <p>{@link io.tidemark.cli.workload.VariedWorkload} is the workload; {@link io.tidemark.cli.workload.WalMaker} runs it on a
 * server of its own and keeps what is needed to replay it: a cold copy from before, the WAL, the data directory at the end.
 */
@NullMarked
package io.tidemark.cli.workload;

import org.jspecify.annotations.NullMarked;
