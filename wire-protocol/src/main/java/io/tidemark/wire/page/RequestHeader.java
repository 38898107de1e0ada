package io.tidemark.wire.page;

import io.netty.buffer.ByteBuf;
import io.tidemark.wire.frame.MessageReader;
import io.tidemark.wire.id.Lsn;

/**
 * What every request begins with, behind its tag: {@code [u64 request_id, version 3] u64 request_lsn, u64 not_modified_since}.
 *
 * @param requestId opaque, not unique; 0 in version 2
 * @param requestLsn the version that is wanted; {@link #LATEST} for the newest
 * @param notModifiedSince the client's promise that the object has not changed between this LSN and request_lsn
 */
public record RequestHeader(long requestId, Lsn requestLsn, Lsn notModifiedSince) {
    /** u64's maximum: the newest version there is. */
    public static final Lsn LATEST = Lsn.of(-1);

    static RequestHeader decode(MessageReader in, PagestreamVersion version) {
        long requestId = version == PagestreamVersion.V3 ? in.i64() : 0;
        return new RequestHeader(requestId, Lsn.of(in.i64()), Lsn.of(in.i64()));
    }

    void encode(ByteBuf out, PagestreamVersion version) {
        if (version == PagestreamVersion.V3) {
            out.writeLong(requestId);
        }
        out.writeLong(requestLsn.value()).writeLong(notModifiedSince.value());
    }
}
