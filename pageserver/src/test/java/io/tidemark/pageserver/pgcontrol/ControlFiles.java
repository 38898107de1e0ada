package io.tidemark.pageserver.pgcontrol;

import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.wal.LittleEndian;
import java.util.zip.CRC32C;

/** Makes control files as a server of a version would write them. */
public final class ControlFiles {
    public static final long NEXT_XID = 0x3_0000_0200L;

    private ControlFiles() {}

    public static byte[] make(int pgMajor, int state, Lsn checkPoint, int checksumVersion) {
        byte[] bytes = new byte[ControlFile.SIZE_BYTES];
        LittleEndian.putI64(bytes, 0, 0x1234_5678L);
        LittleEndian.putI32(bytes, 8, pgMajor < 17 ? 1300 : pgMajor == 17 ? 1700 : 1800);
        LittleEndian.putI32(bytes, 16, state);
        LittleEndian.putI64(bytes, 32, checkPoint.value());
        LittleEndian.putI64(bytes, 40, checkPoint.value());
        LittleEndian.putI64(bytes, 40 + 24, NEXT_XID);
        LittleEndian.putI32(bytes, 172, 1);
        LittleEndian.putI32(bytes, 216, 8192);
        LittleEndian.putI32(bytes, 220, 131_072);
        LittleEndian.putI32(bytes, 224, 8192);
        LittleEndian.putI32(bytes, 228, 16 << 20);
        LittleEndian.putI32(bytes, 252, checksumVersion);
        int crcAt = pgMajor < 18 ? 288 : 292;
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, crcAt);
        LittleEndian.putI32(bytes, crcAt, (int) crc.getValue());
        return bytes;
    }
}
