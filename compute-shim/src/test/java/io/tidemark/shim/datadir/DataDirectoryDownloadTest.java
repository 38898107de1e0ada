package io.tidemark.shim.datadir;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.tidemark.shim.datadir.FakePageserver.Ending;
import io.tidemark.shim.libpq.Sockets;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.client.PgServerException;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.tar.InvalidTarException;
import io.tidemark.wire.tar.TarHeader;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DataDirectoryDownloadTest {
    private static final TenantTimelineId ID =
            new TenantTimelineId(TenantId.parse("1".repeat(32)), TimelineId.parse("2".repeat(32)));
    private static final Lsn AT = Lsn.parse("0/16B3748");

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, Sockets.ioHandlerFactory());

    @TempDir
    private Path scratch = Path.of("unset");

    @AfterEach
    void close() {
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }

    /** Makes a tar. */
    private static final class Tar {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Tar directory(String name) {
            return header(TarHeader.directory(name, 0));
        }

        Tar file(String name, byte[] content) {
            header(TarHeader.file(name, content.length, 0));
            out.writeBytes(content);
            out.writeBytes(new byte[TarHeader.paddingBytes(content.length)]);
            return this;
        }

        Tar header(TarHeader header) {
            out.writeBytes(header.encode());
            return this;
        }

        Tar control() {
            return directory("global").file("global/pg_control", new byte[8192]);
        }

        byte[] bytes() {
            return out.toByteArray();
        }

        byte[] end() {
            out.writeBytes(new byte[1024]);
            return bytes();
        }
    }

    private void download(FakePageserver server, Path target, AtomicLong progress)
            throws IOException, InterruptedException {
        EventLoop loop = group.next();
        PgClientConfig config = PgClientConfig.of("127.0.0.1", server.port(), "nobody");
        DataDirectoryDownload.run(loop, config, ID, AT, target, new ServerUser(Optional.empty()), progress::set);
    }

    private Throwable failureOf(byte[] tar, Ending ending) {
        Path target = scratch.resolve("data");
        try (FakePageserver server = new FakePageserver(tar, ending)) {
            AtomicReference<Throwable> failure = new AtomicReference<>();
            assertThatThrownBy(() -> download(server, target, new AtomicLong())).satisfies(failure::set);
            assertThat(target).doesNotExist();
            return Objects.requireNonNull(failure.get());
        }
    }

    @Test
    void filesArriveForTheirOwnerOnly() throws Exception {
        byte[] big = new byte[300_000];
        Arrays.fill(big, (byte) 7);
        byte[] tar = new Tar()
                .directory("base")
                .directory("base/1")
                .file("base/1/16384", big)
                .file("pg_replslot/slot/state", "x".getBytes(UTF_8))
                .file("postgresql.auto.conf", new byte[0])
                .control()
                .end();
        Path target = scratch.resolve("data");
        Files.createDirectory(target);
        AtomicLong progress = new AtomicLong();
        try (FakePageserver server = new FakePageserver(tar, Ending.DONE)) {
            download(server, target, progress);
            assertThat(server.command()).isEqualTo("fullbackup " + ID.tenantId() + " " + ID.timelineId() + " " + AT);
        }
        assertThat(progress).hasValue(tar.length);
        assertThat(target.resolve("base/1/16384")).hasBinaryContent(big);
        assertThat(target.resolve("pg_replslot/slot/state")).hasContent("x");
        assertThat(target.resolve("postgresql.auto.conf")).isEmptyFile();
        try (Stream<Path> all = Files.walk(target)) {
            for (Path path : all.toList()) {
                assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                        .isEqualTo(Files.isDirectory(path) ? "rwx------" : "rw-------");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/etc/passwd",
                "../outside",
                "base/../../outside",
                "base/./1",
                "base//1",
                "..",
                ".",
                "a/b/c/d/e/f/g/h/i",
                "base\\..\\..\\outside"
            })
    void noPathLeavesTheDirectory(String name) {
        byte[] file = new Tar().file(name, new byte[1]).control().end();
        assertThat(failureOf(file, Ending.DONE))
                .isInstanceOf(InvalidTarException.class)
                .hasMessageContaining(name);
        byte[] directory = new Tar().directory(name).control().end();
        assertThat(failureOf(directory, Ending.DONE)).isInstanceOf(InvalidTarException.class);
        assertThat(scratch.resolve("outside")).doesNotExist();
    }

    @Test
    void linksDevicesExtensionsAndGiantsAreRefused() {
        for (char type : new char[] {'1', '2', '3', '4', '6', 'L', 'x', 'g'}) {
            byte[] tar = new Tar()
                    .header(new TarHeader("base", type, 0777, 0, 0))
                    .control()
                    .end();
            assertThat(failureOf(tar, Ending.DONE)).hasMessageContaining("neither a file nor a directory");
        }
        byte[] giant =
                new Tar().header(TarHeader.file("big", (1L << 30) + 1, 0)).bytes();
        assertThat(failureOf(giant, Ending.NEVER)).hasMessageContaining("bytes");
        byte[] twice = new Tar()
                .file("a", new byte[1])
                .file("a", new byte[1])
                .control()
                .end();
        assertThat(failureOf(twice, Ending.DONE)).isInstanceOf(IOException.class);
        byte[] fileAndDirectory = new Tar()
                .file("a", new byte[1])
                .file("a/b", new byte[1])
                .control()
                .end();
        assertThat(failureOf(fileAndDirectory, Ending.DONE)).isInstanceOf(IOException.class);
    }

    @Test
    void nothingIsCompleteBeforeTheServerSaysSo() {
        byte[] whole = new Tar().file("a", new byte[5000]).control().end();
        assertThat(failureOf(whole, Ending.ERROR))
                .isInstanceOf(PgServerException.class)
                .hasMessageContaining("a page is damaged");
        assertThat(failureOf(whole, Ending.CLOSE)).hasMessageContaining("was lost in the middle");
        assertThat(failureOf(whole, Ending.REFUSED))
                .isInstanceOf(PgServerException.class)
                .hasMessageContaining("invalid basebackup lsn");
        byte[] unmarked = new Tar().file("a", new byte[5000]).control().bytes();
        for (int length : List.of(0, 100, 512, 2000, unmarked.length - 1, unmarked.length)) {
            assertThat(failureOf(Arrays.copyOf(unmarked, length), Ending.DONE))
                    .as("%d bytes", length)
                    .isInstanceOf(EOFException.class);
        }
        assertThat(failureOf(new Tar().file("a", new byte[1]).end(), Ending.DONE))
                .hasMessageContaining("has no global/pg_control");
        byte[] garbage = new byte[2000];
        Arrays.fill(garbage, (byte) 'z');
        assertThat(failureOf(garbage, Ending.DONE)).isInstanceOf(InvalidTarException.class);
    }

    @Test
    void aDirectoryInUseIsLeftAlone() throws Exception {
        Path target = scratch.resolve("data");
        Files.createDirectory(target);
        Files.writeString(target.resolve("precious"), "mine");
        try (FakePageserver server = new FakePageserver(new Tar().control().end(), Ending.DONE)) {
            assertThatThrownBy(() -> download(server, target, new AtomicLong())).hasMessageContaining("is not empty");
        }
        assertThat(target.resolve("precious")).hasContent("mine");
    }

    @Test
    void anInterruptEndsItAndLeavesNothing() throws Exception {
        Path target = scratch.resolve("data");
        byte[] begun = new Tar().file("a", new byte[5000]).bytes();
        try (FakePageserver server = new FakePageserver(begun, Ending.NEVER)) {
            AtomicReference<Throwable> failure = new AtomicReference<>();
            AtomicLong progress = new AtomicLong();
            Thread downloading = Thread.ofPlatform().start(() -> {
                try {
                    download(server, target, progress);
                } catch (IOException | InterruptedException e) {
                    failure.set(e);
                }
            });
            Awaitility.await().until(() -> progress.get() == begun.length);
            downloading.interrupt();
            downloading.join();
            assertThat(failure.get()).isInstanceOf(InterruptedException.class);
            assertThat(target).doesNotExist();
        }
    }
}
