package io.tidemark.pageserver;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Who may come in at a pageserver, and as whom it comes to others.
 *
 * @param publicKey the public key of those who make tokens, or a directory of them; empty: nobody is asked for a token
 * @param safekeeperToken what it shows to safekeepers, scope safekeeperdata; empty: nothing; never printed
 */
public record PageserverAuth(Optional<Path> publicKey, Optional<String> safekeeperToken) {
    /** Everybody may come in, and it shows no token. */
    public static final PageserverAuth OFF = new PageserverAuth(Optional.empty(), Optional.empty());

    @Override
    public String toString() {
        return "PageserverAuth[" + publicKey + (safekeeperToken.isPresent() ? ", with a token]" : "]");
    }
}
