/**
 * The physical replication stream inside CopyBoth, both ways: WAL data and keepalives out, standby status, hot standby
 * feedback and pageserver feedback in. Big endian. Source: PostgreSQL's walsender.c and walreceiver.c; Neon's
 * PageserverFeedback.
 */
@NullMarked
package io.tidemark.wire.replication;

import org.jspecify.annotations.NullMarked;
