package io.tidemark.safekeeper.http;

import io.tidemark.runtime.http.HttpError;
import io.tidemark.wire.id.Lsn;
import io.tidemark.wire.id.NodeId;
import io.tidemark.wire.walpush.MembershipConfig;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import tools.jackson.databind.JsonNode;

/** Reads the fields of a JSON object; whatever is missing or of another kind is a 400 that names the field. */
final class JsonFields {
    private static final BigInteger MAX_UNSIGNED = BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE);

    /** No membership has more; the protocol has its own limits. */
    private static final int MAX_MEMBERS = 1000;

    private JsonFields() {}

    private static HttpError wrong(String name, String expected) {
        return HttpError.badRequest("field '" + name + "' has to be " + expected);
    }

    static boolean isAbsent(JsonNode object, String name) {
        JsonNode value = object.get(name);
        return value == null || value.isNull();
    }

    static <T> T text(JsonNode object, String name, String expected, Function<String, T> parse) {
        JsonNode value = object.get(name);
        if (value == null || !value.isString()) {
            throw wrong(name, expected);
        }
        try {
            return parse.apply(value.stringValue());
        } catch (IllegalArgumentException e) {
            throw wrong(name, expected);
        }
    }

    static Lsn lsn(JsonNode object, String name) {
        return text(object, name, "an LSN like \"0/16B3748\"", Lsn::parse);
    }

    /** An unsigned 64-bit number. */
    static long unsigned(JsonNode object, String name) {
        JsonNode value = object.get(name);
        if (value == null || !value.isIntegralNumber()) {
            throw wrong(name, "a number");
        }
        BigInteger number = value.bigIntegerValue();
        if (number.signum() < 0 || number.compareTo(MAX_UNSIGNED) > 0) {
            throw wrong(name, "an unsigned 64-bit number");
        }
        return number.longValue();
    }

    static int number(JsonNode object, String name, int min, int max) {
        JsonNode value = object.get(name);
        if (value == null || !value.canConvertToInt() || !value.isIntegralNumber()) {
            throw wrong(name, "a number from " + min + " to " + max);
        }
        int number = value.intValue();
        if (number < min || number > max) {
            throw wrong(name, "a number from " + min + " to " + max);
        }
        return number;
    }

    /** A Configuration. */
    static MembershipConfig membership(JsonNode object) {
        long generation = unsigned(object, "generation");
        List<MembershipConfig.Member> members = members(object, "members");
        List<MembershipConfig.Member> newMembers =
                isAbsent(object, "new_members") ? List.of() : members(object, "new_members");
        try {
            return new MembershipConfig(generation, members, newMembers);
        } catch (IllegalArgumentException e) {
            throw HttpError.badRequest(Optional.ofNullable(e.getMessage()).orElse("not a membership configuration"));
        }
    }

    private static List<MembershipConfig.Member> members(JsonNode object, String name) {
        JsonNode array = object.get(name);
        if (array == null || !array.isArray() || array.size() > MAX_MEMBERS) {
            throw wrong(name, "a list of members");
        }
        List<MembershipConfig.Member> members = new ArrayList<>();
        for (JsonNode member : array) {
            members.add(new MembershipConfig.Member(
                    new NodeId(unsigned(member, "id")),
                    text(member, "host", "a host name", Function.identity()),
                    number(member, "pg_port", 0, 65_535)));
        }
        return members;
    }
}
