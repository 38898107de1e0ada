package io.tidemark.safekeeper.acceptor;

import io.tidemark.wire.wal.WalRecordScanner;

/**
 * The scan of one append's WAL, made before the acceptor sees it, in another thread: a copy of {@code before} was fed these bytes and
 * accepted them, which gave {@code after}. Both are left as they are from then on.
 *
 * <p>It asks for no trust: what a scan gives depends on the scanner's state and the bytes alone, so it holds for an acceptor whose scanner is in
 * the state of {@code before}, and for no other.
 */
public record ScannedWal(WalRecordScanner before, WalRecordScanner after) {}
