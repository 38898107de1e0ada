/**
 * {@code tidemark bench junit}: what one test costs that wants a database of its own.
 *
 * <p>Start reading at {@link io.tidemark.bench.junit.JunitCommand}; {@link io.tidemark.bench.junit.TestDatabases} are the ways to give a
 * test its database.
 */
@NullMarked
package io.tidemark.bench.junit;

import org.jspecify.annotations.NullMarked;
