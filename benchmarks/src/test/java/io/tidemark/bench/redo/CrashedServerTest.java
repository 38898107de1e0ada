package io.tidemark.bench.redo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class CrashedServerTest {
    private static final String LOG = """
            LOG:  redo starts at 0/8FD2B08
            LOG:  redo done at 0/10A1FFD0 system usage: CPU: user: 2.31 s, system: 0.23 s, elapsed: 2.57 s
            LOG:  received immediate shutdown request
            LOG:  redo starts at 0/8FD2B08
            LOG:  redo done at 0/10A1FFD0 system usage: CPU: user: 1.50 s, system: 0.25 s, elapsed: 2.00 s
            """;

    @Test
    void theLastRecoveryOfALogCounts() throws Exception {
        CrashedServer.Recovery recovery = CrashedServer.recovery(LOG);
        assertThat(recovery).isEqualTo(new CrashedServer.Recovery(1.75, 2.0));
    }

    @Test
    void aLogWithoutOneIsRefused() {
        assertThatThrownBy(() -> CrashedServer.recovery("LOG:  database system is ready"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("did not say");
    }
}
