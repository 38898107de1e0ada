package io.tidemark.wire.client;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** PostgreSQL's MD5 passwords: {@code "md5" + hex(md5(hex(md5(password + user)) + salt))}. Weak, and still around. */
final class Md5Password {
    private Md5Password() {}

    static String of(String user, String password, int salt) {
        try {
            MessageDigest md5 = MessageDigest.getInstance("MD5");
            String stored = HexFormat.of().formatHex(md5.digest((password + user).getBytes(UTF_8)));
            md5.update(stored.getBytes(UTF_8));
            md5.update(ByteBuffer.allocate(4).putInt(salt).flip());
            return "md5" + HexFormat.of().formatHex(md5.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this JVM has no MD5, which every Java platform must have", e);
        }
    }
}
