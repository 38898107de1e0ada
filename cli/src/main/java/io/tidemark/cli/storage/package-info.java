/**
 * A local cluster on storage: safekeepers and a pageserver as processes, branches by name, and the computes that run on them.
 *
 * <p>{@link io.tidemark.cli.storage.StorageDirectory} is what is on disk, {@link io.tidemark.cli.storage.StorageProcesses} what runs,
 * {@link io.tidemark.cli.storage.Branches} what can be done with history. Names of branches live here and only here: the servers know
 * timeline ids. What a timeline is (its ancestor, its LSNs) is asked of the pageserver, never kept twice.
 *
 * <p>Owner: one command at a time; commands that change the catalogue of branches hold its lock file. Start reading at {@link
 * io.tidemark.cli.storage.StorageDirectory}.
 */
@NullMarked
package io.tidemark.cli.storage;

import org.jspecify.annotations.NullMarked;
