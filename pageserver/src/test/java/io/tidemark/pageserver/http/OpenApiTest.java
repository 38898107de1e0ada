package io.tidemark.pageserver.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.pageserver.metrics.PageserverMetrics;
import io.tidemark.pageserver.receiver.Connections;
import io.tidemark.pageserver.timeline.BaseDataImports;
import io.tidemark.pageserver.timeline.RetentionConfig;
import io.tidemark.pageserver.timeline.StorageTuning;
import io.tidemark.pageserver.timeline.TimelineBranches;
import io.tidemark.pageserver.timeline.TimelineMaintenance;
import io.tidemark.pageserver.timeline.TimelineRegistry;
import io.tidemark.runtime.auth.Gate;
import io.tidemark.runtime.durable.FakeDisk;
import io.tidemark.runtime.http.Router;
import io.tidemark.runtime.net.EventLoops;
import io.tidemark.runtime.time.TimeSource;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class OpenApiTest {
    private static final Pattern VARIABLE = Pattern.compile("\\{(\\w+)}");

    private final JsonNode document = document();

    private static JsonNode document() {
        try (InputStream in = Objects.requireNonNull(OpenApiTest.class.getResourceAsStream("openapi.json"))) {
            return JsonMapper.builder().build().readTree(new String(in.readAllBytes(), UTF_8));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private record Operation(String method, String path, JsonNode node) {
        String name() {
            return method + " " + path;
        }
    }

    private List<Operation> operations() {
        List<Operation> all = new ArrayList<>();
        document.path("paths")
                .properties()
                .forEach(path -> path.getValue()
                        .properties()
                        .forEach(method -> all.add(new Operation(
                                method.getKey().toUpperCase(Locale.ROOT), path.getKey(), method.getValue()))));
        return all;
    }

    private static Router router(TimelineRegistry registry, EventLoops loops) {
        TimelineMaintenance maintenance =
                new TimelineMaintenance(registry, RetentionConfig.DEFAULT, TimeSource.system());
        TimelineCreation creation = new TimelineCreation(
                new BaseDataImports(registry, new Connections(loops)),
                new TimelineBranches(registry),
                Duration.ofSeconds(1));
        return new PageserverApi(
                        1,
                        registry,
                        PageserverApi.timelineRoutes(registry, creation, maintenance),
                        Map.of(),
                        new PageserverMetrics(),
                        () -> true,
                        Gate.open())
                .router();
    }

    @Test
    void everyRouteIsDocumentedAndNothingElseIs() throws IOException {
        try (EventLoops loops = new EventLoops("test");
                TimelineRegistry registry = TimelineRegistry.open(
                        new FakeDisk(),
                        StorageTuning.DEFAULT,
                        1 << 20,
                        TimelineRegistry.Companion.NONE,
                        new PageserverMetrics())) {
            assertThat(operations().stream().map(Operation::name))
                    .containsExactlyInAnyOrderElementsOf(router(registry, loops).routes());
        }
    }

    @Test
    void everyVariableOfAPathIsAParameter() {
        for (Operation operation : operations()) {
            Set<String> variables = new TreeSet<>();
            Matcher matcher = VARIABLE.matcher(operation.path());
            while (matcher.find()) {
                variables.add(matcher.group(1));
            }
            Set<String> parameters = new TreeSet<>();
            for (JsonNode parameter : operation.node().path("parameters")) {
                JsonNode resolved = resolved(parameter);
                if (resolved.path("in").asString().equals("path")) {
                    parameters.add(resolved.path("name").asString());
                    assertThat(resolved.path("required").asBoolean()).isTrue();
                }
            }
            assertThat(parameters).as(operation.name()).isEqualTo(variables);
        }
    }

    @Test
    void everyOperationHasANameOfItsOwnASentenceAndAnAnswer() {
        Set<String> names = new HashSet<>();
        for (Operation operation : operations()) {
            JsonNode node = operation.node();
            assertThat(names.add(node.path("operationId").asString()))
                    .as(operation.name())
                    .isTrue();
            assertThat(node.path("summary").asString()).as(operation.name()).endsWith(".");
            assertThat(node.path("responses").properties())
                    .as(operation.name())
                    .anySatisfy(response -> assertThat(response.getKey()).startsWith("2"));
        }
    }

    @Test
    void everyReferenceLeadsSomewhere() {
        Set<String> references = new TreeSet<>();
        collect(document, references);
        assertThat(references).isNotEmpty();
        for (String reference : references) {
            assertThat(target(reference).isMissingNode()).as(reference).isFalse();
        }
    }

    private static void collect(JsonNode node, Set<String> references) {
        if (node.has("$ref")) {
            references.add(node.path("$ref").asString());
        }
        node.forEach(child -> collect(child, references));
    }

    private JsonNode resolved(JsonNode node) {
        return node.has("$ref") ? target(node.path("$ref").asString()) : node;
    }

    private JsonNode target(String reference) {
        return document.at(reference.substring(1));
    }
}
