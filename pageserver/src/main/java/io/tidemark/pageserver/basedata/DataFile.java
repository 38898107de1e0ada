package io.tidemark.pageserver.basedata;

import io.tidemark.wire.rel.Fork;
import io.tidemark.wire.rel.RelTag;
import io.tidemark.wire.rel.SlruKind;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a file of a data directory is, by its path.
 *
 * <pre>
 *   global/N[_fork][.segment]   base/DB/N[_fork][.segment]   relations; tN_N are temporary and nothing
 *   global/pg_filenode.map      base/DB/pg_filenode.map      base/DB/PG_VERSION
 *   pg_xact/HHHH   pg_multixact/members/HHHH   pg_multixact/offsets/HHHH
 *   pg_twophase/XID in hex      pg_tblspc/N...               pg_logical/replorigin_checkpoint     global/pg_control
 * </pre>
 */
sealed interface DataFile {
    /** 1 GB of a fork, or the rest of it. */
    record RelationSegment(RelTag tag, int segment) implements DataFile {}

    record RelationMap(int tablespace, int database) implements DataFile {}

    record DatabaseVersion(int tablespace, int database) implements DataFile {}

    record SlruSegment(SlruKind kind, int segment) implements DataFile {}

    record TwoPhase(long xid) implements DataFile {}

    record Origins() implements DataFile {}

    record Control() implements DataFile {}

    /** Something of a tablespace that a user made. */
    record UserTablespace(String path) implements DataFile {}

    /** Nothing that storage keeps. */
    record Other() implements DataFile {}

    DataFile OTHER = new Other();

    Pattern RELATION = Pattern.compile("(\\d{1,10})(_fsm|_vm|_init)?(?:\\.(\\d{1,6}))?");
    Pattern IN_DATABASE = Pattern.compile("base/(\\d{1,10})/([^/]+)");
    Pattern SLRU = Pattern.compile("(pg_xact|pg_multixact/members|pg_multixact/offsets)/([0-9A-F]{4,15})");
    Pattern TWO_PHASE = Pattern.compile("pg_twophase/([0-9A-F]{8}|[0-9A-F]{16})");

    /**
     * Tells by the path alone.
     *
     * @param path relative to the data directory, with slashes
     */
    static DataFile of(String path) {
        if (path.startsWith("pg_tblspc/")) {
            return new UserTablespace(path);
        }
        if (path.equals("pg_logical/replorigin_checkpoint")) {
            return new Origins();
        }
        try {
            if (path.startsWith("global/")) {
                return inDatabase(RelTag.GLOBAL_TABLESPACE, 0, path.substring("global/".length()));
            }
            Matcher matcher = IN_DATABASE.matcher(path);
            if (matcher.matches()) {
                int database = Integer.parseUnsignedInt(matcher.group(1));
                return inDatabase(RelTag.DEFAULT_TABLESPACE, database, matcher.group(2));
            }
            matcher = SLRU.matcher(path);
            if (matcher.matches()) {
                return new SlruSegment(kindOf(matcher.group(1)), Integer.parseUnsignedInt(matcher.group(2), 16));
            }
            matcher = TWO_PHASE.matcher(path);
            if (matcher.matches()) {
                return new TwoPhase(Long.parseUnsignedLong(matcher.group(1), 16));
            }
        } catch (NumberFormatException outOfRange) {
            return OTHER;
        }
        return OTHER;
    }

    private static DataFile inDatabase(int tablespace, int database, String name) {
        return switch (name) {
            case "pg_filenode.map" -> new RelationMap(tablespace, database);
            case "PG_VERSION" -> new DatabaseVersion(tablespace, database);
            case "pg_control" -> tablespace == RelTag.GLOBAL_TABLESPACE ? new Control() : OTHER;
            default -> relation(tablespace, database, RELATION.matcher(name));
        };
    }

    private static DataFile relation(int tablespace, int database, Matcher name) {
        if (!name.matches()) {
            return OTHER;
        }
        int relation = Integer.parseUnsignedInt(name.group(1));
        RelTag tag = new RelTag(tablespace, database, relation, forkOf(name.group(2)));
        return new RelationSegment(tag, name.group(3) == null ? 0 : Integer.parseInt(name.group(3)));
    }

    private static Fork forkOf(String suffix) {
        for (Fork fork : Fork.values()) {
            if (fork.fileSuffix().equals(suffix)) {
                return fork;
            }
        }
        return Fork.MAIN;
    }

    private static SlruKind kindOf(String directory) {
        for (SlruKind kind : SlruKind.values()) {
            if (kind.directory().equals(directory)) {
                return kind;
            }
        }
        throw new IllegalArgumentException(directory);
    }
}
