/**
 * The identities and positions that every process agrees on: LSN, term, tenant and timeline ids, node and system ids,
 * PostgreSQL versions. Immutable values with one text form each, the one PostgreSQL and Neon print.
 *
 * <p>Knows nothing of sockets, buffers or files. Start reading at {@link io.tidemark.wire.id.Lsn}.
 */
@NullMarked
package io.tidemark.wire.id;

import org.jspecify.annotations.NullMarked;
