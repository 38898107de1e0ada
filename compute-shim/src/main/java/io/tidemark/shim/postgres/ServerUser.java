package io.tidemark.shim.postgres;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The operating system's user that runs PostgreSQL: ourselves, or, when we are root, {@code postgres} or else {@code nobody}.
 *
 * @param dropTo the user to become; empty when PostgreSQL runs as we do
 */
public record ServerUser(Optional<String> dropTo) {
    private static final List<String> CANDIDATES = List.of("postgres", "nobody");
    private static final Set<PosixFilePermission> WORLD_TRAVERSABLE = PosixFilePermissions.fromString("rwxr-xr-x");
    private static final Duration ID_DEADLINE = Duration.ofSeconds(10);

    /**
     * The user for this process.
     *
     * @throws PostgresException when we are root and there is nobody to drop to
     */
    public static ServerUser current() throws IOException {
        if (!isRoot()) {
            return new ServerUser(Optional.empty());
        }
        for (String name : CANDIDATES) {
            if (exists(name)) {
                return new ServerUser(Optional.of(name));
            }
        }
        throw new PostgresException("PostgreSQL does not run as root and there is no user among " + CANDIDATES
                + " to run it; start tidemark as an ordinary user");
    }

    private static boolean exists(String name) throws IOException {
        try {
            FileSystems.getDefault().getUserPrincipalLookupService().lookupPrincipalByName(name);
            return true;
        } catch (UserPrincipalNotFoundException absent) {
            return false;
        }
    }

    static boolean isRoot() {
        // The name may be anything; PostgreSQL refuses the number.
        try {
            return Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
        } catch (IOException | UnsupportedOperationException e) {
            return "root".equals(System.getProperty("user.name"));
        }
    }

    /** The command that runs {@code command} as this user; it replaces itself, so the process id stays. */
    List<String> command(List<String> command) throws IOException, InterruptedException {
        if (dropTo.isEmpty()) {
            return command;
        }
        Path setpriv = Programs.find("setpriv")
                .orElseThrow(() -> new PostgresException("running PostgreSQL from root needs setpriv (util-linux)"));
        List<String> whole = new ArrayList<>(List.of(
                setpriv.toString(), "--reuid=" + id("-u"), "--regid=" + id("-g"), "--clear-groups", "--inh-caps=-all"));
        whole.addAll(command);
        return whole;
    }

    private String id(String flag) throws IOException, InterruptedException {
        return Programs.run(List.of("id", flag, dropTo.orElseThrow()), ID_DEADLINE);
    }

    /** Gives a file or a whole directory to this user; nothing to do when PostgreSQL runs as we do. */
    public void own(Path tree) throws IOException {
        if (dropTo.isEmpty()) {
            return;
        }
        UserPrincipal owner =
                FileSystems.getDefault().getUserPrincipalLookupService().lookupPrincipalByName(dropTo.get());
        try (Stream<Path> paths = Files.walk(tree)) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                Files.getFileAttributeView(path, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                        .setOwner(owner);
            }
        }
    }

    /**
     * A new directory below the temporary directory that this user can reach, unlike one that only we may enter. The caller
     * deletes it.
     */
    public Path scratchDirectory(String prefix) throws IOException {
        Path directory = Files.createTempDirectory(prefix);
        if (dropTo.isPresent()) {
            Files.setPosixFilePermissions(directory, WORLD_TRAVERSABLE);
        }
        return directory;
    }

    /**
     * Refuses a directory below one that this user may not enter, since initdb's own message for it does not say which.
     *
     * @throws PostgresException naming the directory in the way
     */
    void requireReachable(Path directory) throws IOException {
        if (dropTo.isEmpty()) {
            return;
        }
        for (Path at = directory.toAbsolutePath().getParent(); at != null; at = at.getParent()) {
            if (Files.exists(at)
                    && !Files.getPosixFilePermissions(at).contains(PosixFilePermission.OTHERS_EXECUTE)
                    && !Files.getOwner(at).getName().equals(dropTo.get())) {
                throw new PostgresException("PostgreSQL runs as user " + dropTo.get() + " here, who may not enter " + at
                        + "; choose another directory or run as an ordinary user");
            }
        }
    }
}
