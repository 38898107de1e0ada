/**
 * {@code tidemark bench decode}: taking WAL apart, beside pg_waldump. {@link io.tidemark.bench.decode.DecodePass} is one pass of our
 * decoder over a sample; {@link io.tidemark.bench.decode.WalDecodeJmh} measures it under JMH, {@link
 * io.tidemark.bench.decode.DecodeCommand} beside pg_waldump, as whole processes and inside this one.
 */
@NullMarked
package io.tidemark.bench.decode;

import org.jspecify.annotations.NullMarked;
