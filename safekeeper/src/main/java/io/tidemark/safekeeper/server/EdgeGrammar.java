package io.tidemark.safekeeper.server;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.Term;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The patterns of {@link EdgeCommand}. */
final class EdgeGrammar {
    private static final Pattern START_REPLICATION = Pattern.compile(
            "START_REPLICATION(?:\\s+SLOT\\s+(?:\"[^\"]*\"|\\S+))?(?:\\s+PHYSICAL)?"
                    + "\\s+([0-9A-F]{1,8}/[0-9A-F]{1,8})(?:\\s+\\(term='([0-9]{1,20})'\\))?",
            Pattern.CASE_INSENSITIVE);
    private static final Pattern OPTION = Pattern.compile("\\s*(\\w+)\\s+('?)([^',]*)\\2\\s*");
    private static final int MAX_OPTIONS = 100;

    private EdgeGrammar() {}

    /** The second word, without its quotes. */
    static String name(String[] words) {
        String word = words.length > 1 ? words[1] : "";
        boolean quoted = word.length() > 1 && word.startsWith("\"") && word.endsWith("\"");
        return quoted ? word.substring(1, word.length() - 1) : word;
    }

    /** All but the first word. */
    static String rest(String[] words, String text) {
        return text.substring(words[0].length()).strip();
    }

    static EdgeCommand startReplication(String text) {
        Matcher matcher = START_REPLICATION.matcher(text);
        if (!matcher.lookingAt()) {
            throw new IllegalArgumentException(
                    "expected START_REPLICATION [SLOT name] [PHYSICAL] X/X [(term='N')], got: " + text);
        }
        String term = matcher.group(2);
        try {
            return new EdgeCommand.StartReplication(
                    Lsn.parse(matcher.group(1)), term == null ? null : Term.of(Long.parseUnsignedLong(term)));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("not a term: " + term, e);
        }
    }

    static EdgeCommand startWalPush(String text) {
        int version = 2;
        boolean allowCreation = true;
        String rest = text.substring("START_WAL_PUSH".length()).strip();
        if (rest.isEmpty()) {
            return new EdgeCommand.StartWalPush(version, allowCreation);
        }
        if (!rest.startsWith("(") || !rest.endsWith(")")) {
            throw new IllegalArgumentException("expected START_WAL_PUSH (option 'value', ...), got: " + text);
        }
        for (String option : rest.substring(1, rest.length() - 1).split(",", MAX_OPTIONS)) {
            Matcher matcher = OPTION.matcher(option);
            if (!matcher.matches()) {
                throw new IllegalArgumentException("not an option of START_WAL_PUSH: '" + option.strip() + "'");
            }
            String value = matcher.group(3).strip();
            switch (matcher.group(1)) {
                case "proto_version" -> version = version(value);
                case "allow_timeline_creation" -> allowCreation = bool(value);
                default -> {
                    // An option of a later client; Neon ignores those too.
                }
            }
        }
        return new EdgeCommand.StartWalPush(version, allowCreation);
    }

    private static int version(String value) {
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("not a proto_version: '" + value + "'", e);
        }
    }

    private static boolean bool(String value) {
        return switch (value) {
            case "true" -> true;
            case "false" -> false;
            default ->
                throw new IllegalArgumentException("allow_timeline_creation is 'true' or 'false', not '" + value + "'");
        };
    }
}
