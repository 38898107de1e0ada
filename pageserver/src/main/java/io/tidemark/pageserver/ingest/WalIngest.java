package io.tidemark.pageserver.ingest;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tidemark.pageserver.ingest.IngestException.Reason;
import io.tidemark.pageserver.ingest.RecordTable.Action;
import io.tidemark.pageserver.key.Key;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.key.Value;
import io.tidemark.pageserver.pgpage.PageException;
import io.tidemark.pageserver.redo.RecordData;
import io.tidemark.pageserver.redo.RedoException;
import io.tidemark.pageserver.redo.RedoRules;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.WalFlavour;
import io.tidemark.wire.wal.WalRecord;
import java.io.IOException;

/**
 * Turns the records of one timeline into changes on keys, one after the other.
 *
 * <p>A record's changes are put together at its end LSN when all of it has been understood, so a record that is refused changes
 * nothing. After any exception the object is worthless, since what it remembers of the head may be ahead of it: make a new one from the
 * head.
 *
 * <p>Belongs to one thread. Memory is bounded: caches of directories, and the changes of one record.
 */
public final class WalIngest {
    private static final String AUX_FILE_PREFIX = "neon-file:";

    private final RedoRules rules;
    private final RecordTable table;
    private final TimelineHead head;
    private final Changes changes = new Changes();
    private final IngestContext context;
    private final BlockIngest blocks;
    private final VisibilityIngest visibility;
    private final TransactionIngest transactions;
    private final MultixactIngest multixacts;
    private final StorageIngest storage;
    private final ControlIngest control;

    private Lsn lastEnd = Lsn.INVALID;

    /**
     * Continues at the head.
     *
     * @throws IOException when the head has no base data, or cannot be read
     */
    public WalIngest(TimelineHead head, RedoRules rules) throws IOException {
        this.head = head;
        this.rules = rules;
        this.table = new RecordTable(rules.pgMajor(), rules.flavour());
        this.context = new IngestContext(
                head,
                rules,
                changes,
                new RelationDirectory(head, changes),
                new SlruDirectory(head, changes),
                RunningCheckPoint.load(head));
        this.blocks = new BlockIngest(context);
        this.visibility = new VisibilityIngest(context);
        this.transactions = new TransactionIngest(context);
        this.multixacts = new MultixactIngest(context);
        this.storage = new StorageIngest(context);
        this.control = new ControlIngest(context);
    }

    /**
     * Ingests a record: everything it changes has been put when this returns.
     *
     * @throws IngestException when the record is unknown, unsupported or contradicts itself
     * @throws IOException when the head cannot be read or written
     */
    public void ingest(WalRecord record) throws IngestException, IOException {
        if (record.end().isAtMost(lastEnd)) {
            throw refused(Reason.INVALID_RECORD, record, "the record before it ends at " + lastEnd);
        }
        Action action = table.actionOf(record.rmgrId(), record.info());
        if (action == null) {
            throw refused(
                    Reason.UNKNOWN_RECORD,
                    record,
                    "no such record in PostgreSQL " + rules.pgMajor() + "; is this WAL of an extension?");
        }
        if (!action.carriesBlocks() && !record.blocks().isEmpty()) {
            throw refused(Reason.INVALID_RECORD, record, "it has block references, which such records never have");
        }
        lastEnd = record.end();
        changes.begin(record.end());
        try {
            context.checkPoint().sawXid(record.xid());
            act(action, record, new RecordData(record.array(), record.mainDataOffset(), record.mainDataLength()));
            blocks.ingest(record);
        } catch (PageException
                | IndexOutOfBoundsException
                | IllegalArgumentException
                | Changes.UnmergeableException e) {
            throw refused(Reason.INVALID_RECORD, record, e);
        } catch (RedoException e) {
            throw refused(Reason.INVALID_RECORD, record, e);
        } catch (UnsupportedRecordException e) {
            throw refused(Reason.UNSUPPORTED, record, e);
        }
        context.relations().flush();
        context.checkPoint().flush(changes);
        changes.putAll(head);
    }

    private void act(Action action, WalRecord record, RecordData main) throws IOException, UnsupportedRecordException {
        switch (action) {
            case BLOCKS, NONE -> {}
            case HEAP -> visibility.ingest(record);
            case COMMIT -> transactions.end(record, main, true);
            case ABORT -> transactions.end(record, main, false);
            case PREPARE -> transactions.prepare(record, main);
            case RUNNING_TRANSACTIONS -> transactions.running(main);
            case ZERO_CLOG_PAGE -> transactions.zeroClogPage(main);
            case TRUNCATE_CLOG -> transactions.truncateClog(main);
            case SET_ORIGIN -> transactions.setOrigin(main);
            case DROP_ORIGIN -> transactions.dropOrigin(main);
            case CREATE_FORK -> storage.createFork(main);
            case TRUNCATE_RELATION -> storage.truncate(main);
            case RELATION_MAP -> storage.relationMap(main);
            case COPY_DATABASE -> storage.copyDatabase(main);
            case CREATE_DATABASE -> storage.createDatabase(main);
            case DROP_DATABASE -> storage.dropDatabase(main);
            case ZERO_OFFSETS_PAGE -> multixacts.zeroOffsetsPage(main);
            case ZERO_MEMBERS_PAGE -> multixacts.zeroMembersPage(main);
            case CREATE_MULTIXACT -> multixacts.create(main);
            case TRUNCATE_MULTIXACTS -> multixacts.truncate(main);
            case SHUTDOWN_CHECKPOINT -> control.shutdownCheckPoint(record.start(), main);
            case ONLINE_CHECKPOINT -> control.onlineCheckPoint(record.start(), main);
            case NEXT_OID -> control.nextOid(main);
            case PARAMETERS -> control.parameters(main);
            case RESTORE_POINT -> control.restorePoint(main, record.end());
            case FULL_PAGE_WRITES -> control.fullPageWrites(main);
            case END_OF_RECOVERY -> control.endOfRecovery(main);
            case LOGICAL_MESSAGE -> logicalMessage(main);
        }
    }

    /**
     * A logical message; Neon's computes send files by it that are to survive them: {@code database(u32) transactional(u8) 8
     * prefixLength(u64, with NUL) messageLength(u64) prefix message}.
     */
    private void logicalMessage(RecordData main) {
        if (rules.flavour() != WalFlavour.NEON) {
            return;
        }
        long prefixLength = main.seek(8).i64();
        long messageLength = main.i64();
        if (prefixLength < 1 || prefixLength > main.remaining() || messageLength != main.remaining() - prefixLength) {
            throw new IndexOutOfBoundsException("its prefix of " + prefixLength + " and message of " + messageLength
                    + " bytes are not what follows: " + main.remaining());
        }
        int prefixAt = main.take((int) prefixLength);
        String prefix = new String(main.array(), prefixAt, (int) prefixLength - 1, UTF_8);
        if (prefix.startsWith(AUX_FILE_PREFIX)) {
            String path = prefix.substring(AUX_FILE_PREFIX.length());
            Key key = Keys.auxFile(path);
            changes.put(key, messageLength == 0 ? Value.REMOVED : AuxFile.image(path, main));
        }
    }

    private IngestException refused(Reason reason, WalRecord record, String detail) {
        changes.clear();
        return new IngestException(reason, record, rules.pgMajor(), detail);
    }

    private IngestException refused(Reason reason, WalRecord record, Exception cause) {
        changes.clear();
        return new IngestException(reason, record, rules.pgMajor(), cause);
    }
}
