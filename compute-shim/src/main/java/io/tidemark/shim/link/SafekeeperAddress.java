package io.tidemark.shim.link;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where a safekeeper listens for the PostgreSQL protocol, and what to show there. Where it is, not who it is: that is its node id.
 *
 * @param token a JSON Web Token, where the safekeeper asks for one; else null; never printed
 */
public record SafekeeperAddress(
        String host, int port, @Nullable String token) {
    /** Most safekeepers of one timeline (Neon's MAX_SAFEKEEPERS less the spare one). */
    public static final int MAX_SAFEKEEPERS = 31;

    private static final int DEFAULT_PORT = 5454;

    public SafekeeperAddress {
        if (host.isEmpty() || port < 1 || port > 65_535) {
            throw new IllegalArgumentException("not a safekeeper address: '" + host + ":" + port + "'");
        }
    }

    /** One that asks nobody for a token. */
    public SafekeeperAddress(String host, int port) {
        this(host, port, null);
    }

    /** The same addresses, to be reached with a token; null: without. */
    public static List<SafekeeperAddress> withToken(List<SafekeeperAddress> addresses, @Nullable String token) {
        return addresses.stream()
                .map(address -> new SafekeeperAddress(address.host, address.port, token))
                .toList();
    }

    /**
     * Reads {@code host[:port][,host[:port]...]}; an IPv6 address stands in brackets.
     *
     * @throws IllegalArgumentException when it is empty, too long, malformed or names an address twice
     */
    public static List<SafekeeperAddress> parseList(String text) {
        List<SafekeeperAddress> addresses = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            SafekeeperAddress address = parse(part.strip());
            if (addresses.contains(address)) {
                throw new IllegalArgumentException("safekeeper " + address + " is listed twice");
            }
            addresses.add(address);
        }
        if (addresses.size() > MAX_SAFEKEEPERS) {
            throw new IllegalArgumentException("at most " + MAX_SAFEKEEPERS + " safekeepers, not " + addresses.size());
        }
        return List.copyOf(addresses);
    }

    private static SafekeeperAddress parse(String text) {
        int colon = text.lastIndexOf(':');
        boolean portGiven = colon >= 0 && text.indexOf(']') < colon;
        String host = portGiven ? text.substring(0, colon) : text;
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        try {
            return new SafekeeperAddress(host, portGiven ? Integer.parseInt(text.substring(colon + 1)) : DEFAULT_PORT);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("not a safekeeper address: '" + text + "' (expected host:port)", e);
        }
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
