/**
 * PostgreSQL in a container, as somebody has it who never installed it: import source, and the server of an exported data directory.
 *
 * <p>{@code mvn verify -Pcontainers -Dtidemark.test.postgres-image=postgres:17} runs it on any image that is started like the official
 * one; {@code src/test/docker} makes one from what is installed, where no registry can be reached. Without a Docker daemon or an image
 * the tests are skipped, and say so.
 */
@NullMarked
package io.tidemark.it.containers;

import org.jspecify.annotations.NullMarked;
