/**
 * Builds the data directory of a stock PostgreSQL out of storage.
 *
 * <p>{@link io.tidemark.shim.datadir.DataDirectoryDownload} asks a pageserver for all of it at an LSN and unpacks what comes. What a
 * pageserver sends is hostile input: nothing outside of the target is touched, nothing is believed to be complete before the server has
 * said so. Knows nothing of starting a server on it.
 */
@NullMarked
package io.tidemark.shim.datadir;

import org.jspecify.annotations.NullMarked;
