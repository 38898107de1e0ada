package io.tidemark.pageserver.basebackup;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tidemark.pageserver.basebackup.DirectoryEntry.File;
import io.tidemark.pageserver.ingest.AuxFile;
import io.tidemark.pageserver.key.KeyKind;
import io.tidemark.pageserver.key.Keys;
import io.tidemark.pageserver.timeline.ReadException;
import io.tidemark.pageserver.timeline.ReadException.Kind;
import io.tidemark.pageserver.timeline.TimelineReader;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.tar.TarHeader;
import io.tidemark.wire.wal.LittleEndian;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * The small files: what a compute keeps in storage by path, prepared transactions, replication origins.
 *
 * <pre>
 *   restart.lsn              the least restart LSN of the replication slots: u64; only when there are slots
 *   pg_twophase/XID          the state, then its CRC: u32; the name has 8 digits up to 16, 16 from 17 on
 *   replorigin_checkpoint    0x1257DADE(u32) { id(u16) 6 remoteLsn(u64) } crc(u32); only when there are origins
 * </pre>
 */
final class StateFiles {
    private static final String SLOTS = "pg_replslot/";
    private static final String ORIGINS = "pg_logical/replorigin_checkpoint";
    private static final String STATISTICS = "pg_stat/pgstat.stat";
    private static final int SLOT_RESTART_LSN = 96;
    private static final int ORIGINS_MAGIC = 0x1257DADE;

    private final TimelineReader reader;
    private final int pgMajor;
    private final Lsn lsn;
    private final BackupKind kind;
    private final boolean wasShutDown;

    StateFiles(TimelineReader reader, int pgMajor, Lsn lsn, BackupKind kind, boolean wasShutDown) {
        this.reader = reader;
        this.pgMajor = pgMajor;
        this.lsn = lsn;
        this.kind = kind;
        this.wasShutDown = wasShutDown;
    }

    List<File> all() throws ReadException {
        List<File> files = new ArrayList<>();
        addAuxFiles(files);
        addTwoPhaseFiles(files);
        addOrigins(files);
        return files;
    }

    private void addAuxFiles(List<File> files) throws ReadException {
        Lsn[] restart = {Lsn.INVALID};
        reader.scan(KeyKind.AUX_FILE.range(), lsn, (key, value) -> {
            AuxFile file = AuxFile.read(value);
            if (file.content().length == 0 || !isWanted(file.path())) {
                return;
            }
            requireInside(file.path());
            files.add(DirectoryEntry.small(file.path(), file.content()));
            if (file.path().startsWith(SLOTS) && file.content().length >= SLOT_RESTART_LSN + Long.BYTES) {
                Lsn slot = Lsn.of(LittleEndian.i64(file.content(), SLOT_RESTART_LSN));
                restart[0] = restart[0].isValid() ? restart[0].min(slot) : slot;
            }
        });
        if (restart[0].isValid()) {
            byte[] bytes = new byte[Long.BYTES];
            LittleEndian.putI64(bytes, 0, restart[0].value());
            files.add(DirectoryEntry.small("restart.lsn", bytes));
        }
    }

    private boolean isWanted(String path) {
        if (path.startsWith(SLOTS)) {
            return kind.hasSlots();
        }
        return !path.equals(ORIGINS) && (wasShutDown || !path.equals(STATISTICS));
    }

    // Paths come out of WAL, and whoever unpacks them may be careless.
    private static void requireInside(String path) throws ReadException {
        boolean strange = path.startsWith("/") || path.getBytes(UTF_8).length > TarHeader.MAX_NAME_BYTES;
        for (String name : path.split("/", -1)) {
            strange |= name.isEmpty() || name.equals(".") || name.equals("..");
        }
        if (strange) {
            throw new ReadException(Kind.DAMAGED, "a file of the compute has the path '" + path + "'");
        }
    }

    private void addTwoPhaseFiles(List<File> files) throws ReadException {
        reader.scan(KeyKind.TWO_PHASE_FILE.range(), lsn, (key, state) -> {
            long xid = Keys.twoPhaseXid(key);
            String name = pgMajor < 17 ? "%08X".formatted((int) xid) : "%016X".formatted(xid);
            files.add(DirectoryEntry.small("pg_twophase/" + name, withCrc(state)));
        });
    }

    private void addOrigins(List<File> files) throws ReadException {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        byte[] magic = new byte[Integer.BYTES];
        LittleEndian.putI32(magic, 0, ORIGINS_MAGIC);
        content.writeBytes(magic);
        reader.scan(KeyKind.REPLICATION_ORIGIN.range(), lsn, (key, value) -> {
            byte[] origin = new byte[16];
            LittleEndian.putU16(origin, 0, key.f4());
            System.arraycopy(value, 0, origin, 8, Long.BYTES);
            content.writeBytes(origin);
        });
        if (content.size() > magic.length) {
            files.add(DirectoryEntry.small(ORIGINS, withCrc(content.toByteArray())));
        }
    }

    private static byte[] withCrc(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        byte[] file = Arrays.copyOf(bytes, bytes.length + Integer.BYTES);
        LittleEndian.putI32(file, bytes.length, (int) crc.getValue());
        return file;
    }
}
