package io.tidemark.shim.datadir;

import io.netty.channel.EventLoop;
import io.tidemark.shim.libpq.Sockets;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.client.PgClient;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.client.PgConnection;
import io.tidemark.wire.client.PgServerException;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongConsumer;
import java.util.stream.Stream;

/**
 * Brings the data directory of a timeline at an LSN from a pageserver: a stock server starts on it at exactly that LSN, without recovery.
 *
 * <p>What is missing is a postgresql.conf. Nothing is synced to disk: such a directory is thrown away after a crash, and brought again.
 */
public final class DataDirectoryDownload {
    // The pageserver waits for the WAL up to the LSN before it answers.
    private static final Duration ANSWER_PATIENCE = Duration.ofMinutes(10);

    private DataDirectoryDownload() {}

    /**
     * Asks for one that starts without recovery; see {@link #run(EventLoop, PgClientConfig, DirectoryRequest, Path, ServerUser,
     * LongConsumer)}.
     */
    public static void run(
            EventLoop loop,
            PgClientConfig pageserver,
            TenantTimelineId timeline,
            Lsn at,
            Path target,
            ServerUser owner,
            LongConsumer progress)
            throws IOException, InterruptedException {
        run(loop, pageserver, new DirectoryRequest(timeline, at, false), target, owner, progress);
    }

    /**
     * Asks, unpacks, and gives the files to {@code owner}. Blocks, so never on the event loop.
     *
     * @param target must not exist or be empty; its parent exists. After a failure it is as before
     * @param progress told now and then how many bytes have come
     * @throws PgServerException when the pageserver refuses, at the beginning or halfway
     * @throws IOException when it cannot be reached, is lost, sends something that is no data directory, or the disk fails
     */
    public static void run(
            EventLoop loop,
            PgClientConfig pageserver,
            DirectoryRequest request,
            Path target,
            ServerUser owner,
            LongConsumer progress)
            throws IOException, InterruptedException {
        boolean made = makeEmpty(target);
        boolean done = false;
        try {
            receive(loop, pageserver, request.command(), target, progress);
            owner.own(target);
            done = true;
        } catch (InterruptedIOException e) {
            Thread.interrupted();
            throw (InterruptedException) new InterruptedException(e.getMessage()).initCause(e);
        } finally {
            if (!done) {
                deleteContent(target, made);
            }
        }
    }

    private static boolean makeEmpty(Path target) throws IOException {
        if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(target)) {
                if (entries.iterator().hasNext()) {
                    throw new IOException(target + " is not empty; a data directory needs a place of its own");
                }
            }
            Files.setPosixFilePermissions(target, TarUnpacker.DIRECTORY_MODE);
            return false;
        }
        Files.createDirectory(target);
        Files.setPosixFilePermissions(target, TarUnpacker.DIRECTORY_MODE);
        return true;
    }

    private static void receive(
            EventLoop loop, PgClientConfig pageserver, String command, Path target, LongConsumer progress)
            throws IOException, InterruptedException {
        CompletableFuture<PgConnection> connecting = PgClient.connect(Sockets.bootstrap(loop), pageserver);
        PgConnection connection;
        try {
            connection =
                    await(pageserver, connecting, pageserver.connectTimeout().plusSeconds(1));
        } catch (IOException | InterruptedException e) {
            var _ = connecting.thenAccept(PgConnection::close);
            throw e;
        }
        try (BackupStream stream = new BackupStream(pageserver.toString(), connection.channel(), progress)) {
            await(pageserver, connection.copy(command, stream), ANSWER_PATIENCE);
            new TarUnpacker(stream, target).run();
            stream.requireEnd();
        } finally {
            connection.close();
        }
    }

    private static <T> T await(PgClientConfig server, CompletableFuture<T> future, Duration patience)
            throws IOException, InterruptedException {
        try {
            return future.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            if (cause instanceof PgServerException said) {
                throw said;
            }
            throw new IOException("pageserver " + server + ": " + cause.getMessage(), cause);
        } catch (TimeoutException e) {
            throw new IOException("pageserver " + server + " did not answer within " + patience.toSeconds() + " s", e);
        }
    }

    private static void deleteContent(Path target, boolean itself) throws IOException {
        List<Path> all;
        try (Stream<Path> paths = Files.walk(target)) {
            all = paths.sorted(Comparator.reverseOrder())
                    .filter(path -> itself || !path.equals(target))
                    .toList();
        }
        for (Path path : all) {
            Files.deleteIfExists(path);
        }
    }
}
