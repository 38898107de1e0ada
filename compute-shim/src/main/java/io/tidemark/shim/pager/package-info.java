/**
 * Asks a pageserver for pages, sizes and SLRU segments at an LSN.
 *
 * <p>{@link io.tidemark.shim.pager.PageClient} is one stream of requests and answers; requests may be in flight by the hundred. Its
 * users are one thread that sends and one, maybe the same, that receives. Knows nothing of what the pages are for.
 */
@NullMarked
package io.tidemark.shim.pager;

import org.jspecify.annotations.NullMarked;
