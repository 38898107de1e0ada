package io.tidemark.wire.client;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.ongres.scram.client.ScramClient;
import com.ongres.scram.common.StringPreparation;
import com.ongres.scram.common.exception.ScramException;
import com.ongres.scram.common.util.TlsServerEndpoint;
import io.tidemark.wire.frame.FrontendMessage.AuthenticationResponse;
import io.tidemark.wire.frame.InvalidMessageException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One SCRAM-SHA-256 conversation (RFC 5802, RFC 7677), bound to the TLS channel where there is one (RFC 5929). */
final class ScramExchange {
    /** PostgreSQL's default is 4096. The server chooses, our event loop computes: hence a limit. */
    static final int MAX_ITERATIONS = 1_000_000;

    private final ScramClient client;
    private boolean verified;

    /**
     * @param certificate the server's, when the connection is encrypted
     * @throws InvalidMessageException when none of the mechanisms can be used
     */
    ScramExchange(List<String> mechanisms, String password, @Nullable X509Certificate certificate) {
        List<String> usable = mechanisms.stream()
                .filter(m -> m.equals("SCRAM-SHA-256") || (certificate != null && m.equals("SCRAM-SHA-256-PLUS")))
                .toList();
        if (usable.isEmpty()) {
            throw new InvalidMessageException("no usable SASL mechanism among " + mechanisms);
        }
        // PostgreSQL takes the user from the startup message and ignores this one.
        ScramClient.FinalBuildStage builder = ScramClient.builder()
                .advertisedMechanisms(usable)
                .username("*")
                .password(password.toCharArray())
                .stringPreparation(StringPreparation.POSTGRESQL_PREPARATION);
        if (certificate != null && usable.contains("SCRAM-SHA-256-PLUS")) {
            bind(builder, certificate);
        }
        client = builder.build();
    }

    private static void bind(ScramClient.FinalBuildStage builder, X509Certificate certificate) {
        try {
            byte[] binding = TlsServerEndpoint.getChannelBindingData(certificate);
            if (binding.length > 0) {
                builder.channelBinding(TlsServerEndpoint.TLS_SERVER_END_POINT, binding);
            }
        } catch (CertificateEncodingException e) {
            throw new InvalidMessageException("the server's certificate has no encoding", e);
        }
    }

    AuthenticationResponse first() {
        return AuthenticationResponse.ofSaslInitial(
                client.getScramMechanism().getName(),
                client.clientFirstMessage().toString().getBytes(UTF_8));
    }

    AuthenticationResponse answer(String challenge) {
        try {
            int iterations = client.serverFirstMessage(challenge).getIterationCount();
            if (iterations > MAX_ITERATIONS) {
                throw new InvalidMessageException(
                        "SCRAM with " + iterations + " iterations, at most " + MAX_ITERATIONS + " are computed");
            }
            return AuthenticationResponse.ofSasl(
                    client.clientFinalMessage().toString().getBytes(UTF_8));
        } catch (ScramException | IllegalStateException | IllegalArgumentException e) {
            throw new InvalidMessageException("SCRAM challenge: " + e.getMessage(), e);
        }
    }

    /** Checks that the server knows the password too. */
    void verify(String outcome) {
        try {
            client.serverFinalMessage(outcome);
            verified = true;
        } catch (ScramException | IllegalStateException | IllegalArgumentException e) {
            throw new InvalidMessageException("SCRAM: the server failed to prove itself: " + e.getMessage(), e);
        }
    }

    boolean isVerified() {
        return verified;
    }
}
