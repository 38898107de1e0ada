package io.tidemark.shim.postgres;

import java.util.LinkedHashMap;
import java.util.Map;

/** PostgreSQL's configuration parameters as a file: {@code name = 'value'} per line, quotes doubled. */
final class ServerSettings {
    private static final String HEADER = "# Written by tidemark; changes are lost.\n";

    private ServerSettings() {}

    static String format(Map<String, String> settings) {
        StringBuilder text = new StringBuilder(HEADER);
        settings.forEach((name, value) -> {
            if (value.indexOf('\n') >= 0 || value.indexOf('\r') >= 0) {
                throw new IllegalArgumentException("line break in the value of " + name);
            }
            String quoted = value.replace("\\", "\\\\").replace("'", "''");
            text.append(name).append(" = '").append(quoted).append("'\n");
        });
        return text.toString();
    }

    /** Reads what {@link #format} wrote; lines of any other form are skipped. */
    static Map<String, String> parse(String text) {
        Map<String, String> settings = new LinkedHashMap<>();
        text.lines().forEach(line -> {
            int equals = line.indexOf(" = '");
            if (equals > 0 && line.endsWith("'") && !line.startsWith("#")) {
                String quoted = line.substring(equals + 4, line.length() - 1);
                settings.put(
                        line.substring(0, equals), quoted.replace("''", "'").replace("\\\\", "\\"));
            }
        });
        return settings;
    }
}
