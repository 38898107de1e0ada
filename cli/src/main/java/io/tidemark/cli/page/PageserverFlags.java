package io.tidemark.cli.page;

import io.tidemark.cli.TokenFile;
import io.tidemark.runtime.net.HostPort;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where a pageserver's HTTP API is, and what to show there. */
@SuppressWarnings("NullAway.Init") // picocli sets the fields
final class PageserverFlags {
    @Option(
            names = "--pageserver-http",
            paramLabel = "HOST:PORT",
            defaultValue = "127.0.0.1:9898",
            description = "The pageserver's HTTP port (default: ${DEFAULT-VALUE}).")
    private String pageserverHttp;

    @Option(
            names = "--auth-token-file",
            paramLabel = "FILE",
            description = "The first line is the token to show to a pageserver that asks for one.")
    private @Nullable Path authTokenFile;

    PageserverHttp connect() throws IOException {
        return new PageserverHttp(
                HostPort.parse(pageserverHttp), TokenFile.read(authTokenFile).orElse(null));
    }
}
