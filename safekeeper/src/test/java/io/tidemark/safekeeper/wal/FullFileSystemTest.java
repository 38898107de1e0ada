package io.tidemark.safekeeper.wal;

import static io.tidemark.safekeeper.wal.WalFixture.DIRECTORY;
import static io.tidemark.safekeeper.wal.WalFixture.SEGMENT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tidemark.runtime.durable.DiskFullException;
import io.tidemark.runtime.durable.RealDisk;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real file system that is full: a tmpfs of 2 MiB, where mounting one is permitted; elsewhere skipped, FakeDisk plays it. */
class FullFileSystemTest {
    private static final Lsn START = Lsn.parse("0/1234560");

    @TempDir
    Path directory;

    private Path mounted;

    @BeforeEach
    void mount() throws Exception {
        mounted = Files.createDirectory(directory.resolve("small"));
        assumeTrue(
                run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", mounted.toString()) == 0,
                "mounting a tmpfs is not permitted here: a full disk is tested on FakeDisk only");
    }

    @AfterEach
    void unmount() throws Exception {
        run("umount", mounted.toString());
    }

    private static int run(String... command) throws Exception {
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    @Test
    void whatWasFlushedIsThereAndWritingGoesOnOnceThereIsRoom() throws IOException {
        WalFixture source = new WalFixture(START, 1).fill(5 * SEGMENT / 2);
        RealDisk disk = new RealDisk(mounted);
        Files.write(mounted.resolve("ballast"), new byte[400_000]);
        SegmentedWal wal = source.fresh(disk);
        Lsn[] flushed = {START};
        assertThatThrownBy(() -> writeUntilFull(wal, source, flushed))
                .isInstanceOf(DiskFullException.class)
                .hasMessageContaining("No space left");
        wal.close();
        assertThat(flushed[0].isAfter(START)).isTrue();
        Lsn found = WalRecovery.recover(disk, DIRECTORY, source.stateWithCommit(START));
        assertThat(found.isAtLeast(source.boundaryAt(flushed[0]))).isTrue();
        Files.delete(mounted.resolve("ballast"));
        SegmentedWal again = new SegmentedWal(disk, DIRECTORY, SEGMENT);
        again.truncate(found);
        Lsn end = source.boundaryAt(found.plus(200_000));
        again.write(found, source.slice(found, end));
        again.flush();
        again.close();
        assertThat(source.readBack(disk, end)).isEqualTo(source.slice(START, end));
    }

    private static void writeUntilFull(SegmentedWal wal, WalFixture source, Lsn[] flushed) throws IOException {
        for (Lsn at = START; at.isBefore(source.end()); at = wal.writeLsn()) {
            wal.write(at, source.slice(at, at.plus(50_000).min(source.end())));
            wal.flush();
            flushed[0] = wal.writeLsn();
        }
    }
}
