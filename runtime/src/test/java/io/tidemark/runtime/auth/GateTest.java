package io.tidemark.runtime.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.runtime.auth.AuthException.Reason;
import io.tidemark.runtime.time.FakeTimeSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GateTest {
    private static final String EDDSA = "{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}";
    private static final String EVERYTHING = "{\"scope\":\"safekeeperdata\"}";
    private static final String TENANT = "0123456789abcdef0123456789abcdef";
    private static final String OTHER_TENANT = "f123456789abcdef0123456789abcdef";

    @TempDir
    private Path directory;

    private final KeyPair keys = keyPair();
    private final FakeTimeSource time = new FakeTimeSource();
    private final List<String> refused = new ArrayList<>();
    private Gate gate = Gate.open();

    @BeforeEach
    void close() throws Exception {
        writePublic("a.pem", keys);
        gate = Gate.of(directory, Scope.SAFEKEEPERDATA, time, refused::add);
    }

    @Test
    void anOpenGateAsksForNothing() throws Exception {
        Gate open = Gate.open();
        assertThat(open.isOpen()).isTrue();
        Login login = open.login();
        assertThat(login.isNeeded()).isFalse();
        login.caller().requireEverything();
        open.admit("whatever").requireTenant(TENANT);
    }

    @Test
    void theScopeOfTheServerOpensEverything() throws Exception {
        Caller caller = gate.admit(token(EDDSA, EVERYTHING));
        caller.requireEverything();
        caller.requireTenant(TENANT);
        assertThat(refused).isEmpty();
    }

    @Test
    void aTenantsTokenOpensThatTenantOnly() throws Exception {
        Caller caller = gate.admit(
                token(EDDSA, "{\"scope\":\"tenant\",\"tenant_id\":\"" + TENANT.toUpperCase(Locale.ROOT) + "\"}"));
        caller.requireTenant(TENANT);
        assertDenied(() -> caller.requireTenant(OTHER_TENANT), "another tenant");
        assertDenied(caller::requireEverything, "needed is scope safekeeperdata");
        assertThat(refused).containsExactly("PERMISSION_DENIED", "PERMISSION_DENIED");
    }

    @Test
    void scopesOfOtherServersOpenNothing() throws Exception {
        for (Scope scope : Scope.values()) {
            if (scope == Scope.TENANT || scope == Scope.SAFEKEEPERDATA) {
                continue;
            }
            Caller caller = gate.admit(token(
                    EDDSA,
                    "{\"scope\":\"" + scope.label() + "\",\"tenant_id\":\"" + TENANT + "\",\"endpoint_id\":\"\"}"));
            assertDenied(caller::requireEverything, scope.label());
            assertDenied(() -> caller.requireTenant(TENANT), scope.label());
        }
    }

    @Test
    void aSignatureOfAnotherKeyIsNone() throws Exception {
        String foreign = sign(EDDSA, EVERYTHING, keyPair());
        assertRefused(foreign, Reason.TOKEN_SIGNATURE, "no public key");
    }

    @Test
    void aChangedPayloadIsNotSigned() throws Exception {
        String[] parts = token(EDDSA, "{\"scope\":\"tenant\",\"tenant_id\":\"" + TENANT + "\"}")
                .split("\\.", -1);
        assertRefused(parts[0] + "." + base64(EVERYTHING) + "." + parts[2], Reason.TOKEN_SIGNATURE, "no public key");
    }

    @Test
    void everySingleFlippedBitOfTheSignatureIsSeen() throws Exception {
        String[] parts = token(EDDSA, EVERYTHING).split("\\.", -1);
        byte[] signature = Base64.getUrlDecoder().decode(parts[2]);
        for (int bit = 0; bit < signature.length * 8; bit++) {
            byte[] flipped = signature.clone();
            flipped[bit / 8] ^= (byte) (1 << (bit % 8));
            String token = parts[0] + "." + parts[1] + "." + base64(flipped);
            assertRefused(token, Reason.TOKEN_SIGNATURE, "no public key");
        }
    }

    @Test
    void onlyEdDsaIsAnAlgorithm() throws Exception {
        String none = base64("{\"alg\":\"none\"}") + "." + base64(EVERYTHING) + ".";
        assertRefused(none, Reason.TOKEN_ALGORITHM, "not signed");
        assertRefused(token("{\"alg\":\"RS256\"}", EVERYTHING), Reason.TOKEN_ALGORITHM, "RS256");
        assertRefused(token("{\"alg\":\"Ed448\"}", EVERYTHING), Reason.TOKEN_ALGORITHM, "Ed448");
        // The public key as the secret of a symmetric algorithm, the oldest trick of all.
        String head = base64("{\"alg\":\"HS256\"}") + "." + base64(EVERYTHING);
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(keys.getPublic().getEncoded(), "HmacSHA256"));
        String confused = head + "." + base64(mac.doFinal(head.getBytes(StandardCharsets.US_ASCII)));
        assertRefused(confused, Reason.TOKEN_ALGORITHM, "HS256");
    }

    @Test
    void criticalHeadersAreNotPassedOver() throws Exception {
        String header = "{\"alg\":\"EdDSA\",\"crit\":[\"b64\"],\"b64\":false}";
        assertRefused(token(header, EVERYTHING), Reason.TOKEN_MALFORMED, "crit");
    }

    @Test
    void expiryCountsWithAMinuteOfLeeway() throws Exception {
        Instant expires = time.now().plusSeconds(100);
        String token = new TokenSigner(keys.getPrivate())
                .sign(new Claims(Scope.SAFEKEEPERDATA, Optional.empty()), Optional.of(expires));
        gate.admit(token);
        time.advance(Duration.ofSeconds(159));
        gate.admit(token);
        time.advance(Duration.ofSeconds(1));
        assertRefused(token, Reason.TOKEN_EXPIRED, "it expired at " + expires);
        assertThat(refused).containsExactly("TOKEN_EXPIRED");
    }

    @Test
    void aTokenOfTomorrowIsNotGoodYet() throws Exception {
        long begins = time.now().plusSeconds(86_400).getEpochSecond();
        String token = token(EDDSA, "{\"scope\":\"safekeeperdata\",\"nbf\":" + begins + "}");
        assertRefused(token, Reason.TOKEN_EXPIRED, "not valid before");
        time.advance(Duration.ofMinutes(24 * 60 - 1));
        gate.admit(token);
    }

    @Test
    void aTokenForAnAudienceIsForSomebodyElse() throws Exception {
        assertRefused(token(EDDSA, "{\"scope\":\"safekeeperdata\",\"aud\":\"bank\"}"), Reason.TOKEN_AUDIENCE, "aud");
    }

    @Test
    void claimsThatCanNotBeAreRefused() throws Exception {
        assertRefused(token(EDDSA, "{}"), Reason.TOKEN_MALFORMED, "no scope");
        assertRefused(token(EDDSA, "{\"scope\":\"Tenant\"}"), Reason.TOKEN_MALFORMED, "scope");
        assertRefused(token(EDDSA, "{\"scope\":7}"), Reason.TOKEN_MALFORMED, "claims");
        assertRefused(token(EDDSA, "{\"scope\":\"tenant\"}"), Reason.TOKEN_MALFORMED, "no tenant_id");
        assertRefused(
                token(EDDSA, "{\"scope\":\"tenant\",\"tenant_id\":\"123\"}"), Reason.TOKEN_MALFORMED, "32 hex digits");
        assertRefused(token(EDDSA, "[]"), Reason.TOKEN_MALFORMED, "scope");
        assertRefused(
                token(EDDSA, "{\"scope\":\"safekeeperdata\",\"exp\":\"soon\"}"), Reason.TOKEN_MALFORMED, "claims");
    }

    @Test
    void garbageIsRefusedAndNeverRepeated() throws Exception {
        assertRefused("", Reason.TOKEN_MISSING, "a token is needed");
        String good = token(EDDSA, EVERYTHING);
        String[] parts = good.split("\\.", -1);
        List<String> garbage = List.of(
                "x",
                ".",
                "..",
                "...",
                "....",
                "a.b.c",
                parts[0],
                parts[0] + "." + parts[1],
                good + ".x.y",
                parts[0] + "..",
                base64("{\"alg\":\"EdDSA\"") + "." + parts[1] + "." + parts[2],
                base64("[".repeat(5000)) + "." + parts[1] + "." + parts[2],
                "\u0000\uFFFF.\u0001.\u0002",
                good.substring(0, 20),
                "y".repeat(TokenVerifier.MAX_TOKEN_CHARS + 1));
        for (String each : garbage) {
            assertThatThrownBy(() -> gate.admit(each)).as(each).isInstanceOfSatisfying(AuthException.class, e -> {
                assertThat(e.reason()).isIn(Reason.TOKEN_MALFORMED, Reason.TOKEN_SIGNATURE);
                assertThat(e.text()).startsWith("JWT authentication error").hasSizeLessThan(200);
            });
        }
        assertThat(refused).hasSize(garbage.size() + 1);
    }

    @Test
    void anyOfSeveralKeysWillDoAndKeysAreReadAgain() throws Exception {
        KeyPair next = keyPair();
        String byNext = sign(EDDSA, EVERYTHING, next);
        assertRefused(byNext, Reason.TOKEN_SIGNATURE, "no public key");
        writePublic("b.pem", next);
        assertThat(gate.reload()).isEqualTo(2);
        gate.admit(byNext);
        gate.admit(token(EDDSA, EVERYTHING));

        // A key that can't be read leaves everything as it was.
        Files.writeString(directory.resolve("c.pem"), "nonsense");
        assertThatThrownBy(() -> gate.reload()).isInstanceOf(IOException.class).hasMessageContaining("c.pem");
        gate.admit(byNext);
        Files.delete(directory.resolve("c.pem"));
        Files.delete(directory.resolve("a.pem"));
        assertThat(gate.reload()).isEqualTo(1);
        assertRefused(token(EDDSA, EVERYTHING), Reason.TOKEN_SIGNATURE, "no public key");
    }

    @Test
    void keysThatAreNoneStopTheStart() throws Exception {
        Path rsa = directory.resolve("rsa.pem");
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        Files.writeString(rsa, pem("PUBLIC", generator.generateKeyPair().getPublic()));
        assertNoGate(rsa, "not one of Ed25519");
        assertNoGate(directory.resolve("nowhere"), "there is no file");
        Path empty = Files.createDirectory(directory.resolve("empty"));
        assertNoGate(empty, "no public key in the directory");
        Path privateKey = directory.resolve("private.pem");
        Files.writeString(privateKey, pem("PRIVATE", keys.getPrivate()));
        assertNoGate(privateKey, "BEGIN PUBLIC KEY");
    }

    @Test
    void aSignerReadsItsKeyFromAFile() throws Exception {
        Path file = directory.resolve("sub").resolve("private.pem");
        Files.createDirectory(file.resolveSibling(""));
        Files.writeString(file, pem("PRIVATE", keys.getPrivate()));
        Claims claims = new Claims(Scope.TENANT, Optional.of(TENANT));
        gate.admit(TokenSigner.load(file).sign(claims, Optional.empty())).requireTenant(TENANT);
        assertThatThrownBy(() -> TokenSigner.load(directory.resolve("a.pem")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("BEGIN PRIVATE KEY");
    }

    private void assertNoGate(Path path, String text) {
        assertThatThrownBy(() -> Gate.of(path, Scope.SAFEKEEPERDATA, time, refused::add))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(text);
    }

    private void assertRefused(String token, Reason reason, String text) {
        assertThatThrownBy(() -> gate.admit(token)).as(token).isInstanceOfSatisfying(AuthException.class, e -> {
            assertThat(e.reason()).isEqualTo(reason);
            assertThat(e.text()).startsWith("JWT authentication error").contains(text);
        });
        Login login = gate.login();
        assertThat(login.refusal(token)).isPresent();
        refused.removeLast();
    }

    private static void assertDenied(org.assertj.core.api.ThrowableAssert.ThrowingCallable action, String text) {
        assertThatThrownBy(action).isInstanceOfSatisfying(AuthException.class, e -> {
            assertThat(e.reason()).isEqualTo(Reason.PERMISSION_DENIED);
            assertThat(e.text()).startsWith("JWT authentication error").contains(text);
        });
    }

    private String token(String header, String claims) throws GeneralSecurityException {
        return sign(header, claims, keys);
    }

    private static String sign(String header, String claims, KeyPair pair) throws GeneralSecurityException {
        String head = base64(header) + "." + base64(claims);
        Signature signature = Signature.getInstance("Ed25519");
        signature.initSign(pair.getPrivate());
        signature.update(head.getBytes(StandardCharsets.US_ASCII));
        return head + "." + base64(signature.sign());
    }

    private static KeyPair keyPair() {
        try {
            return KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private void writePublic(String name, KeyPair pair) throws IOException {
        Files.writeString(directory.resolve(name), pem("PUBLIC", pair.getPublic()));
    }

    private static String pem(String kind, Key key) {
        return "-----BEGIN " + kind + " KEY-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key.getEncoded())
                + "\n-----END " + kind + " KEY-----\n";
    }

    private static String base64(String text) {
        return base64(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }
}
