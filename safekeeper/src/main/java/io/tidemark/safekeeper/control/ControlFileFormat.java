package io.tidemark.safekeeper.control;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tidemark.safekeeper.acceptor.AcceptorState;
import io.tidemark.safekeeper.control.InvalidControlFileException.Reason;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.id.PgVersion;
import io.tidemark.wire.id.SystemId;
import io.tidemark.wire.id.TenantId;
import io.tidemark.wire.id.TenantTimelineId;
import io.tidemark.wire.id.Term;
import io.tidemark.wire.id.TimelineId;
import io.tidemark.wire.wal.WalPageHeader;
import io.tidemark.wire.walpush.MembershipConfig;
import io.tidemark.wire.walpush.MembershipConfig.Member;
import io.tidemark.wire.walpush.TermHistory;
import io.tidemark.wire.walpush.TermLsn;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * The bytes of a control file, as Neon's safekeeper writes and reads them.
 *
 * <pre>
 * file     := magic:u32 = 0xCAFECEEF, version:u32, body, crc:u32      crc = CRC32C of everything before it
 * body 10  := tenant:string timeline:string membership log server uuid:string lsns backups eviction created
 * body 9   := tenant:string timeline:string            log server uuid:string lsns peers backups eviction
 * body 8   := ... as 9, without eviction;  body 7 := ... as 8, without backups
 * membership := generation:u32 members:vec(member) (0:u8 | 1:u8 newMembers:vec(member))
 * member   := id:u64 host:string pg_port:u16
 * log      := term:u64 history:vec(term:u64 lsn:u64)
 * server   := pg_version:u32 system_id:u64 wal_seg_size:u32
 * lsns     := timeline_start:u64 local_start:u64 commit:u64 backup:u64 peer_horizon:u64 remote_consistent:u64
 * peers    := vec(u64 u64 u64 u64 u64)                                 unused, written empty
 * backups  := vec(status:u32 name:string commit:u64 flush:u64 term:u64)
 * eviction := 0:u32 (all WAL is here) | 1:u32 flush_lsn:u64 (it is in object storage)
 * created  := seconds:u64 nanos:u32                                     since 1970
 * string, vec := length:u64, then that many bytes or elements
 * </pre>
 *
 * <p>All numbers are little endian; ids are strings of 32 hex digits (this is bincode 1 with fixed-width integers). Version 10 is
 * written when there is a membership generation, else version 9, which an older safekeeper can read. Versions 7 to 10 are
 * read. The proposer's uuid and the list of partial backups have no use here: they are skipped, and written as zeros and
 * empty. A timeline whose WAL has been offloaded is refused.
 */
public final class ControlFileFormat {
    /** No control file is longer, in bytes: room for a million elections. */
    public static final int MAX_BYTES = 16 << 20;

    static final int MAGIC = 0xCAFECEEF;
    static final int NEWEST_VERSION = 10;
    static final int VERSION_WITHOUT_MEMBERSHIP = 9;
    static final int OLDEST_VERSION = 7;

    private static final String NO_UUID = "0".repeat(32);

    private ControlFileFormat() {}

    /** The file for a state, in a heap buffer of its own. */
    public static ByteBuf encode(AcceptorState state) {
        boolean withMembership = state.membership().generation() != 0;
        BincodeWriter out = new BincodeWriter(Unpooled.buffer(512));
        out.u32(MAGIC).u32(withMembership ? NEWEST_VERSION : VERSION_WITHOUT_MEMBERSHIP);
        out.string(state.ttid().tenantId().toString());
        out.string(state.ttid().timelineId().toString());
        if (withMembership) {
            writeMembership(out, state.membership());
        }
        out.u64(state.term().value()).u64(state.termHistory().entries().size());
        for (TermLsn entry : state.termHistory().entries()) {
            out.u64(entry.term().value()).u64(entry.lsn().value());
        }
        out.u32(state.pgVersion().number()).u64(state.systemId().value()).u32(state.walSegmentSizeBytes());
        out.string(NO_UUID);
        out.u64(state.timelineStartLsn().value()).u64(state.localStartLsn().value());
        out.u64(state.commitLsn().value()).u64(state.backupLsn().value());
        out.u64(state.peerHorizonLsn().value()).u64(state.remoteConsistentLsn().value());
        if (!withMembership) {
            out.u64(0);
        }
        out.u64(0).u32(0);
        if (withMembership) {
            long millis = state.creationTimeMillis();
            out.u64(Math.floorDiv(millis, 1000L)).u32((int) Math.floorMod(millis, 1000L) * 1_000_000);
        }
        ByteBuf file = out.buffer();
        return file.writeIntLE(crcOf(file, file.readableBytes()));
    }

    private static void writeMembership(BincodeWriter out, MembershipConfig membership) {
        out.u32((int) membership.generation());
        writeMembers(out, membership.members());
        out.u8(membership.isJoint() ? 1 : 0);
        if (membership.isJoint()) {
            writeMembers(out, membership.newMembers());
        }
    }

    private static void writeMembers(BincodeWriter out, List<Member> members) {
        out.u64(members.size());
        for (Member member : members) {
            out.u64(member.nodeId().value()).string(member.host()).u16(member.pgPort());
        }
    }

