package io.tidemark.wire.frame;

import io.netty.buffer.ByteBuf;

/**
 * One column of a RowDescription: {@code cstr name, u32 table, i16 attribute, u32 type, i16 type length, i32 type modifier,
 * i16 format}.
 *
 * @param tableOid 0 when it is no table's
 * @param typeLengthBytes negative for types of varying length
 * @param typeModifier -1 when the type has none
 * @param format 0 text, 1 binary
 */
public record Column(
        String name,
        int tableOid,
        int attributeNumber,
        int typeOid,
        int typeLengthBytes,
        int typeModifier,
        int format) {
    static final int MIN_BYTES = 1 + 18;

    public static Column text(String name) {
        return new Column(name, 0, 0, 25, -1, -1, 0);
    }

    public static Column int4(String name) {
        return new Column(name, 0, 0, 23, 4, -1, 0);
    }

    public static Column int8(String name) {
        return new Column(name, 0, 0, 20, 8, -1, 0);
    }

    public static Column bool(String name) {
        return new Column(name, 0, 0, 16, 1, -1, 0);
    }

    static Column decode(MessageReader in) {
        return new Column(in.lenientCString(), in.i32(), (short) in.u16(), in.i32(), (short) in.u16(), in.i32(), (short)
                in.u16());
    }

    void encode(ByteBuf out) {
        CString.write(out, name);
        out.writeInt(tableOid).writeShort(attributeNumber);
        out.writeInt(typeOid).writeShort(typeLengthBytes);
        out.writeInt(typeModifier).writeShort(format);
    }
}
