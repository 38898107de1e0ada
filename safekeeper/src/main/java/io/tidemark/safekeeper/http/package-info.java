/**
 * The HTTP API of a safekeeper: routes on {@code runtime.http}'s router, answering with Neon's JSON.
 *
 * <p>Start reading at {@link io.tidemark.safekeeper.http.SafekeeperApi}.
 */
@NullMarked
package io.tidemark.safekeeper.http;

import org.jspecify.annotations.NullMarked;
