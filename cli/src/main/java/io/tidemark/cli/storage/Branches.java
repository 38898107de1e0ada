package io.tidemark.cli.storage;

import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.storage.PageserverClient.Moment;
import io.tidemark.cli.storage.PageserverClient.RestorePoint;
import io.tidemark.cli.storage.PageserverClient.TimelineInfo;
import io.tidemark.shim.postgres.InitDbOptions;
import io.tidemark.shim.postgres.PostgresServer;
import io.tidemark.shim.postgres.ServerUser;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** Makes, lists and removes branches: timelines on the pageserver, names in the catalogue. */
public final class Branches {
    private static final DateTimeFormatter SUFFIX =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss").withZone(ZoneOffset.UTC);

    private static final Duration INGEST_PATIENCE = Duration.ofSeconds(60);
    private static final Duration POLL = Duration.ofMillis(10);

    private final StorageDirectory directory;
    private final PageserverClient pageserver;
    private final Computes computes;
    private final UnnamedTimelines unnamed;

    public Branches(StorageDirectory directory) {
        this.directory = directory;
        this.pageserver = directory.pageserver();
        this.computes = new Computes(directory);
        this.unnamed = new UnnamedTimelines(directory);
    }

    /** Deletes the timelines that commands have left half made or half deleted when they were killed. */
    public void sweep() throws IOException {
        unnamed.sweep();
    }

    /** Makes branch {@code main} of a new, empty database, unless the cluster has branches already. */
    public void createMain() throws IOException, InterruptedException {
        if (directory.branches().all().isEmpty()) {
            createEmpty(StorageDirectory.MAIN, directory.config().pgMajor());
        }
    }

    /** Makes a branch of a new, empty database: what initdb makes is imported and thrown away. */
    public Branch createEmpty(String name, int pgMajor) throws IOException, InterruptedException {
        directory.branches().requireFree(name);
        Path scratch = directory.layout().root().resolve("initdb");
        deleteTree(scratch);
        try {
            PostgresServer.create(directory.binaries(pgMajor), ServerUser.current(), scratch, InitDbOptions.defaults());
            return importStopped(name, pgMajor, scratch);
        } finally {
            deleteTree(scratch);
        }
    }

    /** Makes a branch of the data directory of a server that was shut down; the directory is read only, and of no use after that. */
    public Branch importStopped(String name, int pgMajor, Path dataDir) throws IOException {
        directory.branches().requireFree(name);
        Branch branch = new Branch(name, StorageDirectory.newTimelineId().toString(), pgMajor, 0);
        make(
                branch.timelineId(),
                () -> pageserver.importDirectory(branch.timelineId(), dataDir),
                made -> directory.branches().add(branch));
        return branch;
    }

    private interface Making {
        TimelineInfo run() throws IOException;
    }

    private interface Naming {
        void name(TimelineInfo made) throws IOException;
    }

    // What is made and gets no name, because something fails or this process dies, is deleted again.
    private TimelineInfo make(TimelineId id, Making making, Naming naming) throws IOException {
        unnamed.sweep();
        unnamed.begin(id);
        boolean done = false;
        boolean answered = false;
        try {
            TimelineInfo made = making.run();
            answered = true;
            naming.name(made);
            done = true;
            unnamed.named(id);
            return made;
        } catch (ClusterException e) {
            // A refusal is an answer too, or nobody was there who could have made it.
            answered = true;
            throw e;
        } finally {
            if (!done) {
                unnamed.giveUp(id, answered);
            }
        }
    }

    static void deleteTree(Path root) throws IOException {
        if (!Files.exists(root)) {
            return;
        }
        List<Path> deepestFirst;
        try (Stream<Path> paths = Files.walk(root)) {
            deepestFirst = paths.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : deepestFirst) {
            Files.delete(path);
        }
    }

    /** What became of a request for a branch, with the LSN it was made at. */
    public record Created(Branch branch, String from, Lsn lsn) {}

    /** Makes a branch of another one, at some time of its history; copies nothing. */
    public Created create(String name, String from, BranchTime at) throws IOException {
        directory.branches().requireFree(name);
        Branch parent = directory.branches().require(from);
        TimelineId id = StorageDirectory.newTimelineId();
        Branch branch = new Branch(name, id.toString(), parent.pgMajor(), 0);
        Place place = place(parent, at);
        TimelineInfo made = make(
                id,
                () -> pageserver.branch(id, place.timeline(), place.lsn()),
                info -> directory.branches().add(branch));
        return new Created(branch, from, made.ancestorLsn());
    }