    /**
     * Reads a file; the buffer's indexes stay where they are.
     *
     * @throws InvalidControlFileException for anything that is not a usable control file
     */
    public static AcceptorState decode(ByteBuf file) throws InvalidControlFileException {
        BincodeReader in = new BincodeReader(file.slice());
        int magic = in.u32();
        if (magic != MAGIC) {
            throw new InvalidControlFileException(
                    Reason.NOT_A_CONTROL_FILE, "not a control file: it starts with " + Integer.toHexString(magic));
        }
        int version = in.u32();
        if (Integer.compareUnsigned(version, NEWEST_VERSION) > 0) {
            throw new InvalidControlFileException(
                    Reason.TOO_NEW,
                    "control file version " + Integer.toUnsignedString(version) + " is newer than " + NEWEST_VERSION
                            + ", the newest this safekeeper reads; upgrade the safekeeper");
        }
        if (version < OLDEST_VERSION) {
            throw new InvalidControlFileException(
                    Reason.TOO_OLD,
                    "control file version " + version + " is older than " + OLDEST_VERSION
                            + ", the oldest this safekeeper reads");
        }
        verifyCrc(file);
        try {
            return decodeBody(in.withoutTrailer(Integer.BYTES), version);
        } catch (IllegalArgumentException e) {
            throw new InvalidControlFileException(Reason.CORRUPT, "corrupt control file: " + e.getMessage(), e);
        }
    }

    private static void verifyCrc(ByteBuf file) throws InvalidControlFileException {
        int length = file.readableBytes() - Integer.BYTES;
        int stored = file.getIntLE(file.readerIndex() + length);
        int computed = crcOf(file, length);
        if (stored != computed) {
            throw new InvalidControlFileException(
                    Reason.CORRUPT,
                    "corrupt control file: CRC is " + Integer.toHexString(computed) + ", the file says "
                            + Integer.toHexString(stored));
        }
    }

    private static int crcOf(ByteBuf file, int length) {
        CRC32C crc = new CRC32C();
        crc.update(file.nioBuffer(file.readerIndex(), length));
        return (int) crc.getValue();
    }

    private static AcceptorState decodeBody(BincodeReader in, int version) throws InvalidControlFileException {
        TenantTimelineId ttid = new TenantTimelineId(TenantId.parse(in.string()), TimelineId.parse(in.string()));
        MembershipConfig membership = version >= 10 ? readMembership(in) : MembershipConfig.NONE;
        Term term = Term.of(in.u64());
        TermHistory history = readHistory(in);
        PgVersion pgVersion = PgVersion.of(in.u32());
        SystemId systemId = SystemId.of(in.u64());
        int segmentSizeBytes = in.u32();
        if (!WalPageHeader.isSegmentSize(segmentSizeBytes)) {
            throw new IllegalArgumentException(
                    "WAL segments of " + Integer.toUnsignedString(segmentSizeBytes) + " bytes");
        }
        in.string();
        Lsn timelineStartLsn = Lsn.of(in.u64());
        Lsn localStartLsn = Lsn.of(in.u64());
        Lsn commitLsn = Lsn.of(in.u64());
        Lsn backupLsn = Lsn.of(in.u64());
        Lsn peerHorizonLsn = Lsn.of(in.u64());
        Lsn remoteConsistentLsn = Lsn.of(in.u64());
        skipPeersAndBackups(in, version);
        if (version >= 9) {
            requireWalIsHere(in);
        }
        long createdMillis = version >= 10 ? readMillis(in) : 0;
        in.requireEnd();
        return new AcceptorState(
                ttid,
                term,
                history,
                membership,
                pgVersion,
                systemId,
                segmentSizeBytes,
                timelineStartLsn,
                localStartLsn,
                commitLsn,
                backupLsn,
                peerHorizonLsn,
                remoteConsistentLsn,
                createdMillis);
    }

    private static MembershipConfig readMembership(BincodeReader in) throws InvalidControlFileException {
        long generation = Integer.toUnsignedLong(in.u32());
        List<Member> members = readMembers(in);
        List<Member> newMembers = in.option() ? readMembers(in) : List.of();
        return new MembershipConfig(generation, members, newMembers);
    }

    private static List<Member> readMembers(BincodeReader in) throws InvalidControlFileException {
        int count = in.length(Long.BYTES + Long.BYTES + Short.BYTES);
        List<Member> members = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            members.add(new Member(new NodeId(in.u64()), in.string(), in.u16()));
        }
        return members;
    }

    private static TermHistory readHistory(BincodeReader in) throws InvalidControlFileException {
        int count = in.length(2 * Long.BYTES);
        List<TermLsn> entries = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            entries.add(new TermLsn(Term.of(in.u64()), Lsn.of(in.u64())));
        }
        return new TermHistory(entries);
    }

    private static void skipPeersAndBackups(BincodeReader in, int version) throws InvalidControlFileException {
        if (version <= 9) {
            in.skip(in.length(5 * Long.BYTES) * 5 * Long.BYTES);
        }
        if (version >= 8) {
            int backups = in.length(Integer.BYTES + 4 * Long.BYTES);
            for (int i = 0; i < backups; i++) {
                in.u32();
                in.string();
                in.skip(3 * Long.BYTES);
            }
        }
    }

    private static void requireWalIsHere(BincodeReader in) throws InvalidControlFileException {
        int evictionState = in.u32();
        if (evictionState == 1) {
            throw new InvalidControlFileException(
                    Reason.UNSUPPORTED,
                    "the WAL of this timeline was offloaded to object storage at " + Lsn.of(in.u64())
                            + "; bring it back with the safekeeper that did it");
        }
        if (evictionState != 0) {
            throw new IllegalArgumentException("eviction state " + Integer.toUnsignedString(evictionState));
        }
    }

    private static long readMillis(BincodeReader in) throws InvalidControlFileException {
        long seconds = in.u64();
        int nanos = in.u32();
        if (seconds < 0 || seconds > Long.MAX_VALUE / 1000 - 1 || nanos < 0 || nanos >= 1_000_000_000) {
            throw new IllegalArgumentException("creation time of " + seconds + " s and " + nanos + " ns");
        }
        return seconds * 1000 + nanos / 1_000_000;
    }
}
