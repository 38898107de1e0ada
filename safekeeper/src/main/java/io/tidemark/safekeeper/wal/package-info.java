/**
 * The WAL of one timeline on one disk: segment files as PostgreSQL names them, the last one {@code .partial}.
 *
 * <p>{@link io.tidemark.safekeeper.wal.SegmentedWal} writes, and belongs to the timeline's owner. {@link
 * io.tidemark.safekeeper.wal.WalReader} reads, any number of them beside the writer; {@link
 * io.tidemark.safekeeper.wal.VerifyingWalReader} checks what it reads, for whatever leaves this process. {@link
 * io.tidemark.safekeeper.wal.WalRecovery} finds where the WAL ends after a crash.
 *
 * <p>Always: a segment appears under its name at full size; nothing is written before the first truncation of a process; below
 * commit_lsn nothing changes. Which LSN may be promised to whom is the acceptor's business, not this package's. Start reading
 * at {@code SegmentedWal}.
 */
@NullMarked
package io.tidemark.safekeeper.wal;

import org.jspecify.annotations.NullMarked;
