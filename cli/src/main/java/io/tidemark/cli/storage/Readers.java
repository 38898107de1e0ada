package io.tidemark.cli.storage;

import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.cli.storage.PageserverClient.TimelineInfo;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.TimelineId;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/** The computes that only read, by branch and name: each is a file {@code reader.json} in the directory that is the compute's anyway. */
public final class Readers {
    /** The name of a branch's first replica. */
    public static final String REPLICA = "replica";

    private static final String FILE = "reader.json";
    private static final JsonMapper MAPPER = JsonMapper.shared();

    private final StorageDirectory directory;

    public Readers(StorageDirectory directory) {
        this.directory = directory;
    }

    /** All of them, by id. */
    public List<Reader> all() throws IOException {
        Path computes = directory.layout().computesDir();
        List<Reader> all = new ArrayList<>();
        if (Files.isDirectory(computes)) {
            try (DirectoryStream<Path> directories = Files.newDirectoryStream(computes, "*" + Reader.SEPARATOR + "*")) {
                for (Path each : directories) {
                    read(each).ifPresent(all::add);
                }
            }
        }
        all.sort(Comparator.comparing(Reader::id));
        return all;
    }

    public List<Reader> of(String branch) throws IOException {
        return all().stream().filter(reader -> reader.branch().equals(branch)).toList();
    }

    public Optional<Reader> find(String branch, String name) throws IOException {
        return read(directory.layout().computeDir(Reader.id(branch, name)));
    }

    /** The one of this name; throws a {@link ClusterException} that lists those there are. */
    public Reader require(String branch, String name) throws IOException {
        Optional<Reader> found = find(branch, name);
        if (found.isEmpty()) {
            throw new ClusterException("branch " + branch + " has no compute '" + name + "' that reads; there are "
                    + of(branch).stream().map(Reader::name).toList());
        }
        return found.get();
    }

    private static Optional<Reader> read(Path computeDir) throws IOException {
        Path file = computeDir.resolve(FILE);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(MAPPER.readValue(Files.readString(file), Reader.class));
        } catch (JacksonException e) {
            throw new ClusterException(file + " is damaged: " + e.getOriginalMessage() + "; remove " + computeDir, e);
        }
    }

    /**
     * Says what a compute is to show; nothing is started.
     *
     * @param name null: after the LSN
     * @throws ClusterException when the branch has no such past
     */
    public Reader define(Branch branch, @Nullable String name, BranchTime at) throws IOException {
        Branches.Place place = new Branches(directory).place(branch, at);
        Lsn lsn = place.lsn();
        if (place.timeline().equals(branch.timelineId())) {
            requireReadable(branch, lsn);
        }
        String chosen = name == null ? Reader.nameAt(lsn) : name;
        int port = find(branch.name(), chosen).map(Reader::port).orElse(0);
        return new Reader(branch.name(), chosen, place.timeline().toString(), branch.pgMajor(), lsn.toString(), port);
    }

    /**
     * Says that a replica is wanted; nothing is started.
     *
     * @param name null: {@code replica}, or the first of {@code replica-2} ... that does not run
     */
    public Reader defineReplica(Branch branch, @Nullable String name) throws IOException {
        Computes computes = new Computes(directory);
        String chosen = name == null ? REPLICA : name;
        for (int i = 2; name == null && computes.isRunning(Reader.id(branch.name(), chosen)); i++) {
            chosen = REPLICA + "-" + i;
        }
        int port = find(branch.name(), chosen).map(Reader::port).orElse(0);
        return new Reader(branch.name(), chosen, branch.timeline(), branch.pgMajor(), "", port);
    }

    private void requireReadable(Branch branch, Lsn lsn) throws IOException {
        Branches branches = new Branches(directory);
        TimelineInfo info = branches.require(branch);
        TimelineId ancestor = info.ancestor();
        if (ancestor != null && lsn.isBefore(info.ancestorLsn())) {
            String parent = directory.branches().nameOf(ancestor).orElse(ancestor.toString());
            throw new ClusterException("branch " + branch.name() + " begins at " + info.ancestorLsn() + "; what was at "
                    + lsn + " is in its parent: --branch " + parent);
        }
        Lsn head = branches.head(branch);
        if (lsn.isAfter(head)) {
            throw new ClusterException(
                    "branch " + branch.name() + " ends at " + head + "; nothing is at " + lsn + " yet");
        }
        if (lsn.isBefore(info.minReadableLsn())) {
            throw new ClusterException("branch " + branch.name() + " can be read from " + info.minReadableLsn()
                    + " on; what was at " + lsn + " is not kept any more");
        }
    }

    void save(Reader reader) throws IOException {
        Path computeDir = directory.layout().computeDir(reader.id());
        Files.createDirectories(computeDir);
        Path unfinished = computeDir.resolve(FILE + ".new");
        Files.writeString(unfinished, MAPPER.writeValueAsString(reader) + "\n");
        Files.move(
                unfinished,
                computeDir.resolve(FILE),
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
    }

    /** Forgets one that does not run, with its data directory. */
    public void remove(Reader reader) throws IOException {
        Branches.deleteTree(directory.layout().computeDir(reader.id()));
    }
}
