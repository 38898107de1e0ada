package io.tidemark.cli.follow;

import io.tidemark.cli.cluster.ClusterException;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.shim.libpq.Questions;
import io.tidemark.shim.source.PostgresAddress;
import io.tidemark.shim.source.PostgresIdentity;
import io.tidemark.shim.source.PostgresInquiry;
import io.tidemark.shim.source.PostgresRefusedException;
import io.tidemark.wire.client.PgClientConfig;
import io.tidemark.wire.client.PgServerException;
import io.tidemark.wire.frame.TextTable;
import io.tidemark.wire.id.Lsn;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Asks a server that is imported, over replication connections where that is possible. Blocks. */
final class SourceProbe implements AutoCloseable {
    private static final String APPLICATION_NAME = "tidemark_import_admin";

    // PostgreSQL's SQLSTATEs.
    private static final String INSUFFICIENT_PRIVILEGE = "42501";
    private static final String INVALID_AUTHORIZATION = "28000";
    private static final String CONFIGURATION_LIMIT = "53400";
    private static final String TOO_MANY_CONNECTIONS = "53300";
    private static final String UNDEFINED_OBJECT = "42704";

    private final EventLoops loops = new EventLoops("import-probe");
    private final PostgresAddress source;
    private final PgClientConfig replication;
    private final PgClientConfig plain;

    SourceProbe(PostgresAddress source) {
        this.source = source;
        PgClientConfig server = PgClientConfig.of(source.host(), source.port(), source.user())
                .withPassword(source.password().isEmpty() ? null : source.password())
                .withTls(source.sslMode(), null)
                .withParameter("application_name", APPLICATION_NAME);
        this.replication = server.withParameter("replication", "true");
        this.plain = server.withParameter("database", source.database());
    }

    private PostgresInquiry inquiry() {
        return new PostgresInquiry(loops.group().next(), replication, plain);
    }

    /**
     * Who it is.
     *
     * @throws ClusterException when it cannot be imported, with what to do
     * @throws IOException when it does not answer
     */
    PostgresIdentity identify() throws IOException, InterruptedException {
        try {
            return inquiry().identify();
        } catch (PostgresRefusedException e) {
            throw explained(e);
        } catch (IOException e) {
            if (e.getCause() instanceof PgServerException said
                    && said.sqlState().equals(TOO_MANY_CONNECTIONS)) {
                throw new ClusterException(said.getMessage() + todo(said.sqlState(), source), e);
            }
            throw e;
        }
    }

    /** Makes the slot that keeps its WAL for us, unless it is there; throws like {@link #identify}. */
    void prepareSlot(String slot, PostgresIdentity identity) throws IOException, InterruptedException {
        try {
            inquiry().prepareSlot(slot, identity.version());
        } catch (PostgresRefusedException e) {
            throw explained(e);
        }
    }

    private ClusterException explained(PostgresRefusedException e) {
        String state = e.getCause() instanceof PgServerException said ? said.sqlState() : "";
        return new ClusterException(e.getMessage() + todo(state, source), e);
    }

    private static String todo(String sqlState, PostgresAddress source) {
        return switch (sqlState) {
            case INSUFFICIENT_PRIVILEGE ->
                ": the role needs REPLICATION: ALTER ROLE \"" + source.user() + "\" REPLICATION";
            case INVALID_AUTHORIZATION ->
                ": a line in its pg_hba.conf has to let it in: host replication " + source.user()
                        + " ADDRESS scram-sha-256";
            case CONFIGURATION_LIMIT ->
                ": an import needs two replication slots of " + source
                        + "; drop one that nobody uses, or raise max_replication_slots";
            case TOO_MANY_CONNECTIONS ->
                ": an import needs four WAL senders of " + source + "; raise max_wal_senders there";
            default -> "";
        };
    }

    /** What the pageserver was told by the server, with what to do. */
    static IOException explained(IOException copyFailure, PostgresAddress source) {
        String message = String.valueOf(copyFailure.getMessage());
        for (String state : List.of(CONFIGURATION_LIMIT, TOO_MANY_CONNECTIONS, INVALID_AUTHORIZATION)) {
            if (message.contains("SQLSTATE " + state)) {
                return new ClusterException(message + todo(state, source), copyFailure);
            }
        }
        return copyFailure;
    }

    private String show(String setting) throws IOException, InterruptedException {
        try (Questions session = Questions.open(loops.group().next(), replication)) {
            return value(session.ask("SHOW " + setting), 0);
        }
    }

    private static String value(TextTable table, int row) throws IOException {
        String value = table.rows().size() > row ? table.rows().get(row).getFirst() : null;
        if (value == null) {
            throw new IOException("an empty answer");
        }
        return value;
    }

    /** Whether it recovers from somebody else's WAL. */
    boolean isStandby() throws IOException, InterruptedException {
        return show("in_hot_standby").equals("on");
    }

    /** Whether new transactions may not write unless they insist. */
    boolean isReadOnly() throws IOException, InterruptedException {
        return show("default_transaction_read_only").equals("on");
    }

    /** Process ids of sessions that are in a transaction which has written, as far as the role may see them. */
    List<String> writers() throws IOException, InterruptedException {
        try (Questions session = Questions.open(loops.group().next(), plain)) {
            TextTable table = session.ask("SELECT pid FROM pg_catalog.pg_stat_activity WHERE backend_xid IS NOT NULL"
                    + " AND backend_type = 'client backend' ORDER BY 1");
            List<String> pids = new ArrayList<>();
            for (int row = 0; row < table.rows().size(); row++) {
                pids.add(value(table, row));
            }
            return pids;
        }
    }

    /** A connection that is asked for its flush_lsn again and again. */
    Questions watch() throws IOException, InterruptedException {
        return Questions.open(loops.group().next(), replication);
    }

    /** What the server has flushed. */
    static Lsn flushLsn(Questions watch) throws IOException, InterruptedException {
        TextTable table = watch.ask("IDENTIFY_SYSTEM");
        String lsn = table.rows().isEmpty() ? null : table.value(0, "xlogpos");
        if (lsn == null) {
            throw new IOException("no answer to IDENTIFY_SYSTEM");
        }
        return Lsn.parse(lsn);
    }

    /** Lets the server forget WAL that it kept for us; it is no error when there is no such slot. */
    void dropSlot(String slot) throws IOException, InterruptedException {
        try (Questions session = Questions.open(loops.group().next(), replication)) {
            session.ask("DROP_REPLICATION_SLOT \"" + slot + "\" WAIT");
        } catch (PgServerException e) {
            if (!e.sqlState().equals(UNDEFINED_OBJECT)) {
                throw e;
            }
        }
    }

    @Override
    public void close() {
        loops.close();
    }
}
