/** Addresses, the threads that serve sockets, and listening ports: what every server here needs before it can speak. */
@NullMarked
package io.tidemark.runtime.net;

import org.jspecify.annotations.NullMarked;
