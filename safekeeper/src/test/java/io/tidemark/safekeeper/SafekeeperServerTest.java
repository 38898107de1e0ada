package io.tidemark.safekeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.runtime.net.HostPort;
import io.tidemark.wire.frame.CopyEnd;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.walpush.WalPushVersion;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafekeeperServerTest {
    private static final TenantTimelineId TTID = TestSafekeeper.ttid(1);
    private static final Lsn START = Lsn.parse("0/1000028");

    @TempDir
    private Path directory;

    @Test
    void aSecondProcessOnTheSameDirectoryIsRefused() throws Exception {
        try (TestSafekeeper safekeeper = new TestSafekeeper(directory)) {
            assertThatThrownBy(() -> SafekeeperServer.start(safekeeper.config(1)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("another safekeeper is running")
                    .hasMessageContaining(directory.toString());
            safekeeper.http(200, "GET", "/v1/status", "");
        }
        // Given back: the next one may.
        try (TestSafekeeper safekeeper = new TestSafekeeper(directory)) {
            safekeeper.http(200, "GET", "/v1/status", "");
        }
    }

    @Test
    void theIdOfADirectoryNeverChanges() throws Exception {
        SafekeeperConfig config;
        try (TestSafekeeper safekeeper = new TestSafekeeper(directory)) {
            config = safekeeper.config(2);
        }
        assertThat(Files.readString(directory.resolve("safekeeper.id"))).isEqualTo("1\n");
        assertThatThrownBy(() -> SafekeeperServer.start(config))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("belongs to safekeeper 1, not to 2");
        try (SafekeeperServer server = SafekeeperServer.start(withoutId(config))) {
            assertThat(server.nodeId()).isEqualTo(new NodeId(1));
        }
    }

    private static SafekeeperConfig withoutId(SafekeeperConfig config) {
        return new SafekeeperConfig(
                Optional.empty(),
                config.dataDir(),
                config.listenPg(),
                config.listenHttp(),
                config.advertisePg(),
                config.availabilityZone(),
                config.sync(),
                config.controlFileSaveInterval(),
                config.idleTimeout(),
                config.authPublicKey());
    }

    @Test
    void aNewDirectoryWantsAnId() {
        SafekeeperConfig config = withoutId(SafekeeperConfig.of(new NodeId(1), directory));
        assertThatThrownBy(() -> SafekeeperServer.start(config))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("--id");
        assertThat(directory.resolve("safekeeper.id")).doesNotExist();
    }

    @Test
    void anAddressThatIsTakenIsNamedAndNothingStaysOpen() throws Exception {
        try (ServerSocket taken = new ServerSocket(0)) {
            SafekeeperConfig config = SafekeeperConfig.of(new NodeId(1), directory)
                    .listeningOn(new HostPort("127.0.0.1", 0), new HostPort("127.0.0.1", taken.getLocalPort()));
            assertThatThrownBy(() -> SafekeeperServer.start(config))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(Integer.toString(taken.getLocalPort()));
        }
        new TestSafekeeper(directory).close();
    }

    @Test
    void goingDownLetsEverybodyGoAndForgetsNothing() throws Exception {
        try (TestSafekeeper safekeeper = new TestSafekeeper(directory)) {
            TestProposer proposer = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3);
            proposer.elect(START);
            TestReader reader = TestReader.start(safekeeper, TTID, "replica", START, "");
            reader.awaitKeepalives(1);
            safekeeper.stop();
            assertThat(TestSafekeeper.await(proposer.end())).isInstanceOf(CopyEnd.Lost.class);
            assertThat(TestSafekeeper.await(reader.end())).isInstanceOf(CopyEnd.Lost.class);
        }
        try (TestSafekeeper safekeeper = new TestSafekeeper(directory);
                TestProposer proposer = TestProposer.connect(safekeeper, TTID, WalPushVersion.V3)) {
            assertThat(proposer.greet().term().value()).isEqualTo(1);
        }
    }

    @Test
    void configurationsThatCannotBeAreRefusedInWords() {
        assertThatThrownBy(() -> HostPort.parse("host")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> HostPort.parse("host:")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> HostPort.parse(":5")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> HostPort.parse("host:65536")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> HostPort.parse("::1:5")).isInstanceOf(IllegalArgumentException.class);
        assertThat(HostPort.parse("[::1]:5")).hasToString("[::1]:5");
        SafekeeperConfig config = SafekeeperConfig.of(new NodeId(1), directory);
        HostPort same = new HostPort("127.0.0.1", 5454);
        assertThatThrownBy(() -> config.listeningOn(same, same)).hasMessageContaining("both");
        assertThatThrownBy(() -> SafekeeperConfig.of(new NodeId(0), directory)).hasMessageContaining("--id");
    }
}
