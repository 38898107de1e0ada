package io.tidemark.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A file whose first line is a token or a password: kept out of the command line, where every user of the machine could read it. */
public final class TokenFile {
    private TokenFile() {}

    /** The token; empty when no file is given. Throws an {@link IOException} that names the file when it has none. */
    public static Optional<String> read(@Nullable Path file) throws IOException {
        if (file == null) {
            return Optional.empty();
        }
        try (var lines = Files.lines(file)) {
            return Optional.of(lines.findFirst()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty())
                    .orElseThrow(() -> new IOException("the first line of " + file + " is empty, a token is needed")));
        } catch (NoSuchFileException e) {
            throw new IOException("there is no file " + file + " with a token", e);
        }
    }
}
