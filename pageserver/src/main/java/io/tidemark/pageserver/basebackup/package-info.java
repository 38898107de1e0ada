/**
 * Describes the data directory of a timeline at an LSN, and writes it out as a tar.
 *
 * <p>{@link io.tidemark.pageserver.basebackup.DataDirectory} is the description: entries with path, size and a reader of blocks, told in
 * the order that a tar needs. {@link io.tidemark.pageserver.basebackup.TarBackup} is one consumer; whoever serves a directory lazily is
 * another. {@link io.tidemark.pageserver.basebackup.BackupPoint} settles the LSN and the record before it,
 * {@link io.tidemark.pageserver.basebackup.StartOfWal} makes the WAL files that a server needs to start there.
 *
 * <p>There are two kinds. What a stock server gets is whole, and starts without recovery: its pg_control names a checkpoint record that
 * was made for it. What a compute with Neon's extension gets has no relations, and no record, since that compute writes its first one
 * at the very LSN.
 *
 * <p>Always: one LSN for everything; the same LSN gives the same bytes, but for times. Nothing here knows of sockets.
 */
@NullMarked
package io.tidemark.pageserver.basebackup;

import org.jspecify.annotations.NullMarked;
