/**
 * The servers that are measured, as processes of their own, and plain clients for them: {@link
 * io.tidemark.bench.cluster.SafekeeperProcess}, {@link io.tidemark.bench.cluster.WalPusher}, {@link
 * io.tidemark.bench.cluster.WalDrain}.
 */
@NullMarked
package io.tidemark.bench.cluster;

import org.jspecify.annotations.NullMarked;
