package io.tidemark.shim.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.wire.client.SslMode;
import org.junit.jupiter.api.Test;

class PostgresAddressTest {
    @Test
    void readsWhatIsGivenAndDefaultsTheRest() {
        assertThat(PostgresAddress.parse("postgres://repl@db.example/"))
                .isEqualTo(new PostgresAddress("db.example", 5432, "repl", "postgres", SslMode.PREFER, ""));
        assertThat(PostgresAddress.parse("postgresql://re%40pl:p%3Aa+b@[::1]:5433/app?sslmode=require"))
                .isEqualTo(new PostgresAddress("::1", 5433, "re@pl", "app", SslMode.REQUIRE, "p:a+b"));
    }

    @Test
    void neverPrintsThePassword() {
        assertThat(PostgresAddress.parse("postgres://repl:secret@h:1/")).hasToString("postgres://repl@h:1/postgres");
        assertThatThrownBy(() -> PostgresAddress.parse("mysql://repl:secret@h:1/"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageNotContaining("secret");
    }

    @Test
    void refusesWhatItDoesNotUnderstand() {
        for (String text : new String[] {
            "postgres://h:1/",
            "postgres:///db",
            "postgres://u@h/?sslmode=allow",
            "postgres://u@h/?a=b",
            "h:1",
            "postgres://u@h/%"
        }) {
            assertThatThrownBy(() -> PostgresAddress.parse(text)).as(text).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
