package io.tidemark.safekeeper.timeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.runtime.durable.Disk;
import io.tidemark.runtime.durable.FakeDisk;
import io.tidemark.runtime.owner.OwnerThreads;
import io.tidemark.runtime.time.TimeSource;
import io.tidemark.safekeeper.metrics.SafekeeperMetrics;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.wal.WalStreamWriter;
import io.tidemark.wire.walpush.AcceptorMessage.AcceptorGreeting;
import io.tidemark.wire.walpush.AcceptorMessage.AppendResponse;
import io.tidemark.wire.walpush.AcceptorMessage.VoteResponse;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.ProposerMessage.AppendRequest;
import io.tidemark.wire.walpush.ProposerMessage.ProposerElected;
import io.tidemark.wire.walpush.ProposerMessage.ProposerGreeting;
import io.tidemark.wire.walpush.ProposerMessage.VoteRequest;
import io.tidemark.wire.walpush.TermLsn;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TimelineRegistryTest {
    private static final NodeId ME = new NodeId(1);
    private static final SystemId SYSTEM = new SystemId(42);
    private static final int SEGMENT = 1024 * 1024;
    private static final Lsn START = Lsn.parse("0/100028");
    private static final TenantTimelineId ONE = ttid(1);
    private static final TenantTimelineId TWO = ttid(2);

    private final FakeDisk disk = new FakeDisk();
    private final OwnerThreads threads = new OwnerThreads("test", 2);
    private final SafekeeperMetrics metrics = new SafekeeperMetrics();
    private TimelineRegistry registry = open(Duration.ofMinutes(5));
    private long links;

    private static TenantTimelineId ttid(long number) {
        return new TenantTimelineId(new TenantId(1, number), new TimelineId(2, number));
    }

    private TimelineRegistry open(Duration saveInterval) {
        try {
            return TimelineRegistry.open(disk, ME, threads, metrics, TimeSource.system(), saveInterval);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @AfterEach
    void close() {
        registry.close();
        threads.close();
    }

    private static ProposerGreeting greeting(TenantTimelineId ttid) {
        return new ProposerGreeting(
                ttid.tenantId(), ttid.timelineId(), MembershipConfig.NONE, PgVersion.of(150_019), SYSTEM, SEGMENT);
    }

    private Timeline create(TenantTimelineId ttid) throws TimelineException {
        return registry.create(NewTimeline.of(greeting(ttid)));
    }

    /** A proposer in the test's hands. */
    private final class Proposer {
        private final Timeline timeline;
        private final RecordingLink link = new RecordingLink(++links);
        private Term term = Term.ZERO;
        private Lsn position = Lsn.INVALID;

        Proposer(Timeline timeline) {
            this.timeline = timeline;
            timeline.tell(link, greeting(timeline.ttid()));
        }

        Proposer elected() throws InterruptedException {
            term = link.next(AcceptorGreeting.class).term().next();
            timeline.tell(link, new VoteRequest(0, term));
            VoteResponse vote = link.next(VoteResponse.class);
            position = vote.flushLsn().isValid() ? vote.flushLsn() : START;
            timeline.tell(
                    link,
                    new ProposerElected(0, term, position, vote.termHistory().plus(new TermLsn(term, position))));
            assertThat(link.next(Term.class)).isEqualTo(term);
            return this;
        }

        /** Sends a record of {@code bytes} of data; committed as far as it was before. */
        void append(int bytes) {
            WalStreamWriter writer = new WalStreamWriter(15, SYSTEM, SEGMENT, position, Lsn.INVALID);
            writer.append(10, 0, 1, new byte[bytes]);
            ByteBuf wal = writer.drain();
            timeline.tell(link, new AppendRequest(0, term, position, writer.position(), position, Lsn.INVALID, wal));
            position = writer.position();
        }

        Lsn flushed() throws InterruptedException {
            return link.next(AppendResponse.class).flushLsn();
        }

        void commitAll() {
            timeline.tell(
                    link, new AppendRequest(0, term, position, position, position, Lsn.INVALID, Unpooled.EMPTY_BUFFER));
        }
    }

    @Test
    void afterAFullDiskTheTimelineIsOpenedAnewAtTheNextGreeting() throws Exception {
        Timeline timeline = create(ONE);
        Proposer proposer = new Proposer(timeline).elected();
        proposer.append(1000);
        Lsn flushed = proposer.flushed();
        disk.setCapacity(0);
        proposer.append(100_000);
        assertThat(proposer.link.next(String.class)).startsWith("fail: ").contains("tried again");
        await().atMost(10, TimeUnit.SECONDS).until(() -> !timeline.view().isLoaded());
        assertThat(timeline.view().reopens()).isTrue();

        Proposer early = new Proposer(timeline);
        early.timeline.tell(early.link, new VoteRequest(0, Term.of(9)));
        disk.setCapacity(Long.MAX_VALUE);
        Proposer next = new Proposer(timeline).elected();
        assertThat(next.position).isEqualTo(flushed);
        next.append(1000);
        assertThat(next.flushed()).isEqualTo(next.position);
        await().atMost(10, TimeUnit.SECONDS).until(() -> timeline.view().isLoaded());
    }

    @Test
    void afterAFailedSyncTheTimelineStandsStillUntilTheRestartAndOthersGoOn() throws Exception {
        Timeline timeline = create(ONE);
        Proposer other = new Proposer(create(TWO)).elected();
        Proposer proposer = new Proposer(timeline).elected();
        proposer.append(1000);
        Lsn flushed = proposer.flushed();
        disk.failNextSync();
        proposer.append(1000);
        assertThat(proposer.link.next(String.class)).startsWith("fail: ").contains("restarted");

        Proposer again = new Proposer(timeline);
        assertThat(again.link.next(String.class)).startsWith("fail: ");
        other.append(1000);
        assertThat(other.flushed()).isEqualTo(other.position);

        registry.close();
        registry = open(Duration.ofMinutes(5));
        Proposer next = new Proposer(registry.require(ONE)).elected();
        assertThat(next.position).isGreaterThanOrEqualTo(flushed);
    }

    @Test
    void aTimelineThatCannotBeLoadedIsKeptAndBlocksItsIdButNothingElse() throws Exception {
        create(ONE);
        new Proposer(create(TWO)).elected();
        registry.close();
        disk.flipByte(TimelineDirectories.of(ONE).resolve("safekeeper.control"), 100);
        registry = open(Duration.ofMinutes(5));

        Timeline broken = registry.require(ONE);
        assertThat(broken.view().isLoaded()).isFalse();
        assertThat(broken.view().failure()).contains("could not be loaded");
        assertThat(create(ONE)).isSameAs(broken);
        assertThat(new Proposer(broken).link.next(String.class)).startsWith("fail: ");
        assertThatThrownBy(broken::checkpoint).isInstanceOf(TimelineException.class);
        new Proposer(registry.require(TWO)).elected();
        assertThat(disk.exists(TimelineDirectories.of(ONE))).isTrue();

        assertThat(registry.delete(ONE)).isTrue();
        assertThat(disk.exists(TimelineDirectories.of(ONE))).isFalse();
    }

    @Test
    void aDirectoryUnderAnotherTimelinesNameIsNotServed() throws Exception {
        create(ONE);
        create(TWO);
        registry.close();
        Path moved = TimelineDirectories.of(ttid(3));
        disk.createDirectory(Path.of(ttid(3).tenantId().toString()));
        disk.rename(TimelineDirectories.of(ONE), moved);
        registry = open(Duration.ofMinutes(5));

        Timeline foreign = registry.require(ttid(3));
        assertThat(foreign.view().isLoaded()).isFalse();
        assertThat(foreign.view().failure()).contains("belongs to timeline " + ONE, "not to " + ttid(3));
        assertThat(new Proposer(foreign).link.next(String.class)).startsWith("fail: ");
        assertThat(registry.find(ONE)).isEmpty();
        new Proposer(registry.require(TWO)).elected();
    }

    @Test
    void whatWasBeingMadeOrRemovedIsCleanedAtStart() throws Exception {
        create(ONE);
        registry.close();
        Path tenant = Path.of(ONE.tenantId().toString());
        Path unfinished = tenant.resolve(TWO.timelineId() + ".tmp");
        disk.createDirectory(unfinished);
        disk.open(unfinished.resolve("safekeeper.control"), Disk.Mode.CREATE_NEW)
                .close();
        Path removed = Path.of("tmp", "x");
        disk.createDirectory(removed);
        disk.open(removed.resolve("000000010000000000000001"), Disk.Mode.CREATE_NEW)
                .close();
        Path stranger = tenant.resolve("notes");
        disk.createDirectory(stranger);

        registry = open(Duration.ofMinutes(5));
        assertThat(registry.count()).isEqualTo(1);
        assertThat(disk.exists(unfinished)).isFalse();
        assertThat(disk.exists(removed)).isFalse();
        assertThat(disk.exists(stranger)).isTrue();
    }

    @Test
    void lsnsAreSavedAfterTheIntervalAndAtTheEnd() throws Exception {
        registry.close();
        registry = open(Duration.ofMillis(20));
        Timeline timeline = create(ONE);
        Proposer proposer = new Proposer(timeline).elected();
        proposer.append(1000);
        proposer.flushed();
        proposer.commitAll();
        proposer.flushed();
        await().atMost(10, TimeUnit.SECONDS)
                .untilAsserted(
                        () -> assertThat(timeline.currentSnapshot().state().commitLsn())
                                .isEqualTo(proposer.position));

        registry.close();
        registry = open(Duration.ofMinutes(5));
        Timeline again = registry.require(ONE);
        Proposer next = new Proposer(again).elected();
        next.append(1000);
        next.flushed();
        next.commitAll();
        next.flushed();
        registry.close();
        registry = open(Duration.ofMinutes(5));
        TimelineSnapshot snapshot = registry.require(ONE).view().snapshot();
        assertThat(snapshot).isNotNull();
        assertThat(snapshot.state().commitLsn()).isEqualTo(next.position);
    }

    @Test
    void creationAndDeletionOfManyAtOnceLeaveEachWholeOrAbsent() throws Exception {
        Thread[] workers = new Thread[4];
        for (int w = 0; w < workers.length; w++) {
            workers[w] = Thread.ofPlatform().start(() -> {
                for (int i = 0; i < 25; i++) {
                    try {
                        create(ttid(100 + i));
                    } catch (TimelineException e) {
                        assertThat(e.kind()).isEqualTo(TimelineException.Kind.NOT_NOW);
                    }
                }
            });
        }
        for (Thread worker : workers) {
            worker.join();
        }
        assertThat(registry.count()).isEqualTo(25);
        registry.close();
        registry = open(Duration.ofMinutes(5));
        assertThat(registry.all())
                .allMatch(timeline -> timeline.view().isLoaded())
                .hasSize(25);
    }

    @Test
    void aStoppedTimelineLetsItsProposersGoWithoutAWord() throws Exception {
        Proposer proposer = new Proposer(create(ONE)).elected();
        registry.delete(ONE);
        assertThat(proposer.link.next(String.class)).isEqualTo("closed");
        assertThatThrownBy(() -> registry.require(ONE))
                .isInstanceOfSatisfying(
                        TimelineException.class, e -> assertThat(e.kind()).isEqualTo(TimelineException.Kind.DELETED));
    }
}
