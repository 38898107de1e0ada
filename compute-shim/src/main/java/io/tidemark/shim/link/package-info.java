/**
 * Connections to safekeepers, and the WAL that goes over them.
 *
 * <p>Everything here belongs to the one event loop of its shim: no locks, no hand-over between the arrival of WAL and the socket of
 * a safekeeper. {@link io.tidemark.shim.link.WalBuffer} holds recent WAL within a fixed limit; what it no longer holds comes from
 * a donor safekeeper or from the source, at the speed of the one who lags, so a slow safekeeper never costs memory.
 *
 * <p>Decisions (who gets what, who is dead, what is committed) belong to {@code shim.proposer}; this package only carries bytes.
 */
@NullMarked
package io.tidemark.shim.link;

import org.jspecify.annotations.NullMarked;
