package io.tidemark.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The simulator can see: each deliberate bug breaks an invariant that names it, within a few seeds. */
class MutantTest {
    /** Seeds that are tried before a mutant counts as not caught. The first hundreds pass with the honest classes. */
    private static final int MAX_SEEDS = 200;

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void deliberateBugIsCaught(Mutant mutant) {
        List<SimulationResult> caught = Sweep.run(1, MAX_SEEDS, 2, mutant, true, result -> {});

        assertThat(caught).as("%s: %s", mutant.label(), mutant.bug()).isNotEmpty();
        SimulationResult first = caught.getFirst();
        assertThat(first.broken()).as(first.report()).isIn(mutant.breaks());
        assertThat(first.replayCommand()).contains("--seed " + first.seed()).contains(mutant.label());
    }
}
