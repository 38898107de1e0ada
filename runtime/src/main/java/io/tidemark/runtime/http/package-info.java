/**
 * A server's HTTP edge: Netty's HTTP codec and a small router.
 *
 * <p>{@link io.tidemark.runtime.http.HttpEdge} listens; one request at a time per connection goes to {@link
 * io.tidemark.runtime.http.Router}, on a virtual thread, since a route may wait for an owner or a disk. Routes are small
 * functions from request to reply; a reply that is an error is thrown as {@link io.tidemark.runtime.http.HttpError}.
 *
 * <p>A router asks its {@link io.tidemark.runtime.auth.Gate} who calls before it lets a route answer; what a route needs follows from
 * its pattern.
 *
 * <p>Limits: requests have at most {@link io.tidemark.runtime.http.HttpEdge#MAX_BODY_BYTES} of body; connections and
 * concurrent requests are bounded there too. Knows nothing of what is served.
 */
@NullMarked
package io.tidemark.runtime.http;

import org.jspecify.annotations.NullMarked;
