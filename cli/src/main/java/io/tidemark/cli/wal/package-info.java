/**
 * {@code tidemark wal}: looking at WAL. {@link io.tidemark.cli.wal.WalDumpCommand} chooses where WAL comes from (a directory,
 * one segment, a running safekeeper) and how a record is shown; reading and judging it is {@code wire.wal}'s.
 *
 * <p>Text output equals pg_waldump's up to the operation's name, so that the two can be compared and the same scripts work on
 * both; JSON uses the column names of pg_walinspect.
 */
@NullMarked
package io.tidemark.cli.wal;

import org.jspecify.annotations.NullMarked;
