package io.tidemark.runtime.http;

/** What an HTTP edge counts. From any thread. */
public interface HttpMetrics {
    /** A request or a connection was not taken; {@code reason} is a name in capitals. */
    void refused(String reason);

    /** A request was answered with this status. */
    void httpRequest(int status);
}
