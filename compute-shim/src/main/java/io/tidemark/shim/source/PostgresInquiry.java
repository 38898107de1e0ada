package io.tidemark.shim.source;

import io.netty.channel.EventLoop;
import io.tidemark.shim.libpq.Ending;
import io.tidemark.shim.libpq.Questions;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.client.PgServerException;
import io.tidemark.wire.frame.InvalidMessageException;
import io.tidemark.wire.frame.TextTable;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Asks a PostgreSQL who it is and prepares its slot. Blocks; never on an event loop.
 *
 * <p>Two outcomes besides success: {@link IOException}, ask again later; {@link PostgresRefusedException}, somebody has to change
 * something first.
 */
public final class PostgresInquiry {
    private static final int FIRST_WITH_READ_REPLICATION_SLOT = 15;

    // PostgreSQL's duplicate_object and too_many_connections.
    private static final String DUPLICATE_OBJECT = "42710";
    private static final String TOO_MANY_CONNECTIONS = "53300";

    private static final String MINIMAL =
            "%s runs with wal_level = minimal; set it to replica or logical and restart PostgreSQL.";

    private final EventLoop loop;
    private final PgClientConfig replication;
    private final PgClientConfig plain;

    /**
     * @param replication for a physical replication connection
     * @param plain for an ordinary connection to the same server; only used with PostgreSQL 14
     */
    public PostgresInquiry(EventLoop loop, PgClientConfig replication, PgClientConfig plain) {
        this.loop = loop;
        this.replication = replication;
        this.plain = plain;
    }

    /** Asks for its identity and checks that a shim can stand beside it. */
    public PostgresIdentity identify() throws IOException, InterruptedException, PostgresRefusedException {
        try (Questions session = Questions.open(loop, replication)) {
            List<@Nullable String> row = onlyRow(session.ask("IDENTIFY_SYSTEM"), "IDENTIFY_SYSTEM");
            PostgresIdentity identity = new PostgresIdentity(
                    SystemId.parse(text(row, 0)),
                    Long.parseLong(text(row, 1)),
                    Lsn.parse(text(row, 2)),
                    PgVersion.of(Integer.parseInt(show(session, "server_version_num"))),
                    segmentSize(show(session, "wal_segment_size")),
                    show(session, "wal_level"),
                    show(session, "synchronous_standby_names"));
            require(identity);
            return identity;
        } catch (IOException e) {
            throw judge(e);
        } catch (IllegalArgumentException e) {
            throw new PostgresRefusedException(
                    replication + " answered what is no PostgreSQL's answer: " + e.getMessage(), e);
        }
    }

    private void require(PostgresIdentity identity) throws PostgresRefusedException {
        if (!identity.version().isSupported()) {
            throw new PostgresRefusedException(replication + " is PostgreSQL " + identity.version() + "; supported are "
                    + PgVersion.OLDEST_MAJOR + " to " + PgVersion.NEWEST_MAJOR);
        }
        if (identity.tli() != 1) {
            throw new PostgresRefusedException(replication + " is on WAL timeline (tli) " + identity.tli()
                    + ": it was promoted from a standby or restored to a point in time. Only tli 1 is supported; dump and restore"
                    + " into a new cluster.");
        }
        if (identity.walLevel().equals("minimal")) {
            throw new PostgresRefusedException(MINIMAL.formatted(replication));
        }
    }

    /**
     * Makes the slot when it isn't there, and answers from where on PostgreSQL keeps WAL for it: a record boundary.
     *
     * @return empty when the slot exists and keeps nothing
     */
    public Optional<Lsn> prepareSlot(String slot, PgVersion version)
            throws IOException, InterruptedException, PostgresRefusedException {
        try (Questions session = Questions.open(loop, replication)) {
            try {
                session.ask("CREATE_REPLICATION_SLOT \"" + slot + "\" PHYSICAL RESERVE_WAL");
            } catch (PgServerException e) {
                if (!e.sqlState().equals(DUPLICATE_OBJECT)) {
                    throw e;
                }
            }
            String restartLsn =
                    version.major() >= FIRST_WITH_READ_REPLICATION_SLOT ? readSlot(session, slot) : selectSlot(slot);
            return Optional.ofNullable(restartLsn).map(Lsn::parse);
        } catch (IOException e) {
            throw judge(e);
        }
    }

