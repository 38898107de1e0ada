/**
 * The HTTP API of a pageserver: routes on {@code runtime.http}'s router, answering with Neon's JSON.
 *
 * <p>Start reading at {@link io.tidemark.pageserver.http.PageserverApi}.
 */
@NullMarked
package io.tidemark.pageserver.http;

import org.jspecify.annotations.NullMarked;
