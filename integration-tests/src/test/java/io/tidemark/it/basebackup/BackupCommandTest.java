package io.tidemark.it.basebackup;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.tidemark.cli.wal.SegmentFiles;
import io.tidemark.pageserver.pgcontrol.ControlFile;
import io.tidemark.pageserver.receiver.Connections;
import io.tidemark.pageserver.receiver.CopyQueue;
import io.tidemark.pageserver.timeline.RetentionConfig;
import io.tidemark.pageserver.timeline.Timeline;
import io.tidemark.pageserver.timeline.TimelineMaintenance;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.runtime.time.TimeSource;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.client.PgConnection;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.tar.TarHeader;
import io.tidemark.wire.wal.InvalidWalException;
import io.tidemark.wire.wal.WalPageHeader;
import io.tidemark.wire.wal.WalRecord;
import io.tidemark.wire.wal.WalRecordReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the page service answers to backup commands, read by GNU tar and by PostgreSQL's own programs where they are. */
class BackupCommandTest {
    private static final Path BIN = Path.of("/usr/lib/postgresql/15/bin");
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final String WHOM = LedgerTimeline.ID.tenantId() + " " + LedgerTimeline.ID.timelineId();

    private final EventLoops loops = new EventLoops("test-client");

    @AfterEach
    void close() {
        loops.close();
    }

    private byte[] ask(LedgerTimeline ledger, String command) throws IOException, InterruptedException {
        PgClientConfig server = PgClientConfig.of("127.0.0.1", ledger.port(), "nobody");
        PgConnection connection = new Connections(loops).open(server);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (CopyQueue queue = Connections.copy(server, connection, command)) {
            while (true) {
                switch (queue.require(PATIENCE)) {
                    case CopyQueue.Event.Data(ByteBuf bytes) -> {
                        bytes.readBytes(out, bytes.readableBytes());
                        bytes.release();
                    }
                    case CopyQueue.Event.Row row -> throw new AssertionError(row);
                    case CopyQueue.Event.CopyEnded(CopyEnd end) ->
                        assertThat(end).isEqualTo(new CopyEnd.Done());
                    case CopyQueue.Event.CommandEnded(CopyEnd end) -> {
                        assertThat(end).isEqualTo(new CopyEnd.Done());
                        return out.toByteArray();
                    }
                }
            }
        } finally {
            connection.close();
        }
    }

    /** All files by path, in order; directories have null. */
    private static Map<String, byte[]> members(byte[] tar) throws IOException {
        Map<String, byte[]> members = new LinkedHashMap<>();
        InputStream in = new ByteArrayInputStream(tar);
        for (byte[] block = in.readNBytes(512); !TarHeader.isEnd(block); block = in.readNBytes(512)) {
            TarHeader header = TarHeader.decode(block);
            byte[] content = in.readNBytes((int) header.sizeBytes());
            in.skipNBytes(TarHeader.paddingBytes(header.sizeBytes()));
            boolean directory = header.type() == TarHeader.DIRECTORY;
            assertThat(header.mode()).isEqualTo(directory ? 0755 : 0600);
            assertThat(members).as("twice").doesNotContainKey(header.name());
            members.put(header.name(), directory ? new byte[0] : content);
        }
        assertThat(in.readAllBytes()).isEqualTo(new byte[512]);
        return members;
    }

    private static ControlFile control(LedgerTimeline ledger, Map<String, byte[]> members) throws Exception {
        return ControlFile.read(members.get("global/pg_control"), ledger.major());
    }

