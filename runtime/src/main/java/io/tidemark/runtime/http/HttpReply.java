package io.tidemark.runtime.http;

import tools.jackson.databind.JsonNode;

/** What a route answers. */
public record HttpReply(int status, String contentType, String body) {
    public static final String JSON = "application/json";

    /** 200 with a JSON body. */
    public static HttpReply json(JsonNode node) {
        return new HttpReply(200, JSON, node.toString());
    }

    /** 200 with the body {@code null}, as Neon's servers answer where there is nothing to say. */
    public static HttpReply nothing() {
        return new HttpReply(200, JSON, "null");
    }

    /** Plain text. */
    public static HttpReply text(int status, String text) {
        return new HttpReply(status, "text/plain; charset=utf-8", text);
    }
}
