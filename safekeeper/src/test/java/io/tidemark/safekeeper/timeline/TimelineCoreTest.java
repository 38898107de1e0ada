package io.tidemark.safekeeper.timeline;

import static io.tidemark.safekeeper.timeline.CoreBench.DIRECTORY;
import static io.tidemark.safekeeper.timeline.CoreBench.ME;
import static io.tidemark.safekeeper.wal.WalFixture.SEGMENT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.runtime.durable.DiskFullException;
import io.tidemark.runtime.durable.FakeDisk;
import io.tidemark.runtime.durable.SyncFailedException;
import io.tidemark.safekeeper.acceptor.AcceptorEffect;
import io.tidemark.safekeeper.acceptor.AcceptorEvent;
import io.tidemark.safekeeper.acceptor.AcceptorJudgement;
import io.tidemark.safekeeper.control.ControlFileStore;
import io.tidemark.safekeeper.control.InvalidControlFileException;
import io.tidemark.safekeeper.wal.LostWalException;
import io.tidemark.safekeeper.wal.VerifyingWalReader;
import io.tidemark.safekeeper.wal.WalFixture;
import io.tidemark.safekeeper.wal.WalLayout;
import io.tidemark.safekeeper.wal.WalReader;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.AcceptorMessage.AppendResponse;
import io.tidemark.wire.walpush.ProposerMessage.AppendRequest;
import io.tidemark.wire.walpush.TermHistory;
import io.tidemark.wire.walpush.TermLsn;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TimelineCoreTest {
    private static final Lsn START = Lsn.parse("0/1234560");
    private static final TermHistory FIRST = TermHistory.of(new TermLsn(Term.of(1), START));

    private final FakeDisk disk = new FakeDisk();
    private final WalFixture source = new WalFixture(START, 1).fill(2 * SEGMENT);

    @Test
    void whatIsAppendedIsReportedDurableAndFoundAgain() throws IOException {
        CoreBench bench = CoreBench.create(disk);
        bench.elect(1, START, FIRST);
        bench.append(1, source, START, source.end(), 100_000);
        AppendResponse last = (AppendResponse) bench.sent.getLast();
        assertThat(last.flushLsn()).isEqualTo(source.end());
        TimelineSnapshot before = bench.core.snapshot();
        assertThat(before.flushLsn()).isEqualTo(source.end());
        disk.crash(new SplittableRandom(1));
        TimelineSnapshot after = CoreBench.open(disk).core.snapshot();
        assertThat(after.state()).isEqualTo(before.state());
        assertThat(after.flushLsn()).isEqualTo(source.end());
        assertThat(after.lastLogTerm()).isEqualTo(Term.of(1));
        assertThat(readAll(after)).isEqualTo(source.slice(START, source.end()));
    }

    private ByteBuf readAll(TimelineSnapshot snapshot) throws IOException {
        ByteBuf out = Unpooled.buffer();
        WalReader raw = new WalReader(disk, DIRECTORY, WalLayout.of(snapshot.state()));
        try (VerifyingWalReader reader =
                new VerifyingWalReader(raw, snapshot.state().timelineStartLsn())) {
            while (reader.read(snapshot.flushLsn(), 128 << 10, out) > 0) {
                assertThat(reader.position().isAtMost(snapshot.flushLsn())).isTrue();
            }
        }
        return out;
    }

    @Test
    void aTimelineWithAKnownStartTakesWalThere() throws IOException {
        TermHistory known = TermHistory.of(new TermLsn(Term.ZERO, START));
        var state = CoreBench.newTimeline()
                .withTermHistory(known)
                .withStart(START, START)
                .withLsns(START, START, START, START);
        CoreBench bench = new CoreBench(TimelineCore.create(disk, DIRECTORY, state, ME));
        assertThat(bench.core.snapshot().flushLsn()).isEqualTo(START);
        bench.elect(1, START, known.plus(new TermLsn(Term.of(1), START)));
        bench.append(1, source, START, source.end(), 300_000);
        assertThat(readAll(bench.core.snapshot())).isEqualTo(source.slice(START, source.end()));
        assertThat(disk.list(DIRECTORY)).contains("000000010000000000000012");
    }

    @Test
    void creatingTwiceIsRefusedAndLeavesTheFirst() throws IOException {
        CoreBench.create(disk).elect(1, START, FIRST);
        assertThatThrownBy(() -> CoreBench.create(disk)).isInstanceOf(FileAlreadyExistsException.class);
        assertThat(CoreBench.open(disk).core.snapshot().state().term()).isEqualTo(Term.of(1));
    }

    @Test
    void aFullDiskStopsTheCoreAndItMayBeOpenedAgain() throws IOException {
        CoreBench bench = CoreBench.create(disk);
        bench.elect(1, START, FIRST);
        Lsn middle = START.plus(200_000);
        bench.append(1, source, START, middle, 50_000);
        Lsn promised = ((AppendResponse) bench.sent.getLast()).flushLsn();
        int answers = bench.sent.size();
        disk.setCapacity(0);
        assertThatThrownBy(() -> bench.append(1, source, middle, source.end(), 2_000_000))
                .isInstanceOfSatisfying(TimelineStoppedException.class, e -> {
                    assertThat(e.reopenable()).isTrue();
                    assertThat(e)
                            .hasCauseInstanceOf(DiskFullException.class)
                            .hasMessageContaining(WalFixture.TTID.toString());
                });
        assertThat(bench.sent).hasSize(answers);
        assertThatThrownBy(() -> bench.elect(2, START, FIRST)).isInstanceOf(TimelineStoppedException.class);
        bench.core.close();
        disk.setCapacity(1L << 40);
        CoreBench again = CoreBench.open(disk);
        Lsn found = again.core.snapshot().flushLsn();
        assertThat(found.isAtLeast(promised)).isTrue();
        again.elect(2, found, FIRST.plus(new TermLsn(Term.of(2), found)));
        again.append(2, source, found, source.end(), 100_000);
        assertThat(readAll(again.core.snapshot())).isEqualTo(source.slice(START, source.end()));
    }

    @Test
    void aFailedSyncStopsTheCoreForGood() throws IOException {
        CoreBench bench = CoreBench.create(disk);
        bench.elect(1, START, FIRST);
        int answers = bench.sent.size();
        disk.failNextSync();
        assertThatThrownBy(() -> bench.append(1, source, START, source.end(), 50_000))
                .isInstanceOfSatisfying(
                        TimelineStoppedException.class,
                        e -> assertThat(e.reopenable()).isFalse())
                .hasCauseInstanceOf(SyncFailedException.class);
        assertThat(bench.sent).hasSize(answers);
        assertThatThrownBy(() -> bench.core.apply(new AcceptorEvent.BatchEnd(), bench))
                .isInstanceOf(TimelineStoppedException.class);
    }

    @Test
    void whateverHappensTheWalOfAnAppendIsReleased() throws IOException {
        CoreBench bench = CoreBench.create(disk);
        bench.elect(1, START, FIRST);
        ByteBuf good = piece(START, START.plus(1000));
        bench.receive(append(START, good));
        assertThat(good.refCnt()).isZero();
        disk.setCapacity(0);
        ByteBuf failing = piece(START.plus(1000), START.plus(900_000));
        assertThatThrownBy(() -> bench.receive(append(START.plus(1000), failing)))
                .isInstanceOf(TimelineStoppedException.class);
        assertThat(failing.refCnt()).isZero();
        ByteBuf late = piece(START, START.plus(10));
        assertThatThrownBy(() -> bench.receive(append(START, late))).isInstanceOf(TimelineStoppedException.class);
        assertThat(late.refCnt()).isZero();
    }

    /** An effect that throws ends the list: the references of those behind it are given back, too. */
    @Test
    void aBugEndsTheCoreWithoutLeaks() throws IOException {
        ByteBuf first = piece(START, START.plus(10));
        ByteBuf second = piece(START, START.plus(10));
        TimelineCore core = TimelineCore.create(
                disk,
                DIRECTORY,
                CoreBench.newTimeline(),
                ME,
                new AcceptorJudgement(),
                (event, decided) ->
                        List.of(new AcceptorEffect.WriteWal(START, first), new AcceptorEffect.WriteWal(START, second)));
        CoreBench sink = new CoreBench(core);
        assertThatThrownBy(() -> core.apply(new AcceptorEvent.BatchEnd(), sink))
                .isInstanceOf(IllegalStateException.class);
        assertThat(first.refCnt()).isZero();
        assertThat(second.refCnt()).isZero();
        assertThatThrownBy(() -> core.apply(new AcceptorEvent.BatchEnd(), sink))
                .isInstanceOfSatisfying(
                        TimelineStoppedException.class,
                        e -> assertThat(e.reopenable()).isFalse());
    }

    @Test
    void aDamagedTimelineIsNotOpenedAndSaysWhy() throws IOException {
        assertThatThrownBy(() -> CoreBench.open(disk)).isInstanceOf(NoSuchFileException.class);
        CoreBench bench = CoreBench.create(disk);
        bench.elect(1, START, FIRST);
        bench.append(1, source, START, source.end(), 100_000);
        bench.core.apply(new AcceptorEvent.SaveLsns(), bench);
        Lsn commit = bench.core.snapshot().state().commitLsn();
        assertThat(commit.isAfter(START)).isTrue();
        String segment = disk.list(DIRECTORY).stream()
                .filter(name -> name.startsWith("00000001000000000000001" + (commit.segmentNumber(SEGMENT) & 0xf)))
                .findFirst()
                .orElseThrow();
        long position = commit.plus(-30).segmentOffset(SEGMENT);
        disk.flipByte(DIRECTORY.resolve(segment), position);
        assertThatThrownBy(() -> CoreBench.open(disk))
                .isInstanceOf(LostWalException.class)
                .hasMessageContaining(commit.toString());
        disk.flipByte(DIRECTORY.resolve(segment), position);
        disk.flipByte(DIRECTORY.resolve(ControlFileStore.FILE_NAME), 100);
        assertThatThrownBy(() -> CoreBench.open(disk)).isInstanceOf(InvalidControlFileException.class);
    }

    private ByteBuf piece(Lsn from, Lsn to) {
        return Unpooled.copiedBuffer(source.slice(from, to));
    }

    private static AppendRequest append(Lsn at, ByteBuf wal) {
        return new AppendRequest(0, Term.of(1), at, at.plus(wal.readableBytes()), Lsn.INVALID, Lsn.INVALID, wal);
    }
}
