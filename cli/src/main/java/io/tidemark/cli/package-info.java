/**
 * The {@code tidemark} command. One class per subcommand; each parses its flags, validates them into a config record and
 * hands over to the module that does the work. Exit codes: 0 done, 1 it failed, 2 the command line was wrong.
 */
@NullMarked
package io.tidemark.cli;

import org.jspecify.annotations.NullMarked;
