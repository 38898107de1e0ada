package io.tidemark.runtime.durable;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.runtime.durable.Disk.Mode;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** What every {@link Disk} does, as long as power stays on. */
abstract class DiskContract {
    private static final Path FILE = Path.of("file");

    /** An empty disk. */
    abstract Disk disk();

    @Test
    void whatIsWrittenIsRead() throws IOException {
        try (DurableFile file = disk().open(FILE, Mode.CREATE_NEW)) {
            file.write(bytes("hello"), 0);
            file.write(bytes("J"), 0);
            assertThat(file.size()).isEqualTo(5);
            assertThat(text(file, 0, 5)).isEqualTo("Jello");
            file.sync();
        }
        try (DurableFile file = disk().open(FILE, Mode.READ)) {
            assertThat(text(file, 1, 100)).isEqualTo("ello");
            assertThat(file.read(ByteBuffer.allocate(1), 5)).isEqualTo(-1);
            assertThat(file.read(ByteBuffer.allocate(1), 500)).isEqualTo(-1);
        }
    }

    @Test
    void writesFromADirectBufferTakeAllRemainingBytesAndNoOthers() throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(8).put(bytes("abcdefgh"));
        buffer.position(2).limit(5);
        try (DurableFile file = disk().open(FILE, Mode.CREATE_NEW)) {
            file.write(buffer, 10_000);
            assertThat(buffer.remaining()).isZero();
            assertThat(file.size()).isEqualTo(10_003);
            assertThat(text(file, 10_000, 10)).isEqualTo("cde");
        }
    }

    @Test
    void holesReadAsZeros() throws IOException {
        try (DurableFile file = disk().open(FILE, Mode.CREATE_NEW)) {
            file.write(bytes("x"), 9000);
            ByteBuffer into = ByteBuffer.allocate(9001);
            while (into.hasRemaining()) {
                assertThat(file.read(into, into.position())).isPositive();
            }
            byte[] expected = new byte[9001];
            expected[9000] = 'x';
            assertThat(into.array()).isEqualTo(expected);
        }
    }

    @Test
    void setSizeCutsAndExtendsWithZeros() throws IOException {
        try (DurableFile file = disk().open(FILE, Mode.CREATE_NEW)) {
            byte[] ones = new byte[10_000];
            Arrays.fill(ones, (byte) 1);
            file.write(ByteBuffer.wrap(ones), 0);
            file.setSize(5000);
            assertThat(file.size()).isEqualTo(5000);
            file.setSize(20_000);
            assertThat(file.size()).isEqualTo(20_000);
            ByteBuffer into = ByteBuffer.allocate(3);
            file.read(into, 4999);
            assertThat(into.array()).containsExactly(1, 0, 0);
            assertThat(text(file, 19_999, 5)).isEqualTo("\0");
        }
    }

    @Test
    void modesAskForWhatTheySay() throws IOException {
        assertThatThrownBy(() -> disk().open(FILE, Mode.READ)).isInstanceOf(NoSuchFileException.class);
        assertThatThrownBy(() -> disk().open(FILE, Mode.READ_WRITE)).isInstanceOf(NoSuchFileException.class);
        try (DurableFile file = disk().open(FILE, Mode.CREATE_OR_TRUNCATE)) {
            file.write(bytes("abc"), 0);
        }
        assertThatThrownBy(() -> disk().open(FILE, Mode.CREATE_NEW)).isInstanceOf(FileAlreadyExistsException.class);
        try (DurableFile file = disk().open(FILE, Mode.READ_WRITE)) {
            assertThat(file.size()).isEqualTo(3);
        }
        try (DurableFile file = disk().open(FILE, Mode.CREATE_OR_TRUNCATE)) {
            assertThat(file.size()).isZero();
        }
        try (DurableFile file = disk().open(FILE, Mode.READ)) {
            assertThatThrownBy(() -> file.write(bytes("x"), 0))
                    .isInstanceOfAny(IOException.class, RuntimeException.class);
        }
    }

    @Test
    void directoriesListTheirNamesInOrder() throws IOException {
        disk().createDirectory(Path.of("d"));
        disk().createDirectory(Path.of("d"));
        disk().createDirectory(Path.of("d/sub"));
        create("d/b");
        create("d/a");
        assertThat(disk().list(Path.of("d"))).containsExactly("a", "b", "sub");
        assertThat(disk().list(Path.of(""))).contains("d");
        assertThat(disk().isDirectory(Path.of("d/sub"))).isTrue();
        assertThat(disk().isDirectory(Path.of("d/a"))).isFalse();
        assertThat(disk().isDirectory(Path.of("nothing"))).isFalse();
        assertThat(disk().exists(Path.of("d/a"))).isTrue();
        assertThat(disk().exists(Path.of("d/c"))).isFalse();
        disk().syncDirectory(Path.of("d"));
        disk().syncDirectory(Path.of(""));
        assertThatThrownBy(() -> disk().createDirectory(Path.of("d/a"))).isInstanceOf(FileAlreadyExistsException.class);
        assertThatThrownBy(() -> disk().createDirectory(Path.of("no/x"))).isInstanceOf(NoSuchFileException.class);
        assertThatThrownBy(() -> disk().list(Path.of("no"))).isInstanceOf(NoSuchFileException.class);
        assertThatThrownBy(() -> disk().syncDirectory(Path.of("no"))).isInstanceOf(NoSuchFileException.class);
    }

    @Test
    void renameReplacesAFileAndMovesADirectoryWithItsContents() throws IOException {
        try (DurableFile file = disk().open(Path.of("new"), Mode.CREATE_NEW)) {
            file.write(bytes("new"), 0);
            create("old");
            disk().rename(Path.of("new"), Path.of("old"));
            file.write(bytes("N"), 0); // the handle follows the file
        }
        assertThat(disk().exists(Path.of("new"))).isFalse();
        try (DurableFile file = disk().open(Path.of("old"), Mode.READ)) {
            assertThat(text(file, 0, 10)).isEqualTo("New");
        }
        disk().createDirectory(Path.of("tmp"));
        create("tmp/inner");
        disk().rename(Path.of("tmp"), Path.of("final"));
        assertThat(disk().list(Path.of("final"))).containsExactly("inner");
        assertThatThrownBy(() -> disk().rename(Path.of("nothing"), Path.of("x")))
                .isInstanceOf(NoSuchFileException.class);
        disk().createDirectory(Path.of("other"));
        assertThatThrownBy(() -> disk().rename(Path.of("other"), Path.of("final")))
                .isInstanceOf(IOException.class);
    }

    @Test
    void deleteTakesAFileOrAnEmptyDirectory() throws IOException {
        disk().createDirectory(Path.of("d"));
        create("d/a");
        assertThatThrownBy(() -> disk().delete(Path.of("d"))).isInstanceOf(DirectoryNotEmptyException.class);
        disk().delete(Path.of("d/a"));
        disk().delete(Path.of("d"));
        assertThat(disk().exists(Path.of("d"))).isFalse();
        assertThatThrownBy(() -> disk().delete(Path.of("d"))).isInstanceOf(NoSuchFileException.class);
    }

    @Test
    void pathsStayBelowTheRoot() {
        assertThatThrownBy(() -> disk().exists(Path.of("../x"))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> disk().exists(Path.of("/x"))).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aLockIsTakenOnceAndTwiceOnlyAfterItsRelease() throws IOException {
        Path lock = Path.of("lock");
        Closeable first = disk().lock(lock);
        assertThatThrownBy(() -> disk().lock(lock)).isInstanceOf(DiskLockedException.class);
        first.close();
        first.close();
        Closeable second = disk().lock(lock);
        first.close();
        assertThatThrownBy(() -> disk().lock(lock)).isInstanceOf(DiskLockedException.class);
        second.close();
    }

    @Test
    void spaceIsWithinCapacity() throws IOException {
        Disk.Space space = disk().space();
        assertThat(space.usableBytes()).isBetween(1L, space.capacityBytes());
    }

    private void create(String name) throws IOException {
        disk().open(Path.of(name), Mode.CREATE_NEW).close();
    }

    static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(US_ASCII));
    }

    static String text(DurableFile file, long position, int max) throws IOException {
        ByteBuffer into = ByteBuffer.allocate(max);
        int count = file.read(into, position);
        return new String(into.array(), 0, Math.max(0, count), US_ASCII);
    }
}
