package io.tidemark.runtime.auth;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.util.Base64URL;
import com.nimbusds.jwt.JWTClaimsSet;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Makes tokens with a private key ({@code openssl genpkey -algorithm ed25519}). Servers never have one. */
public final class TokenSigner {
    private static final Pattern PEM = Pattern.compile("-----BEGIN PRIVATE KEY-----([^-]*)-----END PRIVATE KEY-----");

    private final PrivateKey key;

    public TokenSigner(PrivateKey key) {
        this.key = key;
    }

    /** Reads a PEM file; throws an {@link IOException} that names it when it holds no private key of Ed25519. */
    public static TokenSigner load(Path pemFile) throws IOException {
        Matcher block = PEM.matcher(Files.readString(pemFile, StandardCharsets.ISO_8859_1));
        if (!block.find()) {
            throw new IOException(pemFile + " holds no private key in PEM form (BEGIN PRIVATE KEY)");
        }
        try {
            byte[] der = Base64.getMimeDecoder().decode(block.group(1).strip());
            return new TokenSigner(KeyFactory.getInstance("Ed25519").generatePrivate(new PKCS8EncodedKeySpec(der)));
        } catch (IllegalArgumentException | GeneralSecurityException e) {
            throw new IOException(pemFile + " holds a private key that is not one of Ed25519", e);
        }
    }

    /** A token; without {@code expires} it is good until its key is retired. */
    public String sign(Claims claims, Optional<Instant> expires) {
        JWTClaimsSet.Builder set =
                new JWTClaimsSet.Builder().claim("scope", claims.scope().label());
        claims.tenantId().ifPresent(id -> set.claim("tenant_id", id));
        expires.ifPresent(instant -> set.expirationTime(Date.from(instant)));
        JWSHeader header = new JWSHeader.Builder(JWSAlgorithm.EdDSA)
                .type(JOSEObjectType.JWT)
                .build();
        String signed =
                header.toBase64URL() + "." + Base64URL.encode(set.build().toString());
        return signed + "." + Base64URL.encode(signature(signed));
    }

    private byte[] signature(String signed) {
        try {
            Signature signature = Signature.getInstance("Ed25519");
            signature.initSign(key);
            signature.update(signed.getBytes(StandardCharsets.US_ASCII));
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has Ed25519, and the key was read as one of it", e);
        }
    }
}
