package io.tidemark.cli.storage;

import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.shim.datadir.DataDirectoryDownload;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantTimelineId;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.stream.Stream;

/** Writes a branch as it is at an LSN as a data directory that a stock PostgreSQL starts on, with nothing of ours beside it. */
public final class BranchExport {
    private static final String CONFIGURATION = """
            # Written when this data directory was exported from a branch. All parameters have their defaults; the
            # configuration of the server it came from is not part of the export.
            """;

    private BranchExport() {}

    /**
     * Exports; everything is on disk when this returns.
     *
     * @param target must not exist or be empty
     * @param progress told now and then how many bytes are there
     * @return where it was taken
     * @throws IOException with what to do; nothing is left in {@code target} then
     */
    public static Lsn run(StorageDirectory directory, Branch branch, BranchTime at, Path target, LongConsumer progress)
            throws IOException, InterruptedException {
        Path absolute = target.toAbsolutePath().normalize();
        Branches.Place place = new Branches(directory).place(branch, at);
        Path parent = absolute.getParent();
        if (parent == null) {
            throw new ClusterException("cannot export to " + absolute);
        }
        Files.createDirectories(parent);
        ServerUser user = ServerUser.current();
        try (EventLoops loops = new EventLoops("export")) {
            DataDirectoryDownload.run(
                    loops.group().next(),
                    PgClientConfig.of(
                                    directory.config().pageserverPg().host(),
                                    directory.config().pageserverPg().port(),
                                    "tidemark")
                            .withParameter("application_name", "export"),
                    new TenantTimelineId(directory.config().tenantId(), place.timeline()),
                    place.lsn(),
                    absolute,
                    user,
                    progress);
        }
        Path configuration = absolute.resolve("postgresql.conf");
        if (!Files.exists(configuration)) {
            Files.writeString(configuration, CONFIGURATION);
            user.own(configuration);
        }
        sync(absolute);
        return place.lsn();
    }

    private static void sync(Path root) throws IOException {
        List<Path> all;
        try (Stream<Path> paths = Files.walk(root)) {
            all = paths.toList();
        }
        for (Path path : all) {
            try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }
}
