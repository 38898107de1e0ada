/** {@code tidemark bench ingest}: a pageserver that ingests a stream of WAL, beside a standby that replays it. */
@NullMarked
package io.tidemark.bench.ingest;

import org.jspecify.annotations.NullMarked;
