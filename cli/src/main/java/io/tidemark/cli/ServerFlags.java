package io.tidemark.cli;

import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The flags that all servers share. */
@SuppressWarnings("NullAway.Init") // picocli sets the fields
final class ServerFlags {
    @Option(
            names = "--auth-public-key",
            paramLabel = "FILE-OR-DIR",
            description = "Ask everybody for a token (JWT, EdDSA) that a public key in this PEM file, or in one of this"
                    + " directory, verifies (default: ask nobody).")
    private @Nullable Path authPublicKey;

    @Option(
            names = "--log-format",
            paramLabel = "plain|json",
            defaultValue = "plain",
            description = "How log lines look on standard error (default: ${DEFAULT-VALUE}).")
    private LogFormat logFormat;

    Optional<Path> authPublicKey() {
        return Optional.ofNullable(authPublicKey);
    }

    LogFormat logFormat() {
        return logFormat;
    }
}
