package io.tidemark.cli.cluster;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;

/** Asks a server of ours over HTTP, each question on a connection of its own. No threads: a command asks a few times and ends. */
public final class JsonHttp {
    private static final JsonMapper MAPPER = JsonMapper.shared();

    private final String address;
    private final Duration connectTimeout;
    private final int maxAnswerBytes;

    /** @param address {@code host:port} */
    public JsonHttp(String address, Duration connectTimeout, int maxAnswerBytes) {
        this.address = address;
        this.connectTimeout = connectTimeout;
        this.maxAnswerBytes = maxAnswerBytes;
    }

    /** What came; the body is JSON's null where there is none. */
    public record Answer(int status, JsonNode body) {
        public boolean isNotFound() {
            return status == HttpURLConnection.HTTP_NOT_FOUND;
        }
    }

    /**
     * One request, and its answer, whatever its status.
     *
     * @throws java.net.ConnectException when nobody listens there
     * @throws IOException when there is no answer in time, or one that is no JSON
     */
    public Answer ask(String method, String path, @Nullable JsonNode body, Duration timeout) throws IOException {
        HttpURLConnection connection = (HttpURLConnection)
                URI.create("http://" + address + path).toURL().openConnection();
        connection.setConnectTimeout((int) connectTimeout.toMillis());
        connection.setReadTimeout((int) timeout.toMillis());
        connection.setRequestMethod(method);
        try {
            if (body != null) {
                connection.setDoOutput(true);
                connection.setRequestProperty("Content-Type", "application/json");
                try (OutputStream out = connection.getOutputStream()) {
                    out.write(MAPPER.writeValueAsBytes(body));
                }
            }
            int status = connection.getResponseCode();
            try (InputStream in = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
                byte[] bytes = in == null ? new byte[0] : in.readNBytes(maxAnswerBytes);
                return new Answer(
                        status, bytes.length == 0 ? JsonNodeFactory.instance.nullNode() : MAPPER.readTree(bytes));
            }
        } catch (JacksonException e) {
            throw new IOException(address + path + " answered what is no JSON", e);
        } finally {
            connection.disconnect();
        }
    }
}
