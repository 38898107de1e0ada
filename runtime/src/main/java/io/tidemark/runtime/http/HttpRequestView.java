package io.tidemark.runtime.http;

import io.tidemark.runtime.auth.AuthException;
import io.tidemark.runtime.auth.Caller;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * One request, as a route sees it.
 *
 * @param path decoded, without the query
 * @param query decoded parameters
 * @param variables what the route's pattern matched, by name
 * @param caller whose request it is
 */
public record HttpRequestView(
        String method,
        String path,
        Map<String, List<String>> query,
        Map<String, String> variables,
        String body,
        Caller caller) {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    HttpRequestView with(Map<String, String> matched, Caller admitted) {
        return new HttpRequestView(method, path, query, matched, body, admitted);
    }

    /** 403 when the caller may not touch what belongs to this tenant. */
    public void requireTenant(String tenantId) {
        try {
            caller.requireTenant(tenantId);
        } catch (AuthException e) {
            throw new HttpError(403, e.text());
        }
    }

    /** 403 when the caller may not do what concerns the server, or all tenants. */
    public void requireEverything() {
        try {
            caller.requireEverything();
        } catch (AuthException e) {
            throw new HttpError(403, e.text());
        }
    }

    /** What the route's pattern matched under this name. */
    public String variable(String name) {
        String value = variables.get(name);
        if (value == null) {
            throw new IllegalStateException("the route has no variable " + name);
        }
        return value;
    }

    /** The first value of a query parameter. */
    public Optional<String> parameter(String name) {
        List<String> values = query.get(name);
        return values == null || values.isEmpty() ? Optional.empty() : Optional.of(values.getFirst());
    }

    /** A boolean query parameter; an absent one is {@code otherwise}. */
    public boolean flag(String name, boolean otherwise) {
        return parameter(name)
                .map(value -> switch (value) {
                    case "true" -> true;
                    case "false" -> false;
                    default -> throw HttpError.badRequest(name + " is true or false, not '" + value + "'");
                })
                .orElse(otherwise);
    }

    /** The body as one JSON object; 400 when it is not. */
    public JsonNode json() {
        try {
            JsonNode node = JSON.readTree(body);
            if (node != null && node.isObject()) {
                return node;
            }
        } catch (JacksonException e) {
            throw HttpError.badRequest("the body is not JSON: " + e.getOriginalMessage());
        }
        throw HttpError.badRequest("the body has to be a JSON object");
    }
}
