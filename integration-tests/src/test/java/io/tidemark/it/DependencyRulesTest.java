package io.tidemark.it;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.List;
import java.util.Set;

/** The arrows of docs/ARCHITECTURE.md: which module and which package may know which. */
@AnalyzeClasses(packages = "io.tidemark", importOptions = ImportOption.DoNotIncludeTests.class)
class DependencyRulesTest {
    private static final Set<String> NAMES_THAT_SAY_NOTHING =
            Set.of("common", "commons", "util", "utils", "core", "misc", "helper", "helpers", "shared", "base");

    @ArchTest
    static final ArchRule WIRE_KNOWS_ONLY_ITSELF = onlyKnows("io.tidemark.wire..");

    @ArchTest
    static final ArchRule RUNTIME_KNOWS_ONLY_ITSELF = onlyKnows("io.tidemark.runtime..");

    @ArchTest
    static final ArchRule SAFEKEEPER_KNOWS_WIRE_AND_RUNTIME =
            onlyKnows("io.tidemark.safekeeper..", "io.tidemark.wire..", "io.tidemark.runtime..");

    @ArchTest
    static final ArchRule SHIM_KNOWS_WIRE_AND_RUNTIME =
            onlyKnows("io.tidemark.shim..", "io.tidemark.wire..", "io.tidemark.runtime..");

    @ArchTest
    static final ArchRule PAGESERVER_KNOWS_WIRE_AND_RUNTIME =
            onlyKnows("io.tidemark.pageserver..", "io.tidemark.wire..", "io.tidemark.runtime..");

    @ArchTest
    static final ArchRule NOBODY_KNOWS_THE_COMMAND_LINE = noClasses()
            .that(not(resideInAPackage("io.tidemark.cli..")))
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.tidemark.cli..");

    @ArchTest
    static final ArchRule SERVERS_DO_NOT_KNOW_THE_SIMULATION = noClasses()
            .that(resideInAnyPackage("io.tidemark.safekeeper..", "io.tidemark.shim.."))
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.tidemark.simulation..");

    @ArchTest
    static final ArchRule WIRE_HAS_NO_FILES_THREADS_OR_CLOCK = noClasses()
            .that()
            .resideInAPackage("io.tidemark.wire..")
            .should()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.lang.Thread")
            .orShould()
            .dependOnClassesThat()
            .resideInAnyPackage("java.nio.file..", "java.util.concurrent.locks..")
            .orShould()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .callMethod(System.class, "currentTimeMillis");

    /** D1: the decisions are functions, so that a seed replays them. */
    @ArchTest
    static final ArchRule DECISIONS_ARE_PURE = noClasses()
            .that()
            .resideInAnyPackage(
                    "io.tidemark.safekeeper.acceptor..",
                    "io.tidemark.shim.proposer..",
                    "io.tidemark.pageserver.key..",
                    "io.tidemark.pageserver.pgpage..",
                    "io.tidemark.pageserver.redo..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "java.nio.file..",
                    "java.nio.channels..",
                    "java.net..",
                    "java.util.concurrent..",
                    "java.util.random..",
                    "java.time..",
                    "org.slf4j..",
                    "io.netty.channel..",
                    "io.tidemark.runtime..")
            .orShould()
            .dependOnClassesThat()
            .belongToAnyOf(Thread.class, java.util.Random.class, java.io.File.class, java.io.InputStream.class)
            .orShould()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .callMethod(Math.class, "random");

    @ArchTest
    static final ArchRule SAFEKEEPER_DOMAIN_DOES_NOT_KNOW_ITS_OWNER = noClasses()
            .that()
            .resideInAnyPackage(
                    "io.tidemark.safekeeper.acceptor..",
                    "io.tidemark.safekeeper.control..",
                    "io.tidemark.safekeeper.wal..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "io.tidemark.safekeeper.timeline..",
                    "io.tidemark.safekeeper.server..",
                    "io.tidemark.safekeeper.http..");

    @ArchTest
    static final ArchRule SAFEKEEPER_OWNER_DOES_NOT_KNOW_ITS_EDGE = noClasses()
            .that()
            .resideInAPackage("io.tidemark.safekeeper.timeline..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.tidemark.safekeeper.server..", "io.tidemark.safekeeper.http..");

    @ArchTest
    static final ArchRule A_POSTGRESQL_IS_STARTED_WITHOUT_KNOWING_WHY = noClasses()
            .that()
            .resideInAPackage("io.tidemark.shim.postgres..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.tidemark.wire..", "io.tidemark.runtime..", "io.netty..");

    @ArchTest
    static final ArchRule PACKAGES_OF_A_MODULE_HAVE_NO_CYCLES =
            slices().matching("io.tidemark.(*).(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule PACKAGES_HAVE_NAMES_THAT_SAY_SOMETHING = classes()
            .that()
            .resideInAPackage("io.tidemark..")
            .should(new ArchCondition<>("have a telling package name") {
                @Override
                public void check(JavaClass javaClass, ConditionEvents events) {
                    for (String part : List.of(javaClass.getPackageName().split("\\.", -1))) {
                        if (NAMES_THAT_SAY_NOTHING.contains(part)) {
                            events.add(
                                    SimpleConditionEvent.violated(javaClass, javaClass.getName() + " is in " + part));
                        }
                    }
                }
            });

    /** Of the project's own packages, those of {@code module} know themselves and {@code others}. */
    private static ArchRule onlyKnows(String module, String... others) {
        return noClasses()
                .that(resideInAPackage(module))
                .should()
                .dependOnClassesThat(resideInAPackage("io.tidemark..")
                        .and(not(resideInAPackage(module)))
                        .and(not(resideInAnyPackage(others))));
    }
}
