/**
 * The PostgreSQL port of a safekeeper: sessions on codec-level connections of {@code wire.server}.
 *
 * <p>{@link io.tidemark.safekeeper.server.PgEdge} listens; each client gets a {@link
 * io.tidemark.safekeeper.server.SafekeeperSession}, which understands {@link io.tidemark.safekeeper.server.EdgeCommand}s. Two of them turn the connection
 * into a stream: {@link io.tidemark.safekeeper.server.WalPushHandler} (WAL comes in) and {@link
 * io.tidemark.safekeeper.server.WalSender} (WAL goes out).
 *
 * <p>What runs where: sessions and push handlers on the connection's event loop, which never waits; replies of a timeline come from its owner's
 * thread; a wal sender has a virtual thread, since it reads files and waits. Back-pressure: a full mailbox of a timeline turns
 * off reading from that socket; a socket that does not take WAL holds its sender.
 *
 * <p>Start reading at {@link io.tidemark.safekeeper.server.SafekeeperSession}.
 */
@NullMarked
package io.tidemark.safekeeper.server;

import org.jspecify.annotations.NullMarked;
