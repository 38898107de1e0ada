package io.tidemark.it.containers;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DockerDaemonTest {
    @Test
    void whoListensIsTakenForADaemon() throws Exception {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
            assertThat(DockerDaemon.problem("tcp://127.0.0.1:" + socket.getLocalPort()))
                    .isEmpty();
        }
    }

    @Test
    void whereNobodyListensOneLineSaysWhatToDo(@TempDir Path empty) {
        String address = "unix://" + empty.resolve("docker.sock");
        assertThat(DockerDaemon.problem(address))
                .hasValueSatisfying(line ->
                        assertThat(line).contains(address, "DOCKER_HOST").doesNotContain("\n"));
    }
}
