/** Addresses and the threads that serve sockets: what every server here needs before it can listen. */
@NullMarked
package io.tidemark.runtime.net;

import org.jspecify.annotations.NullMarked;
