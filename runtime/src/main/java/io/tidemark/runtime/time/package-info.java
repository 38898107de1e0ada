/**
 * Time as a thing that is handed in: {@link io.tidemark.runtime.time.TimeSource} is the seam, the machine's clocks and a clock
 * that a test moves stand behind it. Code that decides takes a time as an argument and doesn't even see this.
 */
@NullMarked
package io.tidemark.runtime.time;

import org.jspecify.annotations.NullMarked;
