/**
 * How long it takes until a database can be asked: a compute on storage beside copies of a data directory; and to make a branch.
 *
 * <p>Knows {@link io.tidemark.cli.storage} and stock servers; start reading at {@link io.tidemark.bench.start.StartCommand}.
 */
@NullMarked
package io.tidemark.bench.start;

import org.jspecify.annotations.NullMarked;
