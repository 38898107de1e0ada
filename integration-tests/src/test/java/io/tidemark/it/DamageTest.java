package io.tidemark.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.cluster.ClusterOptions;
import io.tidemark.cli.cluster.SafekeeperProbe;
import io.tidemark.cli.cluster.WalEquality;
import io.tidemark.cli.demo.Ledger;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.postgresql.PGProperty;
import org.postgresql.replication.LogSequenceNumber;
import org.postgresql.replication.PGReplicationStream;

/**
 * A safekeeper whose disk is full or whose bytes have rotted: it says so, serves nothing wrong, and its other timelines and the other
 * safekeepers go on.
 */
class DamageTest {
    private static final Duration DEADLINE = Duration.ofSeconds(90);
    private static final long VICTIM = 3;
    private static final int SEGMENT_SIZE_BYTES = 16 << 20;

    /** Three segments fit and the fourth does not. */
    @Test
    void aFullDiskStopsThatSafekeepersTimelineUntilThereIsRoom() throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "only root can mount a small file system");
        try (ClusterOfProcesses cluster = ClusterOfProcesses.create("full-disk", ClusterOptions.defaults())) {
            Path disk = cluster.directory().layout().safekeeperDir(VICTIM);
            Files.createDirectories(disk);
            run("mount", "-t", "tmpfs", "-o", "size=56m", "tidemark-test", disk.toString());
            try {
                cluster.processes().start();
                writeWal(cluster, 80 << 20);

                assertThat(cluster.processes().probe(VICTIM).isUp())
                        .as("the process goes on")
                        .isTrue();
                assertThat(log(cluster)).contains(cluster.directory().config().timelineId() + " stops: no space left");
                SafekeeperProbe.TimelineStatus stuck = cluster.timeline(VICTIM);
                assertThat(stuck.flushLsn()).isLessThan(cluster.sql().flushLsn());
                assertThat(cluster.requireWalEqual(VICTIM, stuck))
                        .as("what it has is right")
                        .isPositive();

                run("mount", "-o", "remount,size=400m", disk.toString());
                cluster.requireWalEqualEverywhere();
                cluster.processes().stop();
            } finally {
                cluster.processes().stop();
                run("umount", disk.toString());
            }
        }
    }

    @Test
    void aFlippedByteInASegmentIsNeverServed() throws Exception {
        try (ClusterOfProcesses cluster = ClusterOfProcesses.create("flipped-wal", ClusterOptions.defaults())) {
            cluster.processes().start();
            TenantTimelineId other = createOtherTimeline(cluster);
            writeWal(cluster, 40 << 20);
            cluster.requireWalEqualEverywhere();
            SafekeeperProbe.TimelineStatus before = cluster.timeline(VICTIM);
            // In the middle of the second segment, well below commit_lsn.
            Lsn second =
                    Lsn.ofSegment(before.timelineStartLsn().segmentNumber(SEGMENT_SIZE_BYTES) + 1, SEGMENT_SIZE_BYTES);
            Lsn damaged = second.plus(SEGMENT_SIZE_BYTES / 2 + 12_345);
            assertThat(damaged).isLessThan(before.commitLsn());
            cluster.processes().safekeeper(VICTIM).kill();
            flip(segmentHolding(cluster.directory().safekeeperWal(VICTIM), damaged), damaged);
            cluster.processes().startSafekeeper(VICTIM);

            ByteBuffer served = readAsStandby(cluster, before.timelineStartLsn(), before.commitLsn());
            assertThat(served.remaining()).as("served up to the damage at most").isLessThanOrEqualTo((int)
                    damaged.minus(before.timelineStartLsn()));
            requirePrefixOfPostgresWal(cluster, before.timelineStartLsn(), served);
            assertThat(log(cluster)).contains(cluster.directory().config().timelineId() + "/", "invalid WAL at");

            assertThat(cluster.processes().probe(VICTIM).timeline(other))
                    .as("the other timeline")
                    .isPresent();
            commitsReturn(cluster);
        }
    }

    @Test
    void aDamagedControlFileStopsItsTimelineOnly() throws Exception {
        try (ClusterOfProcesses cluster = ClusterOfProcesses.create("flipped-control", ClusterOptions.defaults())) {
            cluster.processes().start();
            TenantTimelineId other = createOtherTimeline(cluster);
            writeWal(cluster, 1 << 20);
            cluster.processes().safekeeper(VICTIM).kill();
            Path control = cluster.directory().safekeeperWal(VICTIM).resolve("safekeeper.control");
            byte[] bytes = Files.readAllBytes(control);
            bytes[bytes.length / 2] ^= 0x10;
            Files.write(control, bytes);
            cluster.processes().startSafekeeper(VICTIM);

            commitsReturn(cluster);
            assertThat(log(cluster))
                    .contains(cluster.directory().config().timelineId())
                    .contains("safekeeper.control");
            assertThat(cluster.processes().probe(VICTIM).timeline(other))
                    .as("the other timeline")
                    .isPresent();
            assertThat(Files.readAllBytes(control)).as("the evidence is kept").isEqualTo(bytes);
            assertThat(readAsStandby(
                                    cluster,
                                    cluster.timeline(1).timelineStartLsn(),
                                    cluster.timeline(1).commitLsn())
                            .remaining())
                    .as("bytes served from a timeline whose terms are unknown")
                    .isZero();
        }
    }

    private static String log(ClusterOfProcesses cluster) throws IOException {
        return Files.readString(cluster.processes().safekeeper(VICTIM).logFile());
    }

    private static void commitsReturn(ClusterOfProcesses cluster) throws Exception {
        Ledger ledger = new Ledger(cluster.sql()::connect, "ledger");
        ledger.create();
        ledger.start(2);
        await("commits return").atMost(DEADLINE).until(() -> ledger.acknowledged() > 100);
        ledger.stop();
    }

    /** Commits at least this many bytes of WAL that does not compress. */
    private static void writeWal(ClusterOfProcesses cluster, long bytes) throws Exception {
        Lsn start = cluster.sql().flushLsn();
        cluster.execute("CREATE TABLE IF NOT EXISTS bulk (id int, noise text)");
        while (cluster.sql().flushLsn().minus(start) < bytes) {
            cluster.execute(
                    "INSERT INTO bulk SELECT i, md5(i::text) || md5((i * 7)::text) FROM generate_series(1, 20000) i");
        }
    }

    /** Another timeline on the victim, made over HTTP as a control plane would. */
    private static TenantTimelineId createOtherTimeline(ClusterOfProcesses cluster) throws IOException {
        TenantTimelineId other = new TenantTimelineId(
                TenantId.parse("0123456789abcdef0123456789abcdef"),
                TimelineId.parse("fedcba9876543210fedcba9876543210"));
        SafekeeperPlace place = cluster.directory().config().safekeepers().get((int) VICTIM - 1);
        String body = """
                {"tenant_id": "%s", "timeline_id": "%s", "mconf": {"generation": 0, "members": [], "new_members": null},
                 "pg_version": 170000, "system_id": 4711, "wal_seg_size": 16777216, "start_lsn": "0/1000000"}
                """.formatted(other.tenantId(), other.timelineId());
        HttpURLConnection connection =
                (HttpURLConnection) URI.create("http://" + place.httpAddress() + "/v1/tenant/timeline")
                        .toURL()
                        .openConnection();
        connection.setRequestMethod("POST");
        connection.setRequestProperty("Content-Type", "application/json");
        connection.setDoOutput(true);
        connection.getOutputStream().write(body.getBytes(StandardCharsets.UTF_8));
        assertThat(connection.getResponseCode()).isEqualTo(HttpURLConnection.HTTP_OK);
        return other;
    }

    /** What the victim streams to a reader of committed WAL, until it has sent everything or breaks off. */
    private static ByteBuffer readAsStandby(ClusterOfProcesses cluster, Lsn startLsn, Lsn endLsn) throws Exception {
        SafekeeperPlace place = cluster.directory().config().safekeepers().get((int) VICTIM - 1);
        Properties properties = new Properties();
        PGProperty.USER.set(properties, "reader");
        PGProperty.REPLICATION.set(properties, "true");
        PGProperty.ASSUME_MIN_SERVER_VERSION.set(properties, "12");
        PGProperty.PREFER_QUERY_MODE.set(properties, "simple");
        PGProperty.SSL_MODE.set(properties, "disable");
        PGProperty.GSS_ENC_MODE.set(properties, "disable");
        PGProperty.OPTIONS.set(
                properties,
                "-c timeline_id=" + cluster.directory().config().timelineId() + " tenant_id="
                        + cluster.directory().config().tenantId());
        ByteBuffer received = ByteBuffer.allocate((int) endLsn.minus(startLsn));
        try (var connection = DriverManager.getConnection("jdbc:postgresql://" + place.pgAddress() + "/x", properties);
                PGReplicationStream stream = connection
                        .unwrap(PGConnection.class)
                        .getReplicationAPI()
                        .replicationStream()
                        .physical()
                        .withStartPosition(LogSequenceNumber.valueOf(startLsn.toString()))
                        .start()) {
            while (received.hasRemaining()) {
                ByteBuffer chunk = stream.read();
                if (chunk.remaining() > received.remaining()) {
                    chunk.limit(chunk.position() + received.remaining());
                }
                received.put(chunk);
            }
        } catch (SQLException brokenOff) {
            System.out.println("the safekeeper broke off: " + brokenOff.getMessage());
        }
        return received.flip();
    }

    private static void requirePrefixOfPostgresWal(ClusterOfProcesses cluster, Lsn startLsn, ByteBuffer served)
            throws IOException {
        Path copy = Files.createDirectories(cluster.scratch().resolve("served"));
        Lsn end = startLsn.plus(served.remaining());
        for (Lsn at = startLsn; at.isBefore(end); ) {
            var name = io.tidemark.wire.wal.WalSegmentName.holding(at, SEGMENT_SIZE_BYTES);
            Lsn stop = name.endLsn().min(end);
            byte[] segment = new byte[SEGMENT_SIZE_BYTES];
            served.get(segment, at.segmentOffset(SEGMENT_SIZE_BYTES), (int) stop.minus(at));
            Files.write(copy.resolve(name.fileName()), segment);
            at = stop;
        }
        new WalEquality(cluster.directory().postgresWal(), copy, SEGMENT_SIZE_BYTES).requireEqual(startLsn, end);
    }

    private static Path segmentHolding(Path directory, Lsn lsn) throws IOException {
        String name = io.tidemark.wire.wal.WalSegmentName.holding(lsn, SEGMENT_SIZE_BYTES)
                .fileName();
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.getFileName().toString().startsWith(name))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static void flip(Path segment, Lsn lsn) throws IOException {
        byte[] bytes = Files.readAllBytes(segment);
        bytes[lsn.segmentOffset(SEGMENT_SIZE_BYTES)] ^= 0x04;
        Files.write(segment, bytes);
    }

    private static void run(String... command) throws IOException, InterruptedException {
        Process process =
                new ProcessBuilder(List.of(command)).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as("%s: %s", List.of(command), output).isZero();
    }
}
