package io.tidemark.wire.rel;

/**
 * One fork of one relation: what a file in a data directory is. All numbers are unsigned 32-bit oids.
 *
 * @param tablespace spcnode: {@link #DEFAULT_TABLESPACE}, {@link #GLOBAL_TABLESPACE} or a user's
 * @param database dbnode; 0 for a shared relation
 * @param relation relnode, the file number: not pg_class.oid
 * @param fork forknum
 */
public record RelTag(int tablespace, int database, int relation, Fork fork) implements Comparable<RelTag> {
    /** DEFAULTTABLESPACE_OID: pg_default, the directory {@code base}. */
    public static final int DEFAULT_TABLESPACE = 1663;

    /** GLOBALTABLESPACE_OID: pg_global, the directory {@code global}. */
    public static final int GLOBAL_TABLESPACE = 1664;

    /** RELSEG_SIZE: blocks in one file of 1 GB. */
    public static final int BLOCKS_PER_SEGMENT = 131_072;

    public RelTag withFork(Fork other) {
        return new RelTag(tablespace, database, relation, other);
    }

    @Override
    public int compareTo(RelTag other) {
        int order = Integer.compareUnsigned(tablespace, other.tablespace);
        if (order == 0) {
            order = Integer.compareUnsigned(database, other.database);
        }
        if (order == 0) {
            order = Integer.compareUnsigned(relation, other.relation);
        }
        return order != 0 ? order : fork.compareTo(other.fork);
    }

    /** {@code 1663/5/16384}, with {@code _vm} and the like for the other forks. */
    @Override
    public String toString() {
        return Integer.toUnsignedString(tablespace) + "/" + Integer.toUnsignedString(database) + "/"
                + Integer.toUnsignedString(relation) + fork.fileSuffix();
    }
}
