package io.tidemark.runtime.http;

/** A request that is answered with an error: {@code {"msg": text}} and a status. */
public final class HttpError extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int status;

    /** {@code status} is 400 to 599; {@code text} is for the caller, and says what to do where that is not obvious. */
    public HttpError(int status, String text) {
        super(text, null, false, false);
        this.status = status;
    }

    public int status() {
        return status;
    }

    /** 400. */
    public static HttpError badRequest(String text) {
        return new HttpError(400, text);
    }

    /** 404. */
    public static HttpError notFound(String text) {
        return new HttpError(404, text);
    }

    /** What the caller is told. */
    public String text() {
        String message = getMessage();
        return message == null ? "" : message;
    }
}
