package io.tidemark.it.auth;

import io.tidemark.runtime.auth.Claims;
import io.tidemark.runtime.auth.Scope;
import io.tidemark.runtime.auth.TokenSigner;
import io.tidemark.wire.id.TenantId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.time.Instant;
import java.util.Base64;
import java.util.Optional;

/** A key pair of this test, and tokens that it signs. */
final class TestTokens {
    private final KeyPair keys;
    private final TokenSigner signer;

    TestTokens() throws Exception {
        keys = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        signer = new TokenSigner(keys.getPrivate());
    }

    /** Writes the public key, for a server. */
    Path writePublicKey(Path file) throws IOException {
        return write(file, "PUBLIC", keys.getPublic().getEncoded());
    }

    /** Writes the private key, for {@code tidemark token}. */
    Path writePrivateKey(Path file) throws IOException {
        return write(file, "PRIVATE", keys.getPrivate().getEncoded());
    }

    private static Path write(Path file, String kind, byte[] der) throws IOException {
        return Files.writeString(
                file,
                "-----BEGIN " + kind + " KEY-----\n" + Base64.getEncoder().encodeToString(der) + "\n-----END " + kind
                        + " KEY-----\n");
    }

    String of(Scope scope) {
        return signer.sign(new Claims(scope, Optional.empty()), Optional.empty());
    }

    String ofTenant(TenantId tenant) {
        return signer.sign(new Claims(Scope.TENANT, Optional.of(tenant.toString())), Optional.empty());
    }

    String expired(Scope scope) {
        return signer.sign(
                new Claims(scope, Optional.empty()), Optional.of(Instant.now().minusSeconds(120)));
    }
}
