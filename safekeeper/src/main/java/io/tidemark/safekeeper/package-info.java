/**
 * A safekeeper process: assembly and configuration.
 *
 * <p>{@link io.tidemark.safekeeper.SafekeeperServer} builds everything by hand, in one readable place, from a {@link
 * io.tidemark.safekeeper.SafekeeperConfig}, and takes it down again. The arrows run from here to {@code server} and {@code http}
 * (the two edges), from them to {@code timeline} (owners, registry), from there to the domain packages {@code acceptor}, {@code
 * control} and {@code wal}. {@code metrics} is passed to all of them.
 */
@NullMarked
package io.tidemark.safekeeper;

import org.jspecify.annotations.NullMarked;
