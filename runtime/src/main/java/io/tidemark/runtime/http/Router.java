package io.tidemark.runtime.http;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Finds the route for a method and a path. A pattern is a path whose segments in braces match any one segment. */
public final class Router {
    /** Answers a request. May block. */
    @FunctionalInterface
    public interface Route {
        HttpReply answer(HttpRequestView request);
    }

    private record Entry(String method, List<String> pattern, Route route) {}

    private final List<Entry> entries = new ArrayList<>();

    /** Adds a route; the first that matches answers. */
    public Router on(String method, String pattern, Route route) {
        entries.add(new Entry(method, segments(pattern), route));
        return this;
    }

    /** Answers, or throws {@link HttpError}: 404 for an unknown path, 405 for a known one with another method. */
    HttpReply answer(HttpRequestView request) {
        List<String> path = segments(request.path());
        boolean pathKnown = false;
        for (Entry entry : entries) {
            Map<String, String> variables = new HashMap<>();
            if (matches(entry.pattern(), path, variables)) {
                if (entry.method().equals(request.method())) {
                    return entry.route().answer(request.with(variables));
                }
                pathKnown = true;
            }
        }
        if (pathKnown) {
            throw new HttpError(405, request.method() + " is not a method of " + request.path());
        }
        throw HttpError.notFound("page not found: " + request.path());
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
