package io.tidemark.runtime.durable;

/** What a name of a {@link FakeDisk} stands for. */
sealed interface FakeNode permits FakeContents, FakeDirectory {}
