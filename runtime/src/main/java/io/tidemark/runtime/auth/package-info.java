/**
 * Who may do what at a server that asks for tokens: JSON Web Tokens signed with Ed25519, as Neon's components carry them.
 *
 * <p>A {@link io.tidemark.runtime.auth.Gate} stands before both of a server's ports. It turns a token into a {@link
 * io.tidemark.runtime.auth.Caller}, or refuses it; the caller is asked again by each command and each HTTP request, since a token of
 * one tenant opens that tenant's timelines only. Without public keys the gate is open, and every caller may do everything.
 *
 * <p>Always: the signature is checked before anything of the payload is believed; only {@code alg: EdDSA} exists here, whatever a
 * token says of itself; refusals name what is missing and are counted by reason, but never repeat a token.
 *
 * <p>Knows nothing of PostgreSQL's protocol or of HTTP: a password and a bearer token are both a string. Ids are text, because the
 * ids of the wire are not known here.
 *
 * <p>Start reading at {@link io.tidemark.runtime.auth.Gate}.
 */
@NullMarked
package io.tidemark.runtime.auth;

import org.jspecify.annotations.NullMarked;
