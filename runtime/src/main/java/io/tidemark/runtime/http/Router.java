package io.tidemark.runtime.http;

import io.tidemark.runtime.auth.AuthException;
import io.tidemark.runtime.auth.Caller;
import io.tidemark.runtime.auth.Gate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Finds the route for a method and a path, and sees to it that the caller may take it. A pattern is a path whose segments in braces match
 * any one segment.
 *
 * <p>Unless it says otherwise, a route with {@value #TENANT} in its pattern needs a token of that tenant, any other route one that is good
 * for everything.
 */
public final class Router {
    /** The segment of a pattern that is a tenant's id. */
    public static final String TENANT = "{tenant_id}";

    private static final String TENANT_VARIABLE = TENANT.substring(1, TENANT.length() - 1);
    private static final String BEARER = "bearer ";

    /** Answers a request. May block. */
    @FunctionalInterface
    public interface Route {
        HttpReply answer(HttpRequestView request);
    }

    /** Who may take a route. */
    public enum Access {
        /** No token is looked at. */
        EVERYBODY,
        /** Callers of the tenant in the path. */
        TENANT,
        /** Callers who may do everything. */
        EVERYTHING,
        /** Whoever has a good token; the route itself asks {@link HttpRequestView#requireTenant}. */
        ROUTE_ASKS
    }

    private record Entry(String method, List<String> pattern, Access access, Route route) {}

    private final Gate gate;
    private final List<Entry> entries = new ArrayList<>();

    public Router(Gate gate) {
        this.gate = gate;
    }

    /** Adds a route; the first that matches answers. */
    public Router on(String method, String pattern, Route route) {
        List<String> segments = segments(pattern);
        return on(method, pattern, segments.contains(TENANT) ? Access.TENANT : Access.EVERYTHING, route);
    }

    /** The same for other callers than the pattern says. */
    public Router on(String method, String pattern, Access access, Route route) {
        entries.add(new Entry(method, segments(pattern), access, route));
        return this;
    }

    /** What there is to ask for: {@code GET /path/{variable}}, in the order in which it was added. */
    public List<String> routes() {
        return entries.stream()
                .map(entry -> entry.method() + " " + String.join("/", entry.pattern()))
                .toList();
    }

    /**
     * Answers, or throws {@link HttpError}: 404 for an unknown path, 405 for a known one with another method, 401 without a token, 403
     * with one that is not good for this.
     *
     * @param authorization the header of this name; empty when there is none
     */
    HttpReply answer(HttpRequestView request, String authorization) {
        List<String> path = segments(request.path());
        boolean pathKnown = false;
        for (Entry entry : entries) {
            Map<String, String> variables = new HashMap<>();
            if (matches(entry.pattern(), path, variables)) {
                if (entry.method().equals(request.method())) {
                    Caller caller = entry.access() == Access.EVERYBODY ? Caller.TRUSTED : admit(authorization);
                    HttpRequestView admitted = request.with(variables, caller);
                    require(entry.access(), admitted);
                    return entry.route().answer(admitted);
                }
                pathKnown = true;
            }
        }
        if (pathKnown) {
            throw new HttpError(405, request.method() + " is not a method of " + request.path());
        }
        throw HttpError.notFound("page not found: " + request.path());
    }

    private Caller admit(String authorization) {
        boolean bearer = authorization.regionMatches(true, 0, BEARER, 0, BEARER.length());
        try {
            return gate.admit(bearer ? authorization.substring(BEARER.length()).strip() : "");
        } catch (AuthException e) {
            throw e.reason() == AuthException.Reason.TOKEN_MISSING
                    ? new HttpError(401, "this server asks for a token: Authorization: Bearer TOKEN")
                    : new HttpError(403, e.text());
        }
    }

    private static void require(Access access, HttpRequestView request) {
        switch (access) {
            case EVERYBODY, ROUTE_ASKS -> {}
            case TENANT -> request.requireTenant(request.variable(TENANT_VARIABLE));
            case EVERYTHING -> request.requireEverything();
        }
    }

    private static List<String> segments(String path) {
        return List.of(path.split("/", -1));
    }

    private static boolean matches(List<String> pattern, List<String> path, Map<String, String> variables) {
        if (pattern.size() != path.size()) {
            return false;
        }
        for (int i = 0; i < path.size(); i++) {
            String wanted = pattern.get(i);
            if (wanted.startsWith("{")) {
                variables.put(wanted.substring(1, wanted.length() - 1), path.get(i));
            } else if (!wanted.equals(path.get(i))) {
                return false;
            }
        }
        return true;
    }
}
