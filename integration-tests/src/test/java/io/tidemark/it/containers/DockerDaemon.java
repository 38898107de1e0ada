package io.tidemark.it.containers;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.util.Optional;

/**
 * Whether there is a Docker daemon to test with, found out without Testcontainers, which says it in thirty lines when there is none.
 */
final class DockerDaemon {
    private static final String DEFAULT_ADDRESS = "unix:///var/run/docker.sock";
    private static final int DEFAULT_PORT = 2375;

    private DockerDaemon() {}

    /** Why none can be used, in one line; empty when one answers. */
    static Optional<String> problem() {
        return problem(Optional.ofNullable(System.getenv("DOCKER_HOST")).orElse(DEFAULT_ADDRESS));
    }

    static Optional<String> problem(String address) {
        URI uri = URI.create(address);
        boolean unix = "unix".equals(uri.getScheme());
        SocketAddress socket = unix
                ? UnixDomainSocketAddress.of(uri.getPath())
                : new InetSocketAddress(uri.getHost(), uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort());
        try (SocketChannel channel = unix ? SocketChannel.open(StandardProtocolFamily.UNIX) : SocketChannel.open()) {
            channel.connect(socket);
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of("no Docker daemon answers at " + address + " (" + e.getMessage()
                    + "); start one, or say in DOCKER_HOST where it is");
        }
    }
}
