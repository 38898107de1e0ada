/**
 * PostgreSQL's write-ahead log as bytes: pages, records, segment names; reading and making them, for PostgreSQL 14 to 18.
 *
 * <p>Three readers of different depth. {@link io.tidemark.wire.wal.WalRecordScanner} is fed a stream in pieces of any
 * size, checks it and says where the last complete record ends; it is on the path of every byte that a safekeeper makes
 * durable, so it neither copies nor allocates per record. {@link io.tidemark.wire.wal.WalRecordReader} pulls whole records
 * from a {@link io.tidemark.wire.wal.WalSource}, and {@link io.tidemark.wire.wal.WalDecoder} takes one record apart into
 * block references, page images and data. {@link io.tidemark.wire.wal.WalStreamWriter} makes WAL that all of them, and
 * PostgreSQL, accept.
 *
 * <p>Always: a record starts at a multiple of 8 and never inside a page header; the end of a record is the aligned
 * position after its last byte, which stays on a page boundary when it falls there (no header is skipped), and for
 * XLOG_SWITCH is the start of the next segment. Bytes that break a rule are an
 * {@link io.tidemark.wire.wal.InvalidWalException}, never another error, and no length found in them decides how much
 * memory is taken before as many bytes have arrived.
 *
 * <p>Knows nothing of files, sockets, or what a record does to a page. Start reading at
 * {@link io.tidemark.wire.wal.WalRecordScanner}.
 */
@NullMarked
package io.tidemark.wire.wal;

import org.jspecify.annotations.NullMarked;
