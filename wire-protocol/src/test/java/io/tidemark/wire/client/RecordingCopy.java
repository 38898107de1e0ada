package io.tidemark.wire.client;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.frame.CopyHandler;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;

/** Collects what comes by COPY, as one run of bytes, and completes when there is enough. */
final class RecordingCopy implements CopyHandler {
    private final ByteBuf received = Unpooled.buffer();
    private final Predicate<ByteBuf> enough;
    private final CompletableFuture<ByteBuf> data = new CompletableFuture<>();
    private final CompletableFuture<CopyEnd> end = new CompletableFuture<>();

    RecordingCopy(Predicate<ByteBuf> enough) {
        this.enough = enough;
    }

    /** What has come when it was enough. */
    CompletableFuture<ByteBuf> data() {
        return data;
    }

    CompletableFuture<CopyEnd> end() {
        return end;
    }

    @Override
    public void onCopyData(ByteBuf bytes) {
        received.writeBytes(bytes);
        if (enough.test(received)) {
            data.complete(received.copy());
        }
    }

    @Override
    public void onCopyEnd(CopyEnd how) {
        end.complete(how);
    }
}
