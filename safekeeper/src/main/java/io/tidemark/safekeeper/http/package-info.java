/**
 * The HTTP API of a safekeeper: Netty's HTTP codec, a small router, JSON trees.
 *
 * <p>{@link io.tidemark.safekeeper.http.HttpEdge} listens; one request at a time per connection goes to {@link
 * io.tidemark.safekeeper.http.Router}, on a virtual thread, since a route may wait for a timeline's owner or a disk. Routes are small
 * functions from request to reply; a reply that is an error is thrown as {@link io.tidemark.safekeeper.http.HttpError}. The JSON is Neon's.
 *
 * <p>Limits: requests have at most {@link io.tidemark.safekeeper.http.HttpEdge#MAX_BODY_BYTES} of body; connections and
 * concurrent requests are bounded there too. Start reading at {@link io.tidemark.safekeeper.http.SafekeeperApi}.
 */
@NullMarked
package io.tidemark.safekeeper.http;

import org.jspecify.annotations.NullMarked;
