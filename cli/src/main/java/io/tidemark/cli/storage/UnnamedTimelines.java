package io.tidemark.cli.storage;

import io.tidemark.cli.cluster.ClusterConfig.SafekeeperPlace;
import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.cluster.ClusterLayout;
import io.tidemark.cli.cluster.ProcessMark;
import io.tidemark.cli.cluster.SafekeeperProbe;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The timelines that may be on the servers although no branch has them: those that are being made, and those that are being removed. Each is a
 * file, named as the timeline, that says which process works on it. Where that has died half way, whoever comes next deletes the timeline.
 *
 * <p>Always: a timeline is written down here before the pageserver hears of it, or before the catalogue forgets it, and is crossed out when the
 * catalogue has it, or when the pageserver and all safekeepers have forgotten it.
 */
final class UnnamedTimelines {
    private static final Logger log = LoggerFactory.getLogger(UnnamedTimelines.class);

    /** A pageserver that is told to make a timeline goes on when nobody waits for it any more, and knows of it only in the end. */
    private static final Duration LONGEST_MAKING = Duration.ofHours(1);

    /** Of a timeline that nobody works on; whether the pageserver still makes it is not known. */
    private static final String NOBODY = "";

    /** Of one that the pageserver has not, and will not have: safekeepers are left. */
    private static final String ONLY_WAL = "only-wal";

    private final StorageDirectory directory;
    private final Path dir;

    UnnamedTimelines(StorageDirectory directory) {
        this.directory = directory;
        this.dir = directory.layout().unnamedDir();
    }

    /** This process is about to make it, or to take its name away. */
    void begin(TimelineId id) throws IOException {
        Files.createDirectories(dir);
        write(id, ProcessMark.of(ProcessHandle.current()).toString());
    }

    private void write(TimelineId id, String owner) throws IOException {
        Path unfinished = dir.resolve(id + ".new");
        Files.writeString(unfinished, owner + "\n");
        Files.move(unfinished, file(id), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private Path file(TimelineId id) {
        return dir.resolve(id.toString());
    }

    /** The catalogue has it. */
    void named(TimelineId id) throws IOException {
        Files.deleteIfExists(file(id));
    }

    /**
     * For a timeline that was begun and came to nothing: deletes it now if that is possible, else somebody else does.
     *
     * @param answered whether the pageserver has said what became of it, or was never asked: then it does not go on making it
     */
    void giveUp(TimelineId id, boolean answered) {
        try {
            discard(id, answered);
        } catch (IOException e) {
            log.warn("timeline {} is deleted later: {}", id, e.getMessage());
            disown(id);
        }
    }

    private void disown(TimelineId id) {
        try {
            write(id, NOBODY);
        } catch (IOException e) {
            log.warn("timeline {} is deleted when this process has ended: {}", id, e.toString());
        }
    }

    /** Deletes a timeline that was begun, unless a branch has it. What is left of it is up to {@link #sweep}. */
    void discard(TimelineId id, boolean answered) throws IOException {
        if (directory.branches().nameOf(id).isPresent()) {
            named(id);
            return;
        }
        boolean known = directory.pageserver().delete(id);
        if (known || answered) {
            forgetWal(id);
        } else {
            askSafekeepers(id);
            write(id, NOBODY);
        }
    }

    /**
     * Deletes the WAL of a timeline that the pageserver has forgotten.
     *
     * @return safekeepers that did not answer: they are asked again by {@link #sweep}
     */
    List<String> forgetWal(TimelineId id) throws IOException {
        List<String> silent = askSafekeepers(id);
        if (silent.isEmpty()) {
            named(id);
        } else {
            write(id, ONLY_WAL);
        }
        return silent;
    }

    private boolean isOld(TimelineId id) throws IOException {
        try {
            Instant changed = Files.getLastModifiedTime(file(id)).toInstant();
            return changed.plus(LONGEST_MAKING).isBefore(Instant.now());
        } catch (NoSuchFileException crossedOut) {
            return true;
        }
    }

    private List<String> askSafekeepers(TimelineId timeline) {
        List<String> silent = new ArrayList<>();
        for (SafekeeperPlace place : directory.config().safekeepers()) {
            try {
                new SafekeeperProbe(place.httpAddress())
                        .delete(new TenantTimelineId(directory.config().tenantId(), timeline));
            } catch (IOException e) {
                silent.add(ClusterLayout.safekeeperName(place.id()));
            }
        }
        return silent;
    }

    /** Deletes what processes have left that live no more. What cannot be deleted now is left for the next time. */
    void sweep() throws IOException {
        if (!Files.isDirectory(dir)) {
            return;
        }
        List<TimelineId> left = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(dir, "[0-9a-f]*[0-9a-f]")) {
            for (Path file : files) {
                TimelineId id = TimelineId.parse(file.getFileName().toString());
                if (!isOwned(id)) {
                    left.add(id);
                }
            }
        }
        for (TimelineId id : left) {
            if (directory.branches().nameOf(id).isPresent()) {
                named(id);
                continue;
            }
            try {
                List<String> silent = sweep(id);
                log.info("timeline {} of no branch is deleted; to be asked again: {}", id, silent);
            } catch (NoSuchFileException e) {
                log.debug("timeline {} of no branch is deleted by another command", id);
            } catch (ClusterException e) {
                log.warn("timeline {} of no branch is not deleted yet: {}", id, e.getMessage());
            }
        }
    }

    // While the pageserver may still make it, the file keeps its time: it says since when nobody waits for that.
    private List<String> sweep(TimelineId id) throws IOException {
        if (read(id).equals(ONLY_WAL)) {
            return forgetWal(id);
        }
        boolean known = directory.pageserver().delete(id);
        return known || isOld(id) ? forgetWal(id) : askSafekeepers(id);
    }

    private boolean isOwned(TimelineId id) throws IOException {
        try {
            return ProcessMark.parse(read(id)).flatMap(ProcessMark::process).isPresent();
        } catch (NoSuchFileException crossedOut) {
            return true;
        }
    }

    private String read(TimelineId id) throws IOException {
        return Files.readString(file(id)).strip();
    }
}