    private static @Nullable String readSlot(Questions session, String slot)
            throws IOException, InterruptedException, PostgresRefusedException {
        List<@Nullable String> row =
                onlyRow(session.ask("READ_REPLICATION_SLOT \"" + slot + "\""), "READ_REPLICATION_SLOT");
        if (row.getFirst() == null) {
            throw new PostgresRefusedException("replication slot " + slot + " disappeared while it was prepared");
        }
        return row.get(1);
    }

    // PostgreSQL 14 has no way to ask this on a replication connection.
    private @Nullable String selectSlot(String slot)
            throws IOException, InterruptedException, PostgresRefusedException {
        try (Questions session = Questions.open(loop, plain)) {
            return onlyRow(
                            session.ask("SELECT restart_lsn FROM pg_catalog.pg_replication_slots WHERE slot_name = '"
                                    + slot + "' AND slot_type = 'physical'"),
                            "the question for slot " + slot)
                    .getFirst();
        }
    }

    private static String show(Questions session, String setting)
            throws IOException, InterruptedException, PostgresRefusedException {
        return text(onlyRow(session.ask("SHOW " + setting), "SHOW " + setting), 0);
    }

    private static List<@Nullable String> onlyRow(TextTable table, String question) throws PostgresRefusedException {
        List<List<@Nullable String>> rows = table.rows();
        if (rows.size() != 1 || rows.getFirst().isEmpty()) {
            throw new PostgresRefusedException(question + " was answered with " + rows.size() + " rows instead of one");
        }
        return rows.getFirst();
    }

    private static String text(List<@Nullable String> row, int column) throws PostgresRefusedException {
        String text = column < row.size() ? row.get(column) : null;
        if (text == null) {
            throw new PostgresRefusedException("PostgreSQL left column " + (column + 1) + " of its answer empty");
        }
        return text;
    }

    /** PostgreSQL's SHOW prints sizes with a unit: 16MB, 1GB. */
    static int segmentSize(String text) {
        long unit;
        if (text.endsWith("MB")) {
            unit = 1 << 20;
        } else if (text.endsWith("GB")) {
            unit = 1 << 30;
        } else {
            throw new IllegalArgumentException("not a WAL segment size: '" + text + "'");
        }
        long bytes = Long.parseLong(text.substring(0, text.length() - 2)) * unit;
        if (bytes < 1 << 20 || bytes > 1 << 30 || Long.bitCount(bytes) != 1) {
            throw new IllegalArgumentException("not a WAL segment size: '" + text + "'");
        }
        return (int) bytes;
    }

    /** Which errors pass by themselves and which do not. */
    private IOException judge(IOException e) throws InterruptedException, PostgresRefusedException {
        if (e.getCause() instanceof InvalidMessageException) {
            throw new PostgresRefusedException(String.valueOf(e.getMessage()), e);
        }
        if (!(e instanceof PgServerException said)) {
            return e;
        }
        if (said.sqlState().equals(TOO_MANY_CONNECTIONS) && isMinimal()) {
            throw new PostgresRefusedException(MINIMAL.formatted(replication), e);
        }
        if (Ending.isTemporary(said.sqlState())) {
            return new IOException(replication + ": " + said.getMessage(), said);
        }
        throw new PostgresRefusedException(replication + ": " + said.getMessage(), said);
    }

    // With wal_level = minimal there are no walsenders, so the server says that all of them are taken.
    private boolean isMinimal() throws InterruptedException, PostgresRefusedException {
        try (Questions session = Questions.open(loop, plain)) {
            return show(session, "wal_level").equals("minimal");
        } catch (IOException e) {
            return false;
        }
    }
}
