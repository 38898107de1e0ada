/**
 * Commands that look into a pageserver: its timelines, keys and pages, and the files that it keeps.
 *
 * <p>{@code page} speaks the page service, as a compute does, so what it shows is what a compute would get; {@code timeline} and {@code
 * keys} speak HTTP; {@code layer dump} reads files and needs no server. What people read goes to standard output as text or a table,
 * what programs read as JSON ({@code --json}).
 *
 * <p>Start reading at {@link io.tidemark.cli.page.PageGetCommand}.
 */
@NullMarked
package io.tidemark.cli.page;

import org.jspecify.annotations.NullMarked;
