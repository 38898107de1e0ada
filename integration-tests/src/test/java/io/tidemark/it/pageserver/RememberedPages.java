package io.tidemark.it.pageserver;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyKind;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.shim.pager.PageClient;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.page.PageRequest;
import io.tidemark.wire.page.PageResponse;
import io.tidemark.wire.page.PagestreamVersion;
import io.tidemark.wire.page.RequestHeader;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;
import tools.jackson.databind.JsonNode;

/** Every page of every relation of a timeline at one LSN, as checksums: what a pageserver process answered once, it must answer always. */
final class RememberedPages {
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final int BATCH = 256;

    private final Lsn lsn;
    private final List<KeyRange> keyspace;
    private final List<Key> keys = new ArrayList<>();
    private int[] checksums = new int[0];

    private RememberedPages(Lsn lsn, List<KeyRange> keyspace) {
        this.lsn = lsn;
        this.keyspace = keyspace;
        for (KeyRange range : keyspace) {
            for (Key key = range.start(); key.isBefore(range.end()); key = key.next()) {
                keys.add(key);
            }
        }
    }

    /** Asks for all pages as of an LSN that has been ingested. */
    static RememberedPages ask(PageserverProcess pageserver, EventLoops loops, TenantTimelineId id, Lsn lsn)
            throws IOException, InterruptedException {
        RememberedPages pages = new RememberedPages(lsn, keyspace(pageserver, id, lsn));
        try (PageClient client = connect(pageserver, loops, id)) {
            pages.checksums = checksums(client, lsn, pages.keys);
        }
        return pages;
    }

    Lsn lsn() {
        return lsn;
    }

    int size() {
        return keys.size();
    }

    /** The pageserver has the same relations and sizes at that LSN, and the same pages. */
    void requireAll(PageserverProcess pageserver, EventLoops loops, TenantTimelineId id) throws Exception {
        require(pageserver, loops, id, IntStream.range(0, keys.size()).boxed().toList());
    }

    /** As {@link #requireAll}, for some of the pages. */
    void requireSome(PageserverProcess pageserver, EventLoops loops, TenantTimelineId id, int count, Random random)
            throws Exception {
        require(
                pageserver,
                loops,
                id,
                random.ints(count, 0, keys.size()).sorted().distinct().boxed().toList());
    }

    private void require(PageserverProcess pageserver, EventLoops loops, TenantTimelineId id, List<Integer> which)
            throws Exception {
        try (PageClient client = connect(pageserver, loops, id)) {
            int[] now = checksums(client, lsn, which.stream().map(keys::get).toList());
            for (int i = 0; i < now.length; i++) {
                int index = which.get(i);
                if (now[i] != checksums[index]) {
                    throw new AssertionError("at " + lsn + ", " + Keys.describe(keys.get(index)) + " is another page");
                }
            }
        }
        assertThat(keyspace(pageserver, id, lsn)).as("relations at %s", lsn).isEqualTo(keyspace);
    }

    /**
     * Every page is the same, or the answer is an error that names this file.
     *
     * @return how many were errors
     */
    int requireRightOrNamed(PageserverProcess pageserver, EventLoops loops, TenantTimelineId id, String file)
            throws Exception {
        int[] errors = {0};
        try (PageClient client = connect(pageserver, loops, id)) {
            int[] now = checksums(client, lsn, keys, (index, failure) -> {
                assertThat(failure.text()).contains(file);
                errors[0]++;
                return checksums[index];
            });
            for (int i = 0; i < now.length; i++) {
                if (now[i] != checksums[i]) {
                    throw new AssertionError("at " + lsn + ", with a damaged " + file + ", "
                            + Keys.describe(keys.get(i)) + " is another page");
                }
            }
        }
        return errors[0];
    }

    private static List<KeyRange> keyspace(PageserverProcess pageserver, TenantTimelineId id, Lsn lsn)
            throws IOException, InterruptedException {
        List<KeyRange> ranges = new ArrayList<>();
        JsonNode answer = pageserver.json("GET", PageserverProcess.path(id) + "/keyspace?at_lsn=" + lsn, "");
        for (JsonNode range : answer.path("keys")) {
            Key start = Key.parse(range.path(0).asString());
            if (KeyKind.of(start) == KeyKind.RELATION_BLOCK) {
                ranges.add(new KeyRange(start, Key.parse(range.path(1).asString())));
            }
        }
        return ranges;
    }

    static PageClient connect(PageserverProcess pageserver, EventLoops loops, TenantTimelineId id)
            throws IOException, InterruptedException {
        return PageClient.connect(
                loops.group().next(),
                PgClientConfig.of("127.0.0.1", pageserver.pgPort(), "nobody"),
                id,
                PagestreamVersion.V3,
                PATIENCE);
    }

    /** What a failure counts as. */
    private interface OnFailure {
        int checksum(int index, PageResponse.Failure failure);
    }

    private static int[] checksums(PageClient client, Lsn lsn, List<Key> keys)
            throws IOException, InterruptedException {
        return checksums(client, lsn, keys, (index, failure) -> {
            throw new AssertionError(Keys.describe(keys.get(index)) + " at " + lsn + ": " + failure.text());
        });
    }

    private static int[] checksums(PageClient client, Lsn lsn, List<Key> keys, OnFailure onFailure)
            throws IOException, InterruptedException {
        int[] checksums = new int[keys.size()];
        RequestHeader header = new RequestHeader(1, lsn, lsn);
        for (int from = 0; from < keys.size(); from += BATCH) {
            int to = Math.min(keys.size(), from + BATCH);
            List<PageRequest> requests = new ArrayList<>(BATCH);
            for (Key key : keys.subList(from, to)) {
                requests.add(new PageRequest.GetPage(header, Keys.relTag(key), key.f6()));
            }
            client.send(requests);
            for (int i = from; i < to; i++) {
                checksums[i] = switch (client.receive(PATIENCE)) {
                    case PageResponse.GetPage page -> checksum(page.page());
                    case PageResponse.Failure failure -> onFailure.checksum(i, failure);
                    case PageResponse other -> throw new IOException("an answer to another question: " + other);
                };
            }
        }
        return checksums;
    }

    private static int checksum(byte[] page) {
        CRC32C crc = new CRC32C();
        crc.update(page);
        return (int) crc.getValue();
    }
}
