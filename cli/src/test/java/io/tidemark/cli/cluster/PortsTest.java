package io.tidemark.cli.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PortsTest {
    private static final int FIRST_OF_CONNECTIONS = 32_768;

    @Test
    void noneIsGivenTwiceAndNoneToAConnectionMeanwhile() throws Exception {
        Ports ports = new Ports(true);
        Set<Integer> given = new HashSet<>();
        for (int i = 0; i < 500; i++) {
            int port = ports.choose(0);
            assertThat(port).isBetween(1024, FIRST_OF_CONNECTIONS - 1);
            assertThat(given.add(port)).as("port %d again", port).isTrue();
        }
    }

    @Test
    void whatIsPreferredWhenNobodyListensThere() throws Exception {
        int free = new Ports(false).choose(0);
        Ports ports = new Ports(true);
        assertThat(ports.choose(free)).isEqualTo(free);
        assertThat(ports.choose(free)).isNotEqualTo(free);
        try (ServerSocket taken = new ServerSocket(free, 1, InetAddress.ofLiteral("127.0.0.1"))) {
            assertThat(new Ports(true).choose(taken.getLocalPort())).isNotEqualTo(free);
        }
    }
}
