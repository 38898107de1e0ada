package io.tidemark.shim.stock;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.shim.stock.StockRun.Ending;
import org.junit.jupiter.api.Test;

/** What a {@link StockReader} takes a PostgreSQL for that it looks at. */
class StockReaderNoticeTest {
    @Test
    void oneThatIsBeingStoppedIsNeitherPromotedNorCrashed() {
        assertThat(StockReader.notice(true, true, true)).isEmpty();
        assertThat(StockReader.notice(true, false, true)).isEmpty();
        assertThat(StockReader.notice(true, false, false)).isEmpty();
    }

    @Test
    void aPromotionIsNoticedBeforeAnEnd() {
        assertThat(StockReader.notice(false, true, true)).contains(Ending.PROMOTED);
        assertThat(StockReader.notice(false, false, true)).contains(Ending.PROMOTED);
        assertThat(StockReader.notice(false, false, false)).contains(Ending.POSTGRES_ENDED);
        assertThat(StockReader.notice(false, true, false)).isEmpty();
    }
}
