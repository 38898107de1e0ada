package io.tidemark.safekeeper.timeline;

import static io.tidemark.safekeeper.timeline.CoreBench.DIRECTORY;
import static io.tidemark.safekeeper.wal.WalFixture.SEGMENT;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.runtime.durable.FakeDisk;
import io.tidemark.runtime.durable.PowerLossException;
import io.tidemark.safekeeper.acceptor.AcceptorEvent;
import io.tidemark.safekeeper.control.ControlFileStore;
import io.tidemark.safekeeper.wal.WalFixture;
import io.tidemark.safekeeper.wal.WalLayout;
import io.tidemark.safekeeper.wal.WalReader;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.walpush.AcceptorMessage;
import io.tidemark.wire.walpush.AcceptorMessage.AcceptorGreeting;
import io.tidemark.wire.walpush.AcceptorMessage.AppendResponse;
import io.tidemark.wire.walpush.AcceptorMessage.VoteResponse;
import io.tidemark.wire.walpush.ProposerMessage.AppendRequest;
import io.tidemark.wire.walpush.TermHistory;
import io.tidemark.wire.walpush.TermLsn;
import java.io.IOException;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * Power fails during each single disk operation of a timeline's life: creation, a first term over two segments, a second term
 * that cuts WAL of the first and goes on. Whatever the acceptor had said must still be true.
 */
class TimelineCrashPointTest {
    private static final Lsn START = Lsn.parse("0/12F0000");
    private final WalFixture first = new WalFixture(START, 1).fill(SEGMENT + 100_000);
    private final Lsn cut = first.boundaryAt(START.plus(300_000));
    private final WalFixture second = first.divergingAt(cut, 2, 300_000);
    private final TermHistory firstHistory = TermHistory.of(new TermLsn(Term.of(1), START));
    private final TermHistory secondHistory = firstHistory.plus(new TermLsn(Term.of(2), cut));

    @Test
    void whatWasSaidStaysTrue() throws IOException {
        FakeDisk whole = new FakeDisk();
        live(whole, new Told());
        long operations = whole.operations();
        assertThat(operations).isGreaterThan(70);
        for (int operation = 1; operation <= operations; operation++) {
            for (int seed = 0; seed < 2; seed++) {
                crashDuring(operation, new SplittableRandom(1000L * operation + seed));
            }
        }
    }

    /** What went out before power failed, and how far the story was. */
    private static final class Told {
        List<AcceptorMessage> sent = List.of();
        boolean created;
        boolean secondElectionBegan;
    }

    private void live(FakeDisk disk, Told told) throws IOException {
        CoreBench bench = CoreBench.create(disk);
        told.created = true;
        told.sent = bench.sent;
        bench.elect(1, START, firstHistory);
        bench.append(1, first, START, cut, 40_000);
        // The tail of the first term reaches this node only; nobody commits it.
        appendUncommitted(bench);
        told.secondElectionBegan = true;
        bench.elect(2, cut, secondHistory);
        bench.append(2, second, cut, second.end(), 70_000);
        assertThat(bench.refusals).isEmpty();
    }

    private void appendUncommitted(CoreBench bench) throws IOException {
        ByteBuf wal = Unpooled.copiedBuffer(first.slice(cut, first.end()));
        bench.receive(new AppendRequest(0, Term.of(1), cut, first.end(), cut, Lsn.INVALID, wal));
        bench.core.apply(new AcceptorEvent.BatchEnd(), bench);
    }

    private void crashDuring(int operation, SplittableRandom random) throws IOException {
        FakeDisk disk = new FakeDisk();
        Told told = new Told();
        disk.losePowerDuring(operation);
        try {
            live(disk, told);
            throw new AssertionError("power was to fail during operation " + operation);
        } catch (PowerLossException e) {
            disk.crash(random);
        }
        String what = "operation " + operation;
        if (!disk.exists(DIRECTORY)) {
            assertThat(told.created).as(what).isFalse();
            CoreBench.create(disk);
            return;
        }
        assertThat(disk.exists(DIRECTORY.resolve(ControlFileStore.FILE_NAME)))
                .as(what)
                .isTrue();
        CoreBench bench = CoreBench.open(disk);
        check(bench.core.snapshot(), told, what, disk);
        disk.crash(random);
        assertThat(CoreBench.open(disk).core.snapshot()).as(what).isEqualTo(bench.core.snapshot());
    }

    private void check(TimelineSnapshot found, Told told, String what, FakeDisk disk) throws IOException {
        for (AcceptorMessage message : told.sent) {
            switch (message) {
                case AcceptorGreeting m -> {}
                case VoteResponse m ->
                    assertThat(found.state().term().isBefore(m.term())).as(what).isFalse();
                case AppendResponse m -> {
                    assertThat(found.state().term().isBefore(m.term())).as(what).isFalse();
                    assertThat(found.state().commitLsn().isAtLeast(m.commitLsn()))
                            .as(what)
                            .isTrue();
                    // An elected message may have cut what the first term had reported.
                    Lsn promised = told.secondElectionBegan && m.term().equals(Term.of(1))
                            ? m.flushLsn().min(cut)
                            : m.flushLsn();
                    assertThat(found.flushLsn().isAtLeast(promised)).as(what).isTrue();
                }
            }
        }
        assertThat(found.commitLsn().isAtMost(found.flushLsn())).as(what).isTrue();
        TermHistory history = found.state().termHistory();
        assertThat(history).as(what).isIn(TermHistory.EMPTY, firstHistory, secondHistory);
        if (history.isEmpty()) {
            return;
        }
        // A history never claims WAL that was another term's.
        WalFixture expected = history.equals(secondHistory) || found.flushLsn().isAtMost(cut) ? second : first;
        assertThat(readBack(found, disk)).as(what).isEqualTo(expected.slice(START, found.flushLsn()));
    }

    private static ByteBuf readBack(TimelineSnapshot snapshot, FakeDisk disk) throws IOException {
        ByteBuf out = Unpooled.buffer();
        try (WalReader reader = new WalReader(disk, DIRECTORY, WalLayout.of(snapshot.state()))) {
            for (Lsn at = START; at.isBefore(snapshot.flushLsn()); ) {
                at = at.plus(reader.read(at, snapshot.flushLsn(), 1 << 20, out));
            }
        }
        return out;
    }
}
