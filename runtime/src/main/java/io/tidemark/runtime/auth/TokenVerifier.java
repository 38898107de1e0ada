package io.tidemark.runtime.auth;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jwt.JWT;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.JWTParser;
import com.nimbusds.jwt.SignedJWT;
import io.tidemark.runtime.auth.AuthException.Reason;
import io.tidemark.runtime.time.TimeSource;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Checks tokens: compact JWS, {@code alg: EdDSA}, signed by any of some Ed25519 keys.
 *
 * <p>The JOSE library takes the token apart; the signature is the JDK's business, which spares the library's second crypto provider.
 * {@code exp} and {@code nbf} need not be there, and count when they are. A token with an audience is refused: a server here has no
 * name that it could be compared with (RFC 7519, 4.1.3).
 */
final class TokenVerifier {
    /** How far the clocks of two machines may be apart. */
    static final Duration LEEWAY = Duration.ofSeconds(60);

    /** Longer ones are not looked at. */
    static final int MAX_TOKEN_CHARS = 16 * 1024;

    private final List<PublicKey> keys;
    private final TimeSource time;

    TokenVerifier(List<PublicKey> keys, TimeSource time) {
        this.keys = List.copyOf(keys);
        this.time = time;
    }

    int keyCount() {
        return keys.size();
    }

    /** What the token says, when it may be believed. */
    Claims verify(String token) throws AuthException {
        if (token.isBlank()) {
            throw new AuthException(Reason.TOKEN_MISSING, "a token is needed");
        }
        SignedJWT jwt = parse(token);
        JWSHeader header = jwt.getHeader();
        if (!JWSAlgorithm.EdDSA.equals(header.getAlgorithm())) {
            throw new AuthException(
                    Reason.TOKEN_ALGORITHM,
                    "it is signed with " + header.getAlgorithm() + ", and has to be with EdDSA");
        }
        if (header.getCriticalParams() != null && !header.getCriticalParams().isEmpty()) {
            throw malformed("it has critical header parameters (crit), and none are known here");
        }
        if (!isSigned(jwt)) {
            throw new AuthException(Reason.TOKEN_SIGNATURE, "no public key of this server verifies the signature");
        }
        return claims(jwt);
    }

    private static SignedJWT parse(String token) throws AuthException {
        if (token.length() > MAX_TOKEN_CHARS) {
            throw malformed("it is longer than " + MAX_TOKEN_CHARS + " characters");
        }
        JWT jwt;
        try {
            jwt = JWTParser.parse(token);
        } catch (ParseException | IllegalArgumentException e) {
            throw malformed("the token is no JWT");
        }
        if (jwt instanceof SignedJWT signed) {
            return signed;
        }
        throw new AuthException(
                Reason.TOKEN_ALGORITHM,
                "the token is not signed (alg " + jwt.getHeader().getAlgorithm() + "), and has to be, with EdDSA");
    }

    private boolean isSigned(SignedJWT jwt) {
        byte[] signed = jwt.getSigningInput();
        byte[] signature = jwt.getSignature().decode();
        return keys.stream().anyMatch(key -> verifies(key, signed, signature));
    }

    private static boolean verifies(PublicKey key, byte[] signed, byte[] signature) {
        Signature verification;
        try {
            verification = Signature.getInstance("Ed25519");
            verification.initVerify(key);
            verification.update(signed);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has Ed25519, and the key was read as one of it", e);
        }
        try {
            return verification.verify(signature);
        } catch (SignatureException notASignature) {
            return false;
        }
    }

    private Claims claims(SignedJWT jwt) throws AuthException {
        JWTClaimsSet set;
        String scopeText;
        String tenantId;
        try {
            set = jwt.getJWTClaimsSet();
            scopeText = set.getStringClaim("scope");
            tenantId = set.getStringClaim("tenant_id");
        } catch (ParseException e) {
            throw malformed("its claims are malformed");
        }
        checkTime(set);
        if (!set.getAudience().isEmpty()) {
            throw new AuthException(Reason.TOKEN_AUDIENCE, "it is for an audience (aud), and this server has no name");
        }
        if (scopeText == null) {
            throw malformed("it has no scope");
        }
        Scope scope = Scope.find(scopeText).orElseThrow(() -> malformed("its scope is not one that is known here"));
        try {
            return new Claims(scope, Optional.ofNullable(tenantId).map(id -> id.toLowerCase(Locale.ROOT)));
        } catch (IllegalArgumentException e) {
            throw malformed(String.valueOf(e.getMessage()));
        }
    }

    private void checkTime(JWTClaimsSet set) throws AuthException {
        Instant now = time.now();
        Instant expires = instant(set.getExpirationTime());
        if (expires != null && !now.isBefore(expires.plus(LEEWAY))) {
            throw new AuthException(Reason.TOKEN_EXPIRED, "it expired at " + expires + "; a new token is needed");
        }
        Instant begins = instant(set.getNotBeforeTime());
        if (begins != null && now.isBefore(begins.minus(LEEWAY))) {
            throw new AuthException(Reason.TOKEN_EXPIRED, "it is not valid before " + begins);
        }
    }

    private static @Nullable Instant instant(@Nullable Date date) {
        return date == null ? null : date.toInstant();
    }

    private static AuthException malformed(String text) {
        return new AuthException(Reason.TOKEN_MALFORMED, text);
    }
}
