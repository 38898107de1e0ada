/**
 * The tar headers in which a data directory travels from a pageserver to whoever asks for it.
 *
 * <p>{@link io.tidemark.wire.tar.TarHeader} is all of it: 512 bytes before each file's content. Values only; reading and writing the
 * content between headers is the business of the two ends.
 */
@NullMarked
package io.tidemark.wire.tar;

import org.jspecify.annotations.NullMarked;
