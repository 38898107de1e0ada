/**
 * Files whose promises survive power loss: write, fsync, rename, fsync of the directory, each a step of its own.
 *
 * <p>{@link io.tidemark.runtime.durable.Disk} is the seam: {@code RealDisk} is the operating system's file system, {@code
 * FakeDisk} a deterministic one that loses what was not synced when it "crashes". One contract suite runs on both. Nobody
 * above this package touches {@code java.nio.file.Files} for data that a promise depends on.
 */
@NullMarked
package io.tidemark.runtime.durable;

import org.jspecify.annotations.NullMarked;
