/**
 * A server that runs elsewhere becomes a branch: its data is copied while it goes on, its WAL is followed, and one day it is cut over.
 *
 * <p>{@link io.tidemark.cli.follow.Imports} is what a person can ask for, {@link io.tidemark.cli.follow.FollowRun} the process that stays: a
 * shim beside the server that confirms nothing anybody waits for. The order: slot and shim, then the copy, so that the WAL from the
 * copy's beginning on is on the safekeepers.
 *
 * <p>Always: while a branch follows a server nobody else writes to it; nothing is changed on the server but one replication slot, which is
 * dropped when it is over and the server can be reached.
 */
@NullMarked
package io.tidemark.cli.follow;

import org.jspecify.annotations.NullMarked;
