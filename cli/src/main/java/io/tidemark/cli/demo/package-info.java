/**
 * What {@code tidemark demo} does: a cluster in one process with a live status line ({@link io.tidemark.cli.demo.DemoSession}), or a
 * short run that breaks things and checks what must hold ({@link io.tidemark.cli.demo.SmokeRun}). The two share nothing but the
 * cluster directory; {@link io.tidemark.cli.demo.Ledger} is the workload whose acknowledged rows are counted.
 */
@NullMarked
package io.tidemark.cli.demo;

import org.jspecify.annotations.NullMarked;
