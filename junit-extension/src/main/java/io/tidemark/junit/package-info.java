/**
 * A JUnit 5 extension: each test method gets a branch of its own of a seeded, real PostgreSQL.
 *
 * <p>The first test of a JVM starts storage in the process (safekeepers and a pageserver, with real files and sockets). The first test of a
 * seed fills a database once. Every test after that costs a branch, which copies nothing, and a PostgreSQL on it, whose data directory is
 * fetched; what a test does to its branch nobody else sees, so tests need no cleaning up.
 *
 * <pre>
 *   &#64;TidemarkDatabase(seed = Accounts.class)
 *   class TransferTest {
 *       &#64;Test
 *       void moneyIsMoved(&#64;TidemarkBranch DataSource accounts) { ... }
 *   }
 * </pre>
 *
 * <p>Start reading at {@link io.tidemark.junit.TidemarkDatabase}.
 */
@NullMarked
package io.tidemark.junit;

import org.jspecify.annotations.NullMarked;
