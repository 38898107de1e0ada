/**
 * The page service's messages: pagestream, versions 2 and 3, as Neon's computes speak it inside CopyData frames.
 *
 * <p>A client sends {@link io.tidemark.wire.page.PageRequest}s and gets exactly one {@link io.tidemark.wire.page.PageResponse} for each, in
 * order. Version 3 echoes the whole request in front of the answer, so that a slip of one message is seen at once; version 2
 * does not, so its answers can be read only beside the request. Big endian.
 *
 * <p>Hostile input gives an {@link io.tidemark.wire.frame.InvalidMessageException}, nothing else. Start reading at
 * {@link io.tidemark.wire.page.PageRequest}.
 */
@NullMarked
package io.tidemark.wire.page;

import org.jspecify.annotations.NullMarked;
