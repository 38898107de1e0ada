package io.tidemark.wire.frame;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a server says: {@code u8 type, i32 length (with itself), body}. In the grammars below only the body is given. Source:
 * PostgreSQL's documentation, "Message Formats".
 */
public sealed interface BackendMessage
        permits AuthenticationRequest,
                BackendMessage.ParameterStatus,
                BackendMessage.BackendKeyData,
                BackendMessage.NegotiateProtocolVersion,
                BackendMessage.ReadyForQuery,
                BackendMessage.RowDescription,
                BackendMessage.DataRow,
                BackendMessage.CommandComplete,
                BackendMessage.ErrorResponse,
                BackendMessage.NoticeResponse,
                BackendMessage.CopyResponse,
                BackendMessage.ParameterDescription,
                BackendMessage.Marker,
                BackendMessage.Notification,
                CopyMessage {

    /**
     * Reads one body, which must end where the buffer does.
     *
     * @param body stays the caller's; a {@link CopyMessage.CopyData} keeps a reference to it
     * @throws InvalidMessageException for an unknown type or a wrong body
     */
    static BackendMessage decode(int type, ByteBuf body) {
        MessageReader in = new MessageReader("backend message '" + (char) type + "'", body);
        BackendMessage message = switch (type) {
            case AuthenticationRequest.TYPE -> AuthenticationRequest.decode(in);
            case ParameterStatus.TYPE -> new ParameterStatus(in.lenientCString(), in.lenientCString());
            case BackendKeyData.TYPE -> BackendKeyData.decode(in);
            case NegotiateProtocolVersion.TYPE -> NegotiateProtocolVersion.decode(in);
            case ReadyForQuery.TYPE -> new ReadyForQuery((char) in.u8());
            case RowDescription.TYPE -> RowDescription.decode(in);
            case DataRow.TYPE -> DataRow.decode(in);
            case CommandComplete.TYPE -> new CommandComplete(in.lenientCString());
            case ErrorResponse.TYPE -> new ErrorResponse(ErrorFields.decode(in));
            case NoticeResponse.TYPE -> new NoticeResponse(ErrorFields.decode(in));
            case 'G', 'H', 'W' -> CopyResponse.decode(type, in);
            case ParameterDescription.TYPE -> ParameterDescription.decode(in);
            case '1', '2', '3', 'I', 'n', 's' -> Marker.decode(type);
            case Notification.TYPE -> new Notification(in.i32(), in.lenientCString(), in.lenientCString());
            case CopyMessage.CopyDone.TYPE -> new CopyMessage.CopyDone();
            case CopyMessage.CopyData.TYPE -> new CopyMessage.CopyData(in.retainedSlice(in.remaining()));
            default -> throw in.invalid("unknown message type 0x" + Integer.toHexString(type));
        };
        in.requireEnd();
        return message;
    }

    /** Appends the whole frame. */
    void encode(ByteBuf out);

    /** {@code cstr name, cstr value}. */
    record ParameterStatus(String name, String value) implements BackendMessage {
        static final int TYPE = 'S';

        @Override
        public void encode(ByteBuf out) {
            int length = FrameWriter.begin(out, TYPE);
            CString.write(out, name);
            CString.write(out, value);
            FrameWriter.end(out, length);
        }
    }

    /** {@code i32 process, i32 secret}: protocol 3.0's form; 3.2 has longer secrets, but nobody here asks for 3.2. */
    record BackendKeyData(int processId, int secret) implements BackendMessage {
        static final int TYPE = 'K';

        static BackendKeyData decode(MessageReader in) {
            return new BackendKeyData(in.i32(), in.i32());
        }

        @Override
        public void encode(ByteBuf out) {
            int length = FrameWriter.begin(out, TYPE);
            out.writeInt(processId).writeInt(secret);
            FrameWriter.end(out, length);
        }

        @Override
        public String toString() {
            return "BackendKeyData[processId=" + processId + "]";
        }
    }

    /** The server speaks less than was asked for: {@code i32 newest version, i32 n, n * cstr unknown option}. */
    record NegotiateProtocolVersion(int newestVersion, List<String> unknownOptions) implements BackendMessage {
        static final int TYPE = 'v';

        public NegotiateProtocolVersion {
            unknownOptions = List.copyOf(unknownOptions);
        }

        static NegotiateProtocolVersion decode(MessageReader in) {
            int newest = in.i32();
            int n = in.count(in.u32(), 1);
            List<String> options = new ArrayList<>(n);
            for (int i = 0; i < n; i++) {
                options.add(in.lenientCString());
            }
            return new NegotiateProtocolVersion(newest, options);
        }

        @Override
        public void encode(ByteBuf out) {
            int length = FrameWriter.begin(out, TYPE);
            out.writeInt(newestVersion).writeInt(unknownOptions.size());
            unknownOptions.forEach(option -> CString.write(out, option));
            FrameWriter.end(out, length);
        }
    }

    /** {@code u8 status}: I idle, T in a transaction, E in a failed one. */
    record ReadyForQuery(char status) implements BackendMessage {
        static final int TYPE = 'Z';
        public static final ReadyForQuery IDLE = new ReadyForQuery('I');

        @Override
        public void encode(ByteBuf out) {
            int length = FrameWriter.begin(out, TYPE);
            out.writeByte(status);
            FrameWriter.end(out, length);
        }
    }

    /** {@code u16 n, n * column}, see {@link Column}. */
    record RowDescription(List<Column> columns) implements BackendMessage {
        static final int TYPE = 'T';

        public RowDescription {
            columns = List.copyOf(columns);
        }

        static RowDescription decode(MessageReader in) {
            int n = in.count(in.u16(), Column.MIN_BYTES);
            List<Column> columns = new ArrayList<>(n);
            for (int i = 0; i < n; i++) {
                columns.add(Column.decode(in));
            }
            return new RowDescription(columns);
        }

        @Override
        public void encode(ByteBuf out) {
            int length = FrameWriter.begin(out, TYPE);
            out.writeShort(columns.size());
            columns.forEach(column -> column.encode(out));
            FrameWriter.end(out, length);
        }
    }

    /** {@code u16 n, n * {i32 length or -1, text}}; null for SQL's NULL. Text format only. */
    record DataRow(List<@Nullable String> values) implements BackendMessage {
        static final int TYPE = 'D';

        public DataRow {
            values = Collections.unmodifiableList(new ArrayList<>(values));
        }

        static DataRow decode(MessageReader in) {
            int n = in.count(in.u16(), 4);
            List<@Nullable String> values = new ArrayList<>(n);
            for (int i = 0; i < n; i++) {
                int length = in.i32();
                values.add(length == -1 ? null : in.lenientText(length));
            }
            return new DataRow(values);
        }

        @Override
        public void encode(ByteBuf out) {
            int length = FrameWriter.begin(out, TYPE);
            out.writeShort(values.size());
            for (String value : values) {
                if (value == null) {
                    out.writeInt(-1);
                } else {
                    int valueLength = out.writerIndex();
                    out.writeInt(0);
                    out.writeCharSequence(value, java.nio.charset.StandardCharsets.UTF_8);
                    out.setInt(valueLength, out.writerIndex() - valueLength - 4);
                }
            }
            FrameWriter.end(out, length);
        }
    }

    /** {@code cstr tag}. */
    record CommandComplete(String tag) implements BackendMessage {
        static final int TYPE = 'C';

        @Override
        public void encode(ByteBuf out) {
            int length = FrameWriter.begin(out, TYPE);
            CString.write(out, tag);
            FrameWriter.end(out, length);
        }
    }

    /** See {@link ErrorFields}. */
    record ErrorResponse(ErrorFields fields) implements BackendMessage {
        static final int TYPE = 'E';

        @Override
        public void encode(ByteBuf out) {
            int length = FrameWriter.begin(out, TYPE);
            fields.encode(out);
            FrameWriter.end(out, length);
        }
    }

    /** See {@link ErrorFields}. */
    record NoticeResponse(ErrorFields fields) implements BackendMessage {
        static final int TYPE = 'N';

        @Override
        public void encode(ByteBuf out) {
            int length = FrameWriter.begin(out, TYPE);
            fields.encode(out);
            FrameWriter.end(out, length);
        }
    }

    /** COPY begins: {@code u8 format, i16 n, n * i16 column format}; 0 text, 1 binary. */
    record CopyResponse(Direction direction, int format, List<Integer> columnFormats) implements BackendMessage {
        /** Copy-both without columns: replication, WAL push, page streams. */
        public static final CopyResponse BOTH = new CopyResponse(Direction.BOTH, 0, List.of());

        /** Copy-out without columns: base backups. */
        public static final CopyResponse OUT = new CopyResponse(Direction.OUT, 0, List.of());

        /** Who may send CopyData. */
        public enum Direction {
            IN('G'),
            OUT('H'),
            BOTH('W');

            private final int type;

            Direction(int type) {
                this.type = type;
            }
        }

        public CopyResponse {
            columnFormats = List.copyOf(columnFormats);
        }

        static CopyResponse decode(int type, MessageReader in) {
            Direction direction = switch (type) {
                case 'G' -> Direction.IN;
                case 'H' -> Direction.OUT;
                default -> Direction.BOTH;
            };
            int format = in.u8();
            int n = in.count(in.u16(), 2);
            List<Integer> columnFormats = new ArrayList<>(n);
            for (int i = 0; i < n; i++) {
                columnFormats.add(in.u16());
            }
            return new CopyResponse(direction, format, columnFormats);
        }

        @Override
        public void encode(ByteBuf out) {
            int length = FrameWriter.begin(out, direction.type);
            out.writeByte(format).writeShort(columnFormats.size());
            columnFormats.forEach(out::writeShort);
            FrameWriter.end(out, length);
        }
    }

    /** {@code u16 n, n * u32 type}. */
    record ParameterDescription(List<Integer> typeOids) implements BackendMessage {
        static final int TYPE = 't';

        public ParameterDescription {
            typeOids = List.copyOf(typeOids);
        }

        static ParameterDescription decode(MessageReader in) {
            int n = in.count(in.u16(), 4);
            List<Integer> types = new ArrayList<>(n);
            for (int i = 0; i < n; i++) {
                types.add(in.i32());
            }
            return new ParameterDescription(types);
        }

        @Override
        public void encode(ByteBuf out) {
            int length = FrameWriter.begin(out, TYPE);
            out.writeShort(typeOids.size());
            typeOids.forEach(out::writeInt);
            FrameWriter.end(out, length);
        }
    }

    /** A message without a body. */
    enum Marker implements BackendMessage {
        PARSE_COMPLETE('1'),
        BIND_COMPLETE('2'),
        CLOSE_COMPLETE('3'),
        EMPTY_QUERY_RESPONSE('I'),
        NO_DATA('n'),
        PORTAL_SUSPENDED('s');

        private final int type;

        Marker(int type) {
            this.type = type;
        }

        static Marker decode(int type) {
            for (Marker marker : values()) {
                if (marker.type == type) {
                    return marker;
                }
            }
            throw new InvalidMessageException("unknown message type 0x" + Integer.toHexString(type));
        }

        @Override
        public void encode(ByteBuf out) {
            FrameWriter.empty(out, type);
        }
    }

    /** LISTEN's news: {@code i32 process, cstr channel, cstr payload}. */
    record Notification(int processId, String channel, String payload) implements BackendMessage {
        static final int TYPE = 'A';

        @Override
        public void encode(ByteBuf out) {
            int length = FrameWriter.begin(out, TYPE);
            out.writeInt(processId);
            CString.write(out, channel);
            CString.write(out, payload);
            FrameWriter.end(out, length);
        }
    }
}
