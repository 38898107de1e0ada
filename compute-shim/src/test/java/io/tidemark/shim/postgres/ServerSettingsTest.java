package io.tidemark.shim.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;

class ServerSettingsTest {
    @Test
    void whatIsWrittenIsReadBack() {
        Map<String, String> settings = Map.of(
                "port", "5432",
                "synchronous_standby_names", "FIRST 1 (\"tide'mark\")",
                "archive_command", "cp 'C:\\x' %f",
                "unix_socket_directories", "");

        assertThat(ServerSettings.parse(ServerSettings.format(settings))).isEqualTo(settings);
    }

    @Test
    void aLineBreakCannotSmuggleInAnotherParameter() {
        assertThatThrownBy(() -> ServerSettings.format(Map.of("port", "1\nfsync = off")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("port");
    }
}
