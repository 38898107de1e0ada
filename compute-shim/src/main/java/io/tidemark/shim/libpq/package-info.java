/**
 * Connections that a shim opens, on top of {@code wire.frame}'s client side: a stream in COPY mode on the caller's event loop, and a
 * session of simple queries that blocks its caller. Knows neither WAL nor terms.
 */
@NullMarked
package io.tidemark.shim.libpq;

import org.jspecify.annotations.NullMarked;
