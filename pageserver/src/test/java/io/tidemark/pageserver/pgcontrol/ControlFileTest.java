package io.tidemark.pageserver.pgcontrol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.wire.id.Lsn;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ControlFileTest {
    private static final Lsn CHECKPOINT = Lsn.parse("0/1000028");

    @ParameterizedTest
    @ValueSource(ints = {14, 15, 16, 17, 18})
    void whatIsChangedIsReadBack(int major) throws Exception {
        ControlFile control = ControlFile.read(ControlFiles.make(major, 6, CHECKPOINT, 1), major);
        assertThat(control.state()).isEqualTo(ControlFile.State.IN_PRODUCTION);
        assertThat(control.dataChecksumVersion()).isEqualTo(1);
        assertThat(control.checkPointLsn()).isEqualTo(CHECKPOINT);
        CheckPoint checkPoint = control.checkPoint();
        assertThat(checkPoint.nextXid()).isEqualTo(ControlFiles.NEXT_XID);
        checkPoint.setRedo(Lsn.parse("1/2"));
        checkPoint.setNextMulti(-5);
        control.setCheckPoint(Lsn.parse("3/4"), checkPoint);
        control.setShutDown();
        control.setLimits(new ControlFile.Limits(1, 2, 3, 4, 5));
        ControlFile back = ControlFile.read(control.toBytes(), major);
        assertThat(back.state()).isEqualTo(ControlFile.State.SHUT_DOWN);
        assertThat(back.checkPointLsn()).isEqualTo(Lsn.parse("3/4"));
        assertThat(back.checkPoint().redo()).isEqualTo(Lsn.parse("1/2"));
        assertThat(back.checkPoint().nextMulti()).isEqualTo(-5);
        assertThat(back.limits()).isEqualTo(new ControlFile.Limits(1, 2, 3, 4, 5));
    }

    @Test
    void anyOtherBytesAreRefused() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        byte[] good = ControlFiles.make(17, 1, CHECKPOINT, 0);
        for (int i = 0; i < 2_000; i++) {
            byte[] bad = good.clone();
            bad[random.nextInt(292)] ^= (byte) (1 << random.nextInt(8));
            assertThatThrownBy(() -> ControlFile.read(bad, 17))
                    .as("seed %d", seed)
                    .isInstanceOf(InvalidControlFileException.class);
        }
        for (int length : new int[] {0, 1, 295, 8193}) {
            assertThatThrownBy(() -> ControlFile.read(Arrays.copyOf(good, length), 17))
                    .isInstanceOf(InvalidControlFileException.class);
        }
    }
}
