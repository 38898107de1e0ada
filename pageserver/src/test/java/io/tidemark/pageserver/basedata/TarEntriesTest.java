package io.tidemark.pageserver.basedata;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
import org.junit.jupiter.api.Test;

class TarEntriesTest {
    private static byte[] header(String name, char type, long size) {
        byte[] header = new byte[512];
        put(header, 0, name);
        put(header, 124, String.format(Locale.ROOT, "%011o", size));
        header[156] = (byte) type;
        put(header, 257, "ustar");
        return summed(header);
    }

    /** As PostgreSQL writes it: seven digits and a space. */
    private static byte[] summed(byte[] header) {
        put(header, 148, "        ");
        int sum = 0;
        for (byte b : header) {
            sum += b & 0xFF;
        }
        put(header, 148, String.format(Locale.ROOT, "%07o ", sum));
        return header;
    }

    private static void put(byte[] header, int at, String text) {
        byte[] bytes = text.getBytes(US_ASCII);
        System.arraycopy(bytes, 0, header, at, bytes.length);
    }

    private static byte[] tar() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(header("base/", '5', 0));
        out.writeBytes(header("base/5/1259", '0', 700));
        byte[] content = new byte[1024];
        Arrays.fill(content, 0, 700, (byte) 7);
        out.writeBytes(content);
        out.writeBytes(header("empty", '0', 0));
        out.writeBytes(header("global/pg_control", '0', 3));
        byte[] last = new byte[512];
        put(last, 0, "abc");
        out.writeBytes(last);
        return out.toByteArray();
    }

    @Test
    void entriesComeOneByOneWhetherOrNotTheyAreRead() throws IOException {
        TarEntries tar = new TarEntries(new ByteArrayInputStream(tar()));
        assertThat(tar.next()).isEqualTo(new TarEntries.Entry("base/", '5', 0));
        assertThat(tar.next()).isEqualTo(new TarEntries.Entry("base/5/1259", '0', 700));
        assertThat(tar.content().readNBytes(100)).hasSize(100).containsOnly(7);
        assertThat(tar.next()).isEqualTo(new TarEntries.Entry("empty", '0', 0));
        assertThat(tar.next()).isEqualTo(new TarEntries.Entry("global/pg_control", '0', 3));
        assertThat(tar.content().readAllBytes()).isEqualTo("abc".getBytes(US_ASCII));
        assertThat(tar.next()).isNull();
    }

    @Test
    void zerosAreTheEndToo() throws IOException {
        byte[] all = Arrays.copyOf(tar(), tar().length + 1024);
        TarEntries tar = new TarEntries(new ByteArrayInputStream(all));
        for (int i = 0; i < 4; i++) {
            assertThat(tar.next()).isNotNull();
        }
        assertThat(tar.next()).isNull();
    }

    @Test
    void whatIsCutShortIsAnError() throws IOException {
        byte[] cut = Arrays.copyOf(tar(), 512 + 512 + 300);
        TarEntries tar = new TarEntries(new ByteArrayInputStream(cut));
        assertThat(tar.next()).isNotNull();
        assertThat(tar.next()).isNotNull();
        assertThatThrownBy(() -> tar.content().readAllBytes()).isInstanceOf(EOFException.class);
    }

    @Test
    void whatIsNoTarIsAnError() {
        byte[] noise = new byte[512];
        Arrays.fill(noise, (byte) 'x');
        assertThatThrownBy(() -> new TarEntries(new ByteArrayInputStream(noise)).next())
                .isInstanceOf(IOException.class);
        byte[] badSize = header("f", '0', 5);
        put(badSize, 124, "not octal");
        assertThatThrownBy(() -> new TarEntries(new ByteArrayInputStream(summed(badSize))).next())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("octal");
    }
}
