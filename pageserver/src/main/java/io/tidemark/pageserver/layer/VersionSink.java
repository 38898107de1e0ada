package io.tidemark.pageserver.layer;

import io.tidemark.pageserver.key.Key;
import io.tidemark.wire.id.Lsn;

/** Takes versions as a read finds them: of one key from the newest to the oldest, the last one a base if there is one. */
@FunctionalInterface
public interface VersionSink {
    /** Takes one version. The bytes may be kept, but not changed: they may be a part of a block that others read. */
    void version(Key key, Lsn lsn, boolean base, byte[] bytes, int offset, int length);
}
