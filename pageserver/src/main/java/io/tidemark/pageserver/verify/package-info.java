/**
 * Replaying WAL on a copy of a cluster and comparing every page with what PostgreSQL itself says it should be.
 *
 * <p>{@link io.tidemark.pageserver.verify.WalVerifier} takes records in order. It keeps the pages they touch in memory, on top of
 * the files of a cold copy of the data directory, lets {@code redo} change them, and compares each one with the image that
 * wal_consistency_checking put into the record, under {@code PageMask}. What records do to relations as a whole (creating,
 * truncating, dropping, copying a database) and to the visibility map without naming its page is done here too, or else a page
 * would be compared with one that does not exist any more.
 *
 * <p>Where the copy has no page, or there is no copy, a page starts from its first image; such blocks prove nothing and are
 * counted apart. After a difference the page goes on from the image, so that one error is reported once.
 *
 * <p>Not part of a running pageserver, and independent of its ingest: a second opinion on the same facts.
 */
@NullMarked
package io.tidemark.pageserver.verify;

import org.jspecify.annotations.NullMarked;
