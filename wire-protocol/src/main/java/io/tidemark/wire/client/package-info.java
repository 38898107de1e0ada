/**
 * The client side of a libpq v3 connection on Netty: TLS negotiation, startup, authentication (trust, clear text, MD5,
 * SCRAM-SHA-256 with and without channel binding), simple query, and COPY both ways.
 *
 * <p>{@link io.tidemark.wire.client.PgClient#connect} takes the caller's Bootstrap, so the caller owns the threads; it gives a
 * {@link io.tidemark.wire.client.PgConnection} that is ready for a command. Used against PostgreSQL itself (physical
 * replication) and against safekeepers. Knows nothing of what the commands mean.
 *
 * <p>A {@link io.tidemark.wire.client.PgServerException} is what a server said; any other {@link java.io.IOException} is the
 * network; an {@link io.tidemark.wire.frame.InvalidMessageException} is a peer that doesn't speak the protocol.
 */
@NullMarked
package io.tidemark.wire.client;

import org.jspecify.annotations.NullMarked;
