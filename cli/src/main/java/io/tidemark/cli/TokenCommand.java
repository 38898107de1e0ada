package io.tidemark.cli;

import io.tidemark.runtime.auth.Claims;
import io.tidemark.runtime.auth.Scope;
import io.tidemark.runtime.auth.TokenSigner;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tidemark token}: makes a token for servers that run with --auth-public-key. */
@Command(
        name = "token",
        mixinStandardHelpOptions = true,
        description = "Make a token (JWT, EdDSA) for servers that were started with --auth-public-key.",
        footer = {
            "",
            "A key pair: openssl genpkey -algorithm ed25519 -out key.pem; openssl pkey -in key.pem -pubout -out key.pub.pem",
            "Scopes: tenant (a compute, with --tenant-id), safekeeperdata (everything on safekeepers), pageserverapi",
            "(everything on pageservers).",
            "Exit codes: 0 the token is on standard output, 1 the key can't be read, 2 wrong command line."
        })
@SuppressWarnings("NullAway.Init") // picocli sets the fields
final class TokenCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--private-key",
            paramLabel = "FILE",
            required = true,
            description = "A private key of Ed25519, PEM. No server needs it: keep it where tokens are made.")
    private Path privateKey;

    @Option(names = "--scope", paramLabel = "SCOPE", required = true, description = "What the token is for.")
    private String scope;

    @Option(names = "--tenant-id", paramLabel = "HEX", description = "32 hex digits; needed with scope tenant.")
    private @Nullable String tenantId;

    @Option(
            names = "--expires-in",
            paramLabel = "SECONDS",
            description = "How long it is good (default: as long as its key).")
    private @Nullable Long expiresInSeconds;

    @Override
    public Integer call() {
        Terminal terminal = Terminal.of(spec);
        Claims claims = claims();
        Optional<Instant> expires = Optional.ofNullable(expiresInSeconds)
                .map(seconds -> Instant.now().plus(Duration.ofSeconds(seconds)));
        try {
            terminal.out().println(TokenSigner.load(privateKey).sign(claims, expires));
            return 0;
        } catch (IOException e) {
            return terminal.fail("token", e);
        }
    }

    private Claims claims() {
        Scope wanted = Scope.find(scope)
                .orElseThrow(() -> new ParameterException(
                        spec.commandLine(),
                        "--scope is one of "
                                + Arrays.stream(Scope.values())
                                        .map(Scope::label)
                                        .collect(Collectors.joining(", "))));
        try {
            return new Claims(wanted, Optional.ofNullable(tenantId).map(id -> id.toLowerCase(Locale.ROOT)));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--tenant-id: " + e.getMessage(), e);
        }
    }
}