    /**
     * Where something can be read, or branched from.
     *
     * @param timeline a branch's own, or an ancestor's, when it is from before they parted
     */
    public record Place(TimelineId timeline, Lsn lsn) {}

    /** The place of a time in a branch's history. */
    public Place place(Branch branch, BranchTime at) throws IOException {
        return switch (at) {
            case BranchTime.Head head -> new Place(branch.timelineId(), head(branch));
            case BranchTime.AtLsn exact ->
                new Place(branch.timelineId(), Lsn.of(exact.lsn().value() & ~7L));
            case BranchTime.AtMoment when -> new Place(branch.timelineId(), atMoment(branch, when.moment()));
            case BranchTime.AtPoint point -> atPoint(branch, point.name());
        };
    }

    private Place atPoint(Branch branch, String name) throws IOException {
        List<RestorePoint> all = restorePoints(branch);
        return all.stream()
                .filter(point -> point.name().equals(name))
                .findFirst()
                .map(point -> new Place(point.timeline(), point.lsn()))
                .orElseThrow(() -> new ClusterException("the history of branch " + branch.name()
                        + " has no restore point '" + name + "' that can still be gone back to; it has "
                        + all.stream().map(RestorePoint::name).toList()));
    }

    /** The restore points of a branch: all that have been made by now, also those that its compute has not flushed yet. */
    public List<RestorePoint> restorePoints(Branch branch) throws IOException {
        Lsn flushed = computes.flush(branch).orElse(Lsn.INVALID);
        awaitIngested(branch, head(branch).max(flushed));
        return pageserver.restorePoints(branch.timelineId());
    }

    /** Waits until the pageserver has a branch's WAL up to an LSN. */
    public void awaitIngested(Branch branch, Lsn lsn) throws IOException {
        long deadline = System.nanoTime() + INGEST_PATIENCE.toNanos();
        while (true) {
            TimelineInfo info = require(branch);
            if (info.lastRecordLsn().isAtLeast(lsn)) {
                return;
            }
            if (System.nanoTime() > deadline) {
                throw new ClusterException("the pageserver has branch " + branch.name() + " up to "
                        + info.lastRecordLsn() + " after " + INGEST_PATIENCE.toSeconds() + " s, and not yet up to "
                        + lsn + "; its log says why, or try again");
            }
            LockSupport.parkNanos(POLL.toNanos());
        }
    }

    // A pageserver that is behind does not know of commits that came after the moment, and would take it for the
    // future.
    private Lsn atMoment(Branch branch, Instant moment) throws IOException {
        Lsn head = head(branch);
        awaitIngested(branch, head);
        Moment found = pageserver.lsnAt(branch.timelineId(), moment);
        return switch (found.kind()) {
            case "present" -> found.lsn();
            // Nothing has been committed since: the same as now.
            case "future" -> head;
            case "past" ->
                throw new ClusterException("the history of branch " + branch.name() + " does not reach back to "
                        + moment + "; the oldest that can be had is at LSN " + found.lsn());
            default ->
                throw new ClusterException("branch " + branch.name()
                        + " has no commit yet whose time is known: name an LSN, or leave --at away for the head");
        };
    }

    /** Everything that is committed by now: what the safekeepers know, or the pageserver when there was never any WAL. */
    Lsn head(Branch branch) throws IOException {
        return new CommittedWal(directory, branch).end(() -> require(branch).lastRecordLsn());
    }

    /** A branch's timeline; throws when the pageserver does not have it. */
    public TimelineInfo require(Branch branch) throws IOException {
        return pageserver
                .find(branch.timelineId())
                .orElseThrow(() -> new ClusterException("branch " + branch.name() + " is in the catalogue, but the"
                        + " pageserver does not have its timeline " + branch.timeline()));
    }

    /** Gives it another name; computes of it that only read are forgotten, as in all that follows. */
    public void rename(String name, String newName) throws IOException, InterruptedException {
        requireStopped(name);
        directory.branches().requireFree(newName);
        directory.branches().replace(name, branch -> branch.withName(newName));
        forgetReaders(name);
        deleteTree(directory.layout().computeDir(name));
    }

