package io.tidemark.wire.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.handler.ssl.SslContextBuilder;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The server side as stock clients see it: pgjdbc (extended protocol) and, where it is installed, psql (libpq). */
class StockClientsTest {

    private static X509Bundle certificate() throws Exception {
        return new CertificateBuilder()
                .subject("CN=localhost")
                .addSanDnsName("localhost")
                .setIsCertificateAuthority(true)
                .buildSelfSigned();
    }

    private static PgServerConfig withTls(boolean required) throws Exception {
        X509Bundle certificate = certificate();
        return PgServerConfig.DEFAULT.withTls(
                SslContextBuilder.forServer(certificate.toKeyManagerFactory()).build(), required);
    }

    private static Connection jdbc(ToyServer server, String... keysAndValues) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", "alice");
        properties.setProperty("connectTimeout", "10");
        properties.setProperty("socketTimeout", "10");
        for (int i = 0; i < keysAndValues.length; i += 2) {
            properties.setProperty(keysAndValues[i], keysAndValues[i + 1]);
        }
        return DriverManager.getConnection("jdbc:postgresql://localhost:" + server.port() + "/db", properties);
    }

    @Test
    void pgjdbcAsksInEveryQueryMode() throws Exception {
        try (ToyServer server = new ToyServer(PgServerConfig.DEFAULT, null)) {
            for (String mode : List.of("simple", "extended", "extendedForPrepared")) {
                try (Connection connection = jdbc(server, "preferQueryMode", mode);
                        Statement statement = connection.createStatement()) {
                    for (int round = 0; round < 3; round++) {
                        try (ResultSet rows = statement.executeQuery("SHOW me")) {
                            assertThat(rows.next()).isTrue();
                            assertThat(rows.getString("question")).isEqualTo("SHOW me");
                            assertThat(rows.getInt("length")).isEqualTo(7);
                            assertThat(rows.getObject("answer")).isNull();
                            assertThat(rows.next()).isFalse();
                        }
                        assertThat(statement.execute("nothing")).isFalse();
                        assertThat(statement.execute("later")).isFalse();
                        assertThatThrownBy(() -> statement.execute("fail"))
                                .isInstanceOfSatisfying(
                                        SQLException.class,
                                        e -> assertThat(e.getSQLState()).isEqualTo("42704"))
                                .hasMessageContaining("no such thing");
                        assertThatThrownBy(() -> statement.execute("throw")).hasMessageContaining("outer: inner");
                    }
                }
            }
        }
    }

    @Test
    void pgjdbcGivesItsPassword() throws Exception {
        PasswordCheck check = (startup, password) ->
                password.equals("sesame") ? Optional.empty() : Optional.of("JWT authentication error");
        try (ToyServer server = new ToyServer(PgServerConfig.DEFAULT, check)) {
            try (Connection connection = jdbc(server, "password", "sesame");
                    Statement statement = connection.createStatement()) {
                assertThat(statement.execute("nothing")).isFalse();
            }
            assertThatThrownBy(() -> jdbc(server, "password", "wrong"))
                    .hasMessageContaining("JWT authentication error");
        }
    }

    @Test
    void tlsIsOfferedOrRequired() throws Exception {
        try (ToyServer offering = new ToyServer(withTls(false), null);
                ToyServer requiring = new ToyServer(withTls(true), null)) {
            for (ToyServer server : List.of(offering, requiring)) {
                try (Connection connection = jdbc(server, "sslmode", "require");
                        Statement statement = connection.createStatement()) {
                    assertThat(statement.execute("nothing")).isFalse();
                }
            }
            jdbc(offering, "sslmode", "disable").close();
            assertThatThrownBy(() -> jdbc(requiring, "sslmode", "disable"))
                    .hasMessageContaining("must connect with TLS");
        }
        try (ToyServer clear = new ToyServer(PgServerConfig.DEFAULT, null)) {
            jdbc(clear, "sslmode", "prefer").close();
            assertThatThrownBy(() -> jdbc(clear, "sslmode", "require")).isInstanceOf(SQLException.class);
        }
    }

    @Test
    void tlsWithoutAskingIsTaken() throws Exception {
        try (ToyServer server = new ToyServer(withTls(true), null);
                Connection connection = jdbc(server, "sslmode", "require", "sslNegotiation", "direct");
                Statement statement = connection.createStatement()) {
            assertThat(statement.execute("nothing")).isFalse();
        }
    }

    @Test
    void psqlShowsATable() throws Exception {
        try (ToyServer server = new ToyServer(withTls(false), null)) {
            for (String sslMode : List.of("disable", "require")) {
                String output = psql(server, sslMode, "SHOW me", "fail", "nothing", "  ", "startup");
                assertThat(output)
                        .contains("SHOW me|7|\n")
                        .contains("ERROR:  no such thing")
                        .contains("NOTHING")
                        .contains("application_name|psql")
                        .contains("options|-c tenant_id=00000000000000000000000000000001");
            }
        }
    }

    private static String psql(ToyServer server, String sslMode, String... commands) throws Exception {
        assumeTrue(new File("/usr/bin/psql").canExecute(), "psql is not installed");
        List<String> command = new ArrayList<>(List.of(
                "/usr/bin/psql",
                "-X",
                "-A",
                "-t",
                "host=localhost port=" + server.port() + " user=alice dbname=db sslmode=" + sslMode
                        + " options='-c tenant_id=00000000000000000000000000000001'"));
        for (String sql : commands) {
            command.add("-c");
            command.add(sql);
        }
        Path output = Files.createTempFile("tidemark-psql-", ".out");
        try {
            Process psql = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .redirectInput(new File("/dev/null"))
                    .start();
            assertThat(psql.waitFor(20, TimeUnit.SECONDS)).as("psql ends").isTrue();
            return Files.readString(output, UTF_8);
        } finally {
            Files.delete(output);
        }
    }
}
