package io.tidemark.safekeeper.wal;

import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.RealDisk;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

class SegmentedWalOnRealDiskTest extends SegmentedWalContract {
    @TempDir
    Path directory;

    private Disk disk;

    @BeforeEach
    void openDisk() throws IOException {
        disk = new RealDisk(directory);
    }

    @Override
    Disk disk() {
        return disk;
    }
}