    // Also ends what computes have left that were killed: their directories go, or are of another branch from now on.
    private void requireStopped(String name) throws IOException, InterruptedException {
        Branch branch = directory.branches().require(name);
        FollowedSource.requireNone(directory.layout(), name);
        if (computes.isRunning(name)) {
            throw new ClusterException(
                    "the compute of branch " + name + " runs; tidemark compute stop --branch " + name + " first");
        }
        for (Reader reader : new Readers(directory).of(name)) {
            if (computes.isRunning(reader.id())) {
                throw new ClusterException("compute " + reader.id() + " runs; tidemark compute stop --branch " + name
                        + " --name " + reader.name() + " first");
            }
        }
        computes.killLeftOver(name, branch.pgMajor());
        for (Reader reader : new Readers(directory).of(name)) {
            computes.killLeftOver(reader.id(), reader.pgMajor());
        }
    }

    private void forgetReaders(String name) throws IOException {
        Readers readers = new Readers(directory);
        for (Reader reader : readers.of(name)) {
            readers.remove(reader);
        }
    }

    /**
     * Removes a branch with its history; throws when others have branched from it.
     *
     * @return safekeepers that did not answer and may keep its WAL
     */
    public List<String> delete(String name) throws IOException, InterruptedException {
        requireStopped(name);
        Branch branch = directory.branches().require(name);
        forgetReaders(name);
        TimelineId id = branch.timelineId();
        unnamed.begin(id);
        try {
            // The pageserver first: it refuses while there are children, and asks no safekeeper for this timeline after
            // that.
            pageserver.delete(id);
            directory.branches().remove(name);
        } catch (IOException e) {
            unnamed.named(id);
            throw e;
        }
        deleteTree(directory.layout().computeDir(name));
        return unnamed.forgetWal(id);
    }

    /**
     * Puts a branch back to a time of its history. What it was until now stays, as a branch of its own.
     *
     * @return the name under which the old head is kept
     */
    public String restore(String name, BranchTime at, Instant now) throws IOException, InterruptedException {
        requireStopped(name);
        Branch branch = directory.branches().require(name);
        String kept = name + "_before_" + SUFFIX.format(now);
        directory.branches().requireFree(kept);
        TimelineId id = StorageDirectory.newTimelineId();
        Place place = place(branch, at);
        make(id, () -> pageserver.branch(id, place.timeline(), place.lsn()), made -> swap(branch, kept, id));
        forgetReaders(name);
        return kept;
    }

    // One change of the catalogue, so that a crash leaves either all of it or nothing.
    private void swap(Branch branch, String kept, TimelineId id) throws IOException {
        directory
                .branches()
                .change(all -> all.stream()
                        .flatMap(other -> other.name().equals(branch.name())
                                ? Stream.of(
                                        other.withTimeline(id), new Branch(kept, other.timeline(), other.pgMajor(), 0))
                                : Stream.of(other))
                        .toList());
    }

    /** Makes a branch what its parent is now. What it was is deleted; throws when others have branched from it. */
    public Lsn reset(String name) throws IOException, InterruptedException {
        requireStopped(name);
        Branch branch = directory.branches().require(name);
        TimelineInfo info = require(branch);
        TimelineId ancestor = info.ancestor();
        if (ancestor == null) {
            throw new ClusterException("branch " + name + " has no parent to be reset to");
        }
        for (TimelineInfo other : pageserver.all()) {
            if (branch.timelineId().equals(other.ancestor())) {
                throw new ClusterException("branch "
                        + directory
                                .branches()
                                .nameOf(other.id())
                                .orElse(other.id().toString())
                        + " has been made from " + name + ": delete it first");
            }
        }
        Branch parent = new Branch("parent", ancestor.toString(), branch.pgMajor(), 0);
        TimelineId id = StorageDirectory.newTimelineId();
        Lsn head = head(parent);
        TimelineInfo made = make(id, () -> pageserver.branch(id, ancestor, head), branched -> {
            unnamed.begin(branch.timelineId());
            directory.branches().replace(name, old -> old.withTimeline(id));
        });
        forgetReaders(name);
        unnamed.discard(branch.timelineId(), true);
        return made.ancestorLsn();
    }
}
