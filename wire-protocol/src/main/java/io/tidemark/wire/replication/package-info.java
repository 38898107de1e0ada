/**
 * The physical replication stream inside CopyBoth, both ways: a walsender says WAL data and keepalives, a walreceiver says
 * standby status, hot standby feedback and pageserver feedback. Big endian.
 *
 * <p>One sealed interface per direction, one record per message; decoded WAL is a slice of its frame. Source: PostgreSQL's
 * walsender.c and walreceiver.c; Neon's PageserverFeedback. Start reading at {@link
 * io.tidemark.wire.replication.WalSenderMessage}.
 */
@NullMarked
package io.tidemark.wire.replication;

import org.jspecify.annotations.NullMarked;
