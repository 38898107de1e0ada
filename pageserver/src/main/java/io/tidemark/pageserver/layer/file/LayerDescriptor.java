package io.tidemark.pageserver.layer.file;

import io.tidemark.pageserver.key.KeyRange;
import io.tidemark.wire.id.Lsn;
import java.util.Locale;

/**
 * What a layer file says about itself; the manifest repeats it, so that no file need be opened to know where it stands.
 *
 * @param kind delta or image
 * @param number unique within the timeline, never used twice
 * @param keys from the first key in it to right behind the last one
 * @param startLsn every version is at or above it; the LSN of an image
 * @param endLsn every version is below it; of an image, one more than its LSN
 * @param fileBytes the size of the file
 * @param versions how many versions are in it
 * @param valueBytes the sum of their lengths, uncompressed
 * @param baseBytes of these, in bases: what they shadow in older layers may be of about this size
 * @param supersededBytes of these, in versions behind a base of the same key: garbage once the gc cutoff has passed it
 */
public record LayerDescriptor(
        LayerKind kind,
        long number,
        KeyRange keys,
        Lsn startLsn,
        Lsn endLsn,
        long fileBytes,
        long versions,
        long valueBytes,
        long baseBytes,
        long supersededBytes) {

    /** The newest LSN that may be in it. */
    public Lsn lastLsn() {
        return Lsn.of(endLsn.value() - 1);
    }

    /** {@code START-END__LSN-LSN-NUMBER.delta} or {@code START-END__LSN-NUMBER.image}, all in hex. */
    public String fileName() {
        String lsns = kind == LayerKind.IMAGE
                ? String.format(Locale.ROOT, "%016X", startLsn.value())
                : String.format(Locale.ROOT, "%016X-%016X", startLsn.value(), endLsn.value());
        return String.format(Locale.ROOT, "%s-%s__%s-%08X.%s", keys.start(), keys.end(), lsns, number, kind.suffix());
    }
}
