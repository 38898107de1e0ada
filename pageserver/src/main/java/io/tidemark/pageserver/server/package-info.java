/**
 * The page service: libpq on port 6400.
 *
 * <p>{@link io.tidemark.pageserver.server.PageEdge} listens; a {@code PageSession} is one client's conversation; a stream of page
 * requests is a {@code PagestreamHandler}: an owner on virtual threads whose mailbox is the bound of what a client may have in flight.
 * Answers go out in the order of the requests, a batch in one write; a client that does not read is not read from.
 */
@NullMarked
package io.tidemark.pageserver.server;

import org.jspecify.annotations.NullMarked;
