package io.tidemark.cli.page;

import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How people write a relation: {@code 1663/5/16384}, its other forks as {@code 1663/5/16384_vm} or {@code 1663/5/16384.vm}. */
final class RelationText {
    private static final Pattern FORM =
            Pattern.compile("(\\d{1,10})/(\\d{1,10})/(\\d{1,10})(?:[._](main|fsm|vm|init))?");

    private RelationText() {}

    /** Throws {@link IllegalArgumentException} when it is anything else. */
    static RelTag parse(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("not a relation: '" + text
                    + "' (expected TABLESPACE/DATABASE/FILENODE, with .fsm, .vm or .init for another fork;"
                    + " pg_relation_filepath() shows the last two)");
        }
        String fork = matcher.group(4);
        return new RelTag(
                Integer.parseUnsignedInt(matcher.group(1)),
                Integer.parseUnsignedInt(matcher.group(2)),
                Integer.parseUnsignedInt(matcher.group(3)),
                fork == null ? Fork.MAIN : Fork.valueOf(fork.toUpperCase(Locale.ROOT)));
    }
}
