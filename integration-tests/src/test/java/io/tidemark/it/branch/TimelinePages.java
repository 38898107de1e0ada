package io.tidemark.it.branch;

import io.tidemark.pageserver.key.KeyKind;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.timeline.ReadException;
import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.shim.pager.PageClient;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.page.PageRequest;
import io.tidemark.wire.page.PageResponse;
import io.tidemark.wire.page.PagestreamVersion;
import io.tidemark.wire.page.RequestHeader;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.wal.LittleEndian;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/** What a timeline answers at an LSN through the page service: for each fork its size and a checksum over its pages. */
final class TimelinePages {
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final int BATCH = 128;

    private TimelinePages() {}

    static Map<RelTag, String> ask(EventLoops loops, int pgPort, Timeline timeline, Lsn at)
            throws IOException, InterruptedException, ReadException {
        Map<RelTag, Integer> sizes = new TreeMap<>(java.util.Comparator.comparing(RelTag::toString));
        timeline.reader()
                .scan(
                        KeyKind.RELATION_SIZE.range(),
                        at,
                        (key, value) -> sizes.put(Keys.relTag(key), LittleEndian.i32(value, 0)));
        Map<RelTag, String> answers = new TreeMap<>(java.util.Comparator.comparing(RelTag::toString));
        try (PageClient client = PageClient.connect(
                loops.group().next(),
                PgClientConfig.of("127.0.0.1", pgPort, "nobody"),
                timeline.metadata().id(),
                PagestreamVersion.V3,
                PATIENCE)) {
            for (var entry : sizes.entrySet()) {
                answers.put(
                        entry.getKey(),
                        entry.getValue() + " " + checksum(client, entry.getKey(), entry.getValue(), at));
            }
        }
        return answers;
    }

    private static String checksum(PageClient client, RelTag relation, int blocks, Lsn at)
            throws IOException, InterruptedException {
        CRC32C crc = new CRC32C();
        RequestHeader header = new RequestHeader(1, at, at);
        for (int from = 0; from < blocks; from += BATCH) {
            int to = Math.min(blocks, from + BATCH);
            List<PageRequest> requests = new ArrayList<>(BATCH);
            for (int block = from; block < to; block++) {
                requests.add(new PageRequest.GetPage(header, relation, block));
            }
            client.send(requests);
            for (int block = from; block < to; block++) {
                PageResponse response = client.receive(PATIENCE);
                if (!(response instanceof PageResponse.GetPage page)) {
                    throw new IOException(relation + " block " + block + " at " + at + ": " + response);
                }
                crc.update(page.page());
            }
        }
        return "%08x".formatted((int) crc.getValue());
    }
}
