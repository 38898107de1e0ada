package io.tidemark.pageserver.key;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ValueFormatTest {
    private static final byte[] RECORD = {9, 1, 2, 3, 4, 5, 6};

    private static final List<Value> EACH = List.of(
            Value.REMOVED,
            Value.ZERO_PAGE,
            new Value.Image(new byte[0]),
            new Value.Image(new byte[] {1, 0, 0, 0}),
            new Value.Image(page(100, 8000)),
            new Value.Image(page(8000, 8000)),
            new Value.Redo(3, 0, false, RECORD, 1, 5),
            new Value.Redo(32, 0x1_0000_0000L, true, RECORD, 0, 7),
            new Value.Redo(0, -1, true, RECORD, 0, 1),
            new Value.VisibilityCleared(new int[] {7, -8}, new byte[] {3, 2}),
            new Value.VisibilityTruncated(1234),
            new Value.TransactionStatus(2, new int[] {3, 4, -1}),
            new Value.MultixactOffsets(new int[] {1, 2}, new int[] {10, -12}),
            new Value.MultixactMembers(-3, new int[] {700, 701}, new byte[] {4, 5}));

    private static byte[] page(int lower, int upper) {
        byte[] page = new byte[8192];
        Arrays.fill(page, 0, lower, (byte) 7);
        Arrays.fill(page, upper, 8192, (byte) 8);
        page[12] = (byte) lower;
        page[13] = (byte) (lower >> 8);
        page[14] = (byte) upper;
        page[15] = (byte) (upper >> 8);
        return page;
    }

    @Test
    void everyKindComesBack() throws InvalidValueException {
        for (Value value : EACH) {
            byte[] bytes = ValueFormat.encode(value);
            Value back = ValueFormat.decode(padded(bytes), 3, bytes.length);
            assertThat(back).usingRecursiveComparison().isEqualTo(unshared(value, padded(bytes)));
            assertThat(ValueFormat.encode(back)).isEqualTo(bytes);
            assertThat(ValueFormat.isBase(padded(bytes), 3, bytes.length)).isEqualTo(value.isBase());
        }
    }

    // A record comes back as a place in what was decoded.
    private static Value unshared(Value value, byte[] encoded) {
        if (!(value instanceof Value.Redo redo)) {
            return value;
        }
        int offset = encoded.length - 2 - redo.length();
        return new Value.Redo(redo.blockId(), redo.beforeEnd(), redo.onZeros(), encoded, offset, redo.length());
    }

    private static byte[] padded(byte[] bytes) {
        byte[] padded = new byte[3 + bytes.length + 2];
        System.arraycopy(bytes, 0, padded, 3, bytes.length);
        return padded;
    }

    @Test
    void aPageOfZerosTakesOneByte() {
        assertThat(ValueFormat.encode(new Value.Image(new byte[8192]))).hasSize(1);
    }

    @Test
    void theHoleOfAPageTakesNoSpace() throws InvalidValueException {
        byte[] bytes = ValueFormat.encode(new Value.Image(page(100, 8000)));
        assertThat(bytes).hasSize(5 + 100 + 192);
        byte[] back = new byte[8192];
        Arrays.fill(back, (byte) 1);
        assertThat(ValueFormat.readPage(bytes, 0, bytes.length, back)).isTrue();
        assertThat(back).isEqualTo(page(100, 8000));
    }

    @Test
    void aHoleThatIsNotZerosIsKept() throws InvalidValueException {
        byte[] page = page(100, 8000);
        page[5000] = 1;
        byte[] bytes = ValueFormat.encode(new Value.Image(page));
        byte[] back = new byte[8192];
        assertThat(ValueFormat.readPage(bytes, 0, bytes.length, back)).isTrue();
        assertThat(back).isEqualTo(page);
    }

    @Test
    void strictPrefixesAreRefusedOrAreSmallerValues() {
        for (Value value : EACH) {
            byte[] bytes = ValueFormat.encode(value);
            for (int length = 0; length < Math.min(bytes.length, 100); length++) {
                answersOnlyWithTypedErrors(Arrays.copyOf(bytes, length));
            }
        }
    }

    @Test
    void anyBytesAreAValueOrATypedError() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < 50_000; i++) {
            byte[] bytes = new byte[random.nextInt(40)];
            random.nextBytes(bytes);
            if (bytes.length > 0 && random.nextBoolean()) {
                bytes[0] = (byte) random.nextInt(12);
            }
            assertThatCode(() -> answersOnlyWithTypedErrors(bytes))
                    .as("seed %d", seed)
                    .doesNotThrowAnyException();
        }
    }

    @SuppressWarnings("CheckReturnValue")
    private static void answersOnlyWithTypedErrors(byte[] bytes) {
        ValueFormat.isBase(bytes, 0, bytes.length);
        try {
            ValueFormat.readPage(bytes, 0, bytes.length, new byte[8192]);
        } catch (InvalidValueException refused) {
            assertThat(refused).hasMessageContaining("value");
        }
        try {
            ValueFormat.decode(bytes, 0, bytes.length);
        } catch (InvalidValueException refused) {
            assertThat(refused).hasMessageContaining("value");
        }
    }
}
