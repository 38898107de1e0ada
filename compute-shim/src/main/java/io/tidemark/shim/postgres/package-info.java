/**
 * A PostgreSQL server of 14 to 18 as a thing with a start, a stop and a kill: the demo's and the tests' compute.
 *
 * <p>{@link io.tidemark.shim.postgres.PostgresArchives} installs the server of a major version from archives that the build
 * fetched, once, into a cache directory; {@link io.tidemark.shim.postgres.PostgresBinaries} is any installation, a
 * distribution's too; {@link io.tidemark.shim.postgres.PostgresServer} is one data directory and the postmaster on it.
 *
 * <p>PostgreSQL refuses to run as root. Where we are root, {@link io.tidemark.shim.postgres.ServerUser} drops to another user,
 * and directories must be reachable by that user; anybody else runs it as themselves.
 *
 * <p>Owner: a server belongs to the thread that holds it; nothing here is thread-safe. Knows nothing of safekeepers or WAL. It
 * speaks no SQL: settings are files, readiness is what the postmaster writes into postmaster.pid. Start reading at {@link
 * io.tidemark.shim.postgres.PostgresServer}.
 */
@NullMarked
package io.tidemark.shim.postgres;

import org.jspecify.annotations.NullMarked;
