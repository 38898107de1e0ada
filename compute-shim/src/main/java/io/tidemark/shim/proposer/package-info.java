/**
 * The proposer of one timeline as a pure state machine: events in, effects out. It collects terms, campaigns, is elected, levels
 * the safekeepers and counts commits. No files, sockets, threads, locks, clocks, randomness or logging; time comes with each
 * event. The same classes run in the shim and in the deterministic simulation.
 *
 * <p>It never holds WAL: it decides which range goes to whom, and the driver brings the bytes. Start reading at {@link
 * io.tidemark.shim.proposer.ProposerEvent}.
 */
@NullMarked
package io.tidemark.shim.proposer;

import org.jspecify.annotations.NullMarked;
