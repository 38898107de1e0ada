package io.tidemark.pageserver.timeline;

import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.DurableFile;
import io.tidemark.runtime.durable.ForwardingDisk;
import java.io.IOException;
import java.nio.file.Path;

/** A disk that asks a test before each opening of a file, which may refuse it or do something meanwhile. */
final class HookedDisk extends ForwardingDisk {
    /** Told of a file that is about to be opened. */
    @FunctionalInterface
    interface Hook {
        void opening(Path file, Mode mode) throws IOException;
    }

    Hook hook = (file, mode) -> {};

    HookedDisk(Disk disk) {
        super(disk);
    }

    /** Refuses to write a timeline's own file. */
    void refuse(long number) {
        hook = (file, mode) -> {
            if (isFileOf(number, file) && mode != Mode.READ) {
                throw new IOException("refused: " + file);
            }
        };
    }

    static boolean isFileOf(long number, Path file) {
        return file.toString()
                .contains(TimelineFixture.id(number).timelineId()
                        + file.getFileSystem().getSeparator() + "timeline");
    }

    @Override
    public DurableFile open(Path file, Mode mode) throws IOException {
        hook.opening(file, mode);
        return super.open(file, mode);
    }
}
