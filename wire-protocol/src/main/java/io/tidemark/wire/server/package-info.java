/**
 * The server side of a libpq v3 connection on Netty: TLS negotiation, startup, password check, then commands by simple or
 * extended query, and COPY.
 *
 * <p>A server gives {@link io.tidemark.wire.server.PgServer#install} a channel and a factory of sessions; a {@link
 * io.tidemark.wire.server.PgSession} gets the text of each command and answers through its {@link
 * io.tidemark.wire.server.PgServerConnection}. Everything runs on the channel's event loop; answers may come from any
 * thread. Knows nothing of what the commands mean.
 */
@NullMarked
package io.tidemark.wire.server;

import org.jspecify.annotations.NullMarked;