    private static Lsn prevOfFirstRecord(LedgerTimeline ledger, Map<String, byte[]> members) throws Exception {
        ControlFile control = control(ledger, members);
        Path directory = Files.createDirectory(ledger.scratch().resolve("wal-" + System.nanoTime()));
        for (var member : members.entrySet()) {
            if (member.getKey().matches("pg_wal/[0-9A-F]{24}")) {
                Files.write(directory.resolve(member.getKey().substring(7)), member.getValue());
            }
        }
        try (SegmentFiles files = SegmentFiles.at(directory)) {
            WalRecord record = new WalRecordReader(
                            files, ledger.major(), files.segmentSizeBytes(), control.checkPointLsn())
                    .next();
            assertThat(record).isNotNull();
            return record.prev();
        } catch (InvalidWalException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void theRecordBeforeIsRememberedByImportsAndOverRestarts() throws Exception {
        try (LedgerTimeline ledger = new LedgerTimeline(15, true, 1)) {
            Map<String, byte[]> imported = members(ask(ledger, "fullbackup " + WHOM));
            Lsn checkPoint = ControlFile.read(
                            Files.readAllBytes(ledger.primary().dataDir().resolve("global/pg_control")), 15)
                    .checkPointLsn();
            assertThat(prevOfFirstRecord(ledger, imported)).isEqualTo(checkPoint);
            assertThat(new String(imported.get("neon.signal"), UTF_8)).isEqualTo("PREV LSN: " + checkPoint);

            ledger.live(100);
            Lsn last = ledger.records().getLast().start();
            assertThat(prevOfFirstRecord(ledger, members(ask(ledger, "fullbackup " + WHOM))))
                    .isEqualTo(last);
            ledger.timeline().flush();
            Lsn end = ledger.timeline().lastRecordLsn();
            ledger.restartPageserver();
            assertThat(ledger.timeline().lastRecordLsn()).isEqualTo(end);
            assertThat(ledger.timeline().prevRecordLsn()).isEqualTo(last);
            assertThat(prevOfFirstRecord(ledger, members(ask(ledger, "fullbackup " + WHOM + " " + end))))
                    .isEqualTo(last);
        }
    }

    @Test
    void whatIsAskedForIsAnswered() throws Exception {
        try (LedgerTimeline ledger = new LedgerTimeline(15, true, 1)) {
            ledger.live(200);
            List<LedgerTimeline.Logged> records = ledger.records();
            Lsn middle = records.get(records.size() * 3 / 4).end();
            Map<String, byte[]> full = members(ask(ledger, "fullbackup " + WHOM + " " + middle + " "));
            assertSameAgain(ledger, middle, full);
            assertStockProgramsAgree(ledger, middle, full);
            assertComputeBackup(ledger, middle, full);
            assertErrors(ledger, middle);
        }
    }

    @Test
    void aStandbyBeginsWithTheLastCheckpointRecord() throws Exception {
        try (LedgerTimeline ledger = new LedgerTimeline(15, true, 1)) {
            assertThatThrownBy(() -> ask(ledger, "fullbackup " + WHOM + " --standby"))
                    .hasMessageContaining("no checkpoint record is known");
            ledger.live(200);
            Lsn end = ledger.timeline().lastRecordLsn();
            LedgerTimeline.Logged checkPoint = ledger.records().stream()
                    .filter(record -> record.rmgr() == 0 && (record.info() & 0xF0) <= 0x10)
                    .reduce((first, second) -> second)
                    .orElseThrow();
            Map<String, byte[]> standby = members(ask(ledger, "fullbackup " + WHOM + " " + end + " --standby"));
            ControlFile control = control(ledger, standby);
            assertThat(control.state()).isEqualTo(ControlFile.State.IN_ARCHIVE_RECOVERY);
            assertThat(control.checkPointLsn()).isEqualTo(checkPoint.start());
            assertThat(control.checkPoint().redo()).isLessThanOrEqualTo(checkPoint.start());
            assertThat(new String(standby.get("backup_label"), UTF_8))
                    .contains("START WAL LOCATION: " + control.checkPoint().redo() + " (file 0000000100000000")
                    .contains("\nCHECKPOINT LOCATION: " + checkPoint.start() + "\n")
                    .contains("\nBACKUP FROM: standby\n");

            // But for that, and the WAL, it is what a server gets that starts there.
            Map<String, byte[]> full = members(ask(ledger, "fullbackup " + WHOM + " " + end));
            standby.remove("backup_label");
            full.keySet().removeIf(name -> name.matches("pg_wal/[0-9A-F]{24}"));
            assertThat(standby.keySet()).isEqualTo(full.keySet());
            full.remove("global/pg_control");
            full.forEach(
                    (name, content) -> assertThat(standby.get(name)).as(name).isEqualTo(content));
        }
    }

    private void assertSameAgain(LedgerTimeline ledger, Lsn at, Map<String, byte[]> full) throws Exception {
        Map<String, byte[]> again = members(ask(ledger, "FULLBACKUP " + WHOM + " " + at + " 0/0"));
        assertThat(again.keySet()).containsExactlyElementsOf(full.keySet());
        for (var member : again.entrySet()) {
            if (!member.getKey().equals("global/pg_control")) {
                assertThat(member.getValue()).as(member.getKey()).isEqualTo(full.get(member.getKey()));
            }
        }
        assertThat(control(ledger, again).checkPoint().toBytes())
                .isEqualTo(control(ledger, full).checkPoint().toBytes());
    }

    private void assertStockProgramsAgree(LedgerTimeline ledger, Lsn at, Map<String, byte[]> full) throws Exception {
        Path tar = ledger.scratch().resolve("full.tar");
        if (Files.isExecutable(BIN.resolve("psql"))) {
            List<String> psql = List.of(
                    BIN.resolve("psql").toString(),
                    "-X",
                    "--host=127.0.0.1",
                    "--port=" + ledger.port(),
                    "--username=nobody",
                    "--dbname=x",
                    "--command=fullbackup " + WHOM + " " + at);
            Process process =
                    new ProcessBuilder(psql).redirectOutput(tar.toFile()).start();
            assertThat(new String(process.getErrorStream().readAllBytes(), UTF_8))
                    .isEmpty();
            assertThat(process.waitFor()).isZero();
        } else {
            Files.write(tar, ask(ledger, "fullbackup " + WHOM + " " + at));
        }
        List<String> listed = run("tar", "-tf", tar.toString());
        assertThat(listed.stream().map(name -> name.replaceAll("/$", ""))).containsExactlyElementsOf(full.keySet());
        Path data = Files.createDirectory(ledger.scratch().resolve("unpacked"));
        run("tar", "--no-same-owner", "-C", data.toString(), "-xf", tar.toString());
        if (!Files.isExecutable(BIN.resolve("pg_waldump"))) {
            return;
        }
        List<String> dumped = new ArrayList<>();
        Process waldump = new ProcessBuilder(
                        BIN.resolve("pg_waldump").toString(), "--path=" + data.resolve("pg_wal"), "--start=" + at)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        dumped.addAll(new String(waldump.getInputStream().readAllBytes(), UTF_8)
                .lines()
                .toList());
        assertThat(dumped).hasSize(1).first().asString().contains("CHECKPOINT_SHUTDOWN redo", "lsn: ");
        Lsn checkPoint = control(ledger, full).checkPointLsn();
        assertThat(run(BIN.resolve("pg_controldata").toString(), data.toString()))
                .contains(
                        "Database cluster state:               shut down",
                        "Latest checkpoint location:           " + checkPoint,
                        "Latest checkpoint's REDO location:    " + checkPoint,
                        "Latest checkpoint's oldestActiveXID:  0");
        assertThat(run(BIN.resolve("pg_checksums").toString(), "--check", data.toString()))
                .contains("Bad checksums:  0");
    }

    private static List<String> run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        List<String> output = new String(process.getInputStream().readAllBytes(), UTF_8)
                .lines()
                .toList();
        assertThat(process.waitFor()).as("%s: %s", List.of(command), output).isZero();
        return output;
    }

    private void assertComputeBackup(LedgerTimeline ledger, Lsn at, Map<String, byte[]> full) throws Exception {
        byte[] packed = ask(ledger, "basebackup " + WHOM + " " + at + " --replica --gzip");
        Map<String, byte[]> compute = members(new GZIPInputStream(new ByteArrayInputStream(packed)).readAllBytes());
        List<String> names = List.copyOf(compute.keySet());
        assertThat(names)
                .startsWith("global", "pg_wal/archive_status", "pg_commit_ts")
                .containsSubsequence(
                        "pg_logical/mappings",
                        "pg_hba.conf",
                        "pg_ident.conf",
                        "postgresql.auto.conf",
                        "pg_xact/0000",
                        "PG_VERSION",
                        "global/pg_filenode.map",
                        "base/1/PG_VERSION",
                        "neon.signal",
                        "zenith.signal",
                        "global/pg_control")
                .doesNotContain("pg_wal/summaries", "postgresql.conf");
        assertThat(names.getLast()).matches("pg_wal/[0-9A-F]{24}");
        assertThat(names.get(names.size() - 2)).isEqualTo("global/pg_control");
        assertThat(compute.get("neon.signal")).isEqualTo("PREV LSN: invalid".getBytes(UTF_8));

        // Of relations there are the unlogged ones only, and they are empty: two forks that are the same.
        List<String> relations =
                names.stream().filter(name -> name.matches("base/\\d+/\\d+.*")).toList();
        assertThat(relations).isNotEmpty();
        for (String name : relations) {
            String main = name.replace("_init", "");
            assertThat(compute.get(main)).isEqualTo(compute.get(main + "_init")).isEqualTo(full.get(main));
        }
        assertThat(full.keySet()).containsAll(names).hasSizeGreaterThan(names.size() + 800);
        assertThat(compute.get("pg_xact/0000")).isEqualTo(full.get("pg_xact/0000"));

        ControlFile control = control(ledger, compute);
        assertThat(control.state()).isEqualTo(ControlFile.State.SHUT_DOWN);
        assertThat(control.checkPointLsn()).isEqualTo(Lsn.INVALID);
        assertThat(control.checkPoint().redo())
                .isEqualTo(control(ledger, full).checkPoint().redo());
        byte[] wal = compute.get(names.getLast());
        assertThat(wal).hasSize(ledger.segmentBytes());
        int page = at.segmentOffset(ledger.segmentBytes()) - at.pageOffset();
        WalPageHeader header = WalPageHeader.decode(ByteBuffer.wrap(wal), page);
        assertThat(header.remainingLength()).isEqualTo(at.pageOffset() - header.sizeBytes());
        for (int i = page + header.sizeBytes(); i < wal.length; i++) {
            assertThat(wal[i]).isZero();
        }
    }

    private void assertErrors(LedgerTimeline ledger, Lsn at) throws Exception {
        assertRefused(ledger, "fullbackup " + WHOM + " 0/10", "invalid basebackup lsn", "can be read from");
        assertRefused(ledger, "basebackup " + WHOM + " 0/0", "invalid basebackup lsn");
        Lsn end = ledger.timeline().lastRecordLsn();
        assertRefused(ledger, "fullbackup " + WHOM + " " + end + " 0/8", "starts at", "not at 0/8");
        assertRefused(ledger, "fullbackup " + WHOM + " " + at.plus(-at.pageOffset() + 8), "inside of a page's header");
        assertRefused(ledger, "basebackup " + WHOM + " --gzip " + at, "not expected there");
        assertRefused(ledger, "basebackup " + WHOM + " " + at + " --gzip --gzip", "--gzip");
        assertRefused(ledger, "basebackup " + WHOM + " --prev-lsn", "--prev-lsn");
        assertRefused(ledger, "fullbackup " + WHOM + " 1 2 3", "usage: fullbackup");
        assertRefused(ledger, "fullbackup " + WHOM + " tomorrow", "not an LSN: 'tomorrow'");
        assertRefused(ledger, "basebackup", "usage: basebackup");
        assertRefused(ledger, "basebackup " + "c".repeat(32) + " " + "d".repeat(32), "not found: timeline");
        // The gc cutoff: nothing below it any more, but what is held.
        ledger.timeline().flush();
        TimelineMaintenance maintenance =
                new TimelineMaintenance(ledger.timelines(), RetentionConfig.NOTHING, TimeSource.system());
        try (Timeline.Hold hold = ledger.timeline().hold(at)) {
            assertThat(hold).isNotNull();
            maintenance.moveCutoff(ledger.timeline(), RetentionConfig.NOTHING);
            assertThat(ledger.timeline().gcCutoff()).isEqualTo(end);
            assertThat(ask(ledger, "basebackup " + WHOM + " " + at)).isNotEmpty();
        }
        maintenance.moveCutoff(ledger.timeline(), RetentionConfig.NOTHING);
        assertRefused(ledger, "basebackup " + WHOM + " " + at, "invalid basebackup lsn", "garbage collected");
    }

    private void assertRefused(LedgerTimeline ledger, String command, String... words) {
        assertThatThrownBy(() -> ask(ledger, command)).as(command).hasMessageContainingAll(words);
    }
}
