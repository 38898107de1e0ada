package io.tidemark.wire.frame;

import io.netty.buffer.ByteBuf;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The fields of an ErrorResponse or NoticeResponse: {@code n * {u8 field, cstr value}, u8 0}.
 *
 * @param fields by PostgreSQL's field letters (S severity, C SQLSTATE, M message, D detail, H hint, ...). Unmodifiable
 */
public record ErrorFields(Map<Character, String> fields) {
    public ErrorFields {
        fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    }

    /** An error with severity ERROR. */
    public static ErrorFields error(String sqlState, String message) {
        return of("ERROR", sqlState, message);
    }

    /** An error after which the server closes the connection. */
    public static ErrorFields fatal(String sqlState, String message) {
        return of("FATAL", sqlState, message);
    }

    private static ErrorFields of(String severity, String sqlState, String message) {
        Map<Character, String> fields = new LinkedHashMap<>();
        fields.put('S', severity);
        fields.put('V', severity);
        fields.put('C', sqlState);
        fields.put('M', message);
        return new ErrorFields(fields);
    }

    static ErrorFields decode(MessageReader in) {
        Map<Character, String> fields = new LinkedHashMap<>();
        for (int field = in.u8(); field != 0; field = in.u8()) {
            // Before the encoding is agreed on, a server complains in its own: better a garbled text than none.
            fields.put((char) field, in.lenientCString());
        }
        return new ErrorFields(fields);
    }

    void encode(ByteBuf out) {
        fields.forEach((field, value) -> {
            out.writeByte(field);
            CString.write(out, value.replace('\0', ' '));
        });
        out.writeByte(0);
    }

    public String severity() {
        return fields.getOrDefault('V', fields.getOrDefault('S', ""));
    }

    /** Five characters, see {@link SqlState}; empty when the peer sent none. */
    public String sqlState() {
        return fields.getOrDefault('C', "");
    }

    public String message() {
        return fields.getOrDefault('M', "");
    }

    /** Severity, message and SQLSTATE, with detail and hint where they exist, in one line. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(severity() + ": " + message() + " (SQLSTATE " + sqlState() + ")");
        if (fields.containsKey('D')) {
            text.append("; detail: ").append(fields.get('D'));
        }
        if (fields.containsKey('H')) {
            text.append("; hint: ").append(fields.get('H'));
        }
        return text.toString();
    }
}
