/**
 * The commands {@code tidemark compute ...}, {@code tidemark branch ...} and {@code tidemark psql}.
 *
 * <p>Commands are words for people around {@link io.tidemark.cli.storage}: they parse, call, and print tables, or JSON for programs. No
 * state of their own.
 */
@NullMarked
package io.tidemark.cli.compute;

import org.jspecify.annotations.NullMarked;
