/**
 * {@code tidemark bench compute}: transactions per second, and WAL per transaction, of a PostgreSQL on storage beside stock ones.
 *
 * <p>{@link io.tidemark.bench.compute.ComputeCommand} makes the contenders, {@link io.tidemark.bench.compute.StockServer} and {@link
 * io.tidemark.bench.compute.StorageCompute} are what they measure, {@link io.tidemark.bench.compute.Turn} is what all of them do.
 */
@NullMarked
package io.tidemark.bench.compute;

import org.jspecify.annotations.NullMarked;
