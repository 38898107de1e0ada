package io.tidemark.safekeeper.http;

import tools.jackson.databind.JsonNode;

/** What a route answers. */
record HttpReply(int status, String contentType, String body) {
    static final String JSON = "application/json";

    static HttpReply json(JsonNode node) {
        return new HttpReply(200, JSON, node.toString());
    }

    static HttpReply nothing() {
        return new HttpReply(200, JSON, "null");
    }

    static HttpReply text(int status, String text) {
        return new HttpReply(status, "text/plain; charset=utf-8", text);
    }
}
