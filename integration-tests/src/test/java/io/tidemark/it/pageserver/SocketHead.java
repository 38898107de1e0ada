package io.tidemark.it.pageserver;

import io.tidemark.pageserver.ingest.TimelineHead;
import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.KeyKind;
import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.timeline.ReadException;
import io.tidemark.pageserver.timeline.TimelineReader;
import io.tidemark.shim.pager.PageClient;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.page.PageRequest;
import io.tidemark.wire.page.PageResponse;
import io.tidemark.wire.page.RequestHeader;
import io.tidemark.wire.wal.LittleEndian;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A timeline at one LSN: what the page service answers comes through its socket, everything else from a reader. */
final class SocketHead implements TimelineHead {
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final PageClient client;
    private final TimelineReader reader;
    private final Lsn at;
    private long asked;

    SocketHead(PageClient client, TimelineReader reader, Lsn at) {
        this.client = client;
        this.reader = reader;
        this.at = at;
    }

    /** How many questions went through the socket. */
    long asked() {
        return asked;
    }

    @Override
    public void put(Key key, Lsn lsn, Value value) {
        throw new IllegalStateException("only read");
    }

    @Override
    public byte @Nullable [] read(Key key) throws IOException {
        KeyKind kind = KeyKind.of(key);
        RequestHeader header = new RequestHeader(++asked, at, at);
        try {
            if (kind == KeyKind.RELATION_BLOCK) {
                var answer = client.ask(new PageRequest.GetPage(header, Keys.relTag(key), key.f6()), PATIENCE);
                return ((PageResponse.GetPage) answer).page();
            }
            if (kind == KeyKind.RELATION_SIZE) {
                var answer = client.ask(new PageRequest.Nblocks(header, Keys.relTag(key)), PATIENCE);
                byte[] size = new byte[4];
                LittleEndian.putI32(size, 0, ((PageResponse.Nblocks) answer).blocks());
                return size;
            }
            if (kind == KeyKind.SLRU_BLOCK) {
                var answer = client.ask(new PageRequest.GetSlruSegment(header, Keys.slruKind(key), key.f4()), PATIENCE);
                byte[] blocks = ((PageResponse.SlruSegment) answer).blocks();
                return Arrays.copyOfRange(blocks, key.f6() * 8192, (key.f6() + 1) * 8192);
            }
            return reader.find(key, at);
        } catch (ReadException e) {
            throw new IOException(e.text(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    @Override
    public void scan(KeyRange range, Visitor visitor) throws IOException {
        IOException[] failure = {null};
        try {
            reader.scan(range, at, (key, value) -> {
                try {
                    visitor.visit(key, value);
                } catch (IOException e) {
                    failure[0] = e;
                }
            });
        } catch (ReadException e) {
            throw new IOException(e.text(), e);
        }
        if (failure[0] != null) {
            throw failure[0];
        }
    }
}
