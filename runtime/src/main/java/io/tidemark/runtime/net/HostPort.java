package io.tidemark.runtime.net;

import java.net.InetSocketAddress;

/** Where to listen, or where one is found: a host name or address, and a port (0 asks for any free one). */
public record HostPort(String host, int port) {
    /** Throws {@link IllegalArgumentException} when the port is not 0 to 65535 or the host is empty. */
    public HostPort {
        if (host.isBlank()) {
            throw new IllegalArgumentException("a host is missing");
        }
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException("not a port: " + port);
        }
    }

    /** Reads {@code host:port} or {@code [ipv6]:port}; throws {@link IllegalArgumentException} otherwise. */
    public static HostPort parse(String text) {
        int colon = text.lastIndexOf(':');
        String host = colon < 0 ? "" : text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        } else if (host.indexOf(':') >= 0) {
            throw new IllegalArgumentException("not host:port: '" + text + "' (write an IPv6 address in brackets)");
        }
        try {
            return new HostPort(host, Integer.parseInt(text.substring(colon + 1)));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("not host:port: '" + text + "'", e);
        }
    }

    /** Resolves the host; the result may be unresolved. */
    public InetSocketAddress toSocketAddress() {
        return new InetSocketAddress(host, port);
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
