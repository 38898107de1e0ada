/**
 * libpq v3 on Netty, server and client side: frames, startup, TLS negotiation, authentication, simple query, COPY.
 *
 * <p>Owns what every decoder of this module needs: {@link io.tidemark.wire.frame.InvalidMessageException}, the one typed
 * error for bytes that are not a message, and {@link io.tidemark.wire.frame.MessageReader}, which cannot read past a
 * message's end. Knows nothing of what travels inside COPY.
 */
@NullMarked
package io.tidemark.wire.frame;

import org.jspecify.annotations.NullMarked;
