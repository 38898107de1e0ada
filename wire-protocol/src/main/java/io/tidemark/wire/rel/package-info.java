/**
 * How PostgreSQL names what has pages: relations with their forks, and the kinds of SLRU.
 *
 * <p>Shared by the page service's messages, the pageserver's keys and base backups. Immutable values only. Start reading at
 * {@link io.tidemark.wire.rel.RelTag}.
 */
@NullMarked
package io.tidemark.wire.rel;

import org.jspecify.annotations.NullMarked;
