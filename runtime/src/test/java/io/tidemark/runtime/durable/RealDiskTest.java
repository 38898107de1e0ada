package io.tidemark.runtime.durable;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tidemark.runtime.durable.Disk.Mode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RealDiskTest extends DiskContract {
    @TempDir
    Path directory;

    private RealDisk disk;

    @BeforeEach
    void openDisk() throws IOException {
        disk = new RealDisk(directory);
    }

    @Override
    Disk disk() {
        return disk;
    }

    /** Two disks over one directory are two processes as far as one JVM can play that. */
    @Test
    void aLockHoldsAgainstAnotherDiskOverTheSameDirectory() throws IOException {
        RealDisk other = new RealDisk(directory.resolve("."));
        try (var held = disk.lock(Path.of("lock"))) {
            assertThat(held).isNotNull();
            assertThatThrownBy(() -> other.lock(Path.of("lock"))).isInstanceOf(DiskLockedException.class);
        }
        other.lock(Path.of("lock")).close();
    }

    @Test
    void aFullFileSystemIsADiskFullException() throws Exception {
        try (SmallFileSystem small = SmallFileSystem.mount(directory, 1 << 20)) {
            RealDisk full = new RealDisk(small.root());
            try (DurableFile file = full.open(Path.of("big"), Mode.CREATE_NEW)) {
                assertThatThrownBy(() -> file.write(ByteBuffer.allocate(2 << 20), 0))
                        .isInstanceOf(DiskFullException.class)
                        .hasMessageContaining("big");
            }
        }
    }

    /** An interrupt costs the thread that it hits its read, and nobody else the file. */
    @Test
    void anInterruptedReaderTakesTheFileFromNobody() throws Exception {
        Path name = Path.of("shared");
        try (DurableFile file = disk.open(name, Mode.CREATE_NEW)) {
            file.write(ByteBuffer.wrap(new byte[] {7}), 0);
        }
        DurableFile shared = disk.open(name, Mode.READ);
        AtomicReference<Throwable> seen = new AtomicReference<>();
        Thread victim = Thread.ofPlatform().start(() -> {
            Thread.currentThread().interrupt();
            seen.set(catchThrowable(() -> shared.read(ByteBuffer.allocate(1), 0)));
        });
        victim.join();
        assertThat(seen.get()).isInstanceOf(ClosedByInterruptException.class);
        ByteBuffer one = ByteBuffer.allocate(1);
        assertThat(shared.read(one, 0)).isEqualTo(1);
        assertThat(one.get(0)).isEqualTo((byte) 7);
        shared.close();
        assertThatThrownBy(() -> shared.read(ByteBuffer.allocate(1), 0)).isInstanceOf(ClosedChannelException.class);
    }

    /** A tmpfs of a few bytes; skips the test, saying so, where mounting is not permitted. */
    record SmallFileSystem(Path root) implements AutoCloseable {
        static SmallFileSystem mount(Path below, long sizeBytes) throws Exception {
            Path root = java.nio.file.Files.createDirectory(below.resolve("small"));
            int exit = run("mount", "-t", "tmpfs", "-o", "size=" + sizeBytes, "tmpfs", root.toString());
            assumeTrue(
                    exit == 0,
                    "mounting a tmpfs is not permitted here: the full file system is tested on FakeDisk only");
            return new SmallFileSystem(root);
        }

        private static int run(String... command) throws Exception {
            return new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        }

        @Override
        public void close() throws Exception {
            assertThat(run("umount", root.toString())).isZero();
        }
    }
}
