package io.tidemark.shim.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SafekeeperAddressTest {
    @Test
    void readsLists() {
        assertThat(SafekeeperAddress.parseList("a:1, b ,[::1]:2,[::2]"))
                .containsExactly(
                        new SafekeeperAddress("a", 1),
                        new SafekeeperAddress("b", 5454),
                        new SafekeeperAddress("::1", 2),
                        new SafekeeperAddress("::2", 5454));
        assertThat(new SafekeeperAddress("::1", 2)).hasToString("[::1]:2");
    }

    @Test
    void refusesEmptyDoubledMalformedAndTooLong() {
        String tooMany = IntStream.range(1, 33).mapToObj(i -> "h:" + i).collect(Collectors.joining(","));
        for (String text : new String[] {"", "a:1,,b:1", "a:1,a:1", "a:x", "a:0", ":5", "a:70000", tooMany}) {
            assertThatThrownBy(() -> SafekeeperAddress.parseList(text))
                    .as(text)
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }
}
