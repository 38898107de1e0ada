#!/bin/sh
# Starts PostgreSQL as the official image does, as far as the tests want it: PGDATA, POSTGRES_USER, POSTGRES_PASSWORD and
# POSTGRES_INITDB_ARGS for a new data directory; one that is there is taken as it is. Other commands than postgres are just run.
set -eu
[ "${1:-}" = postgres ] || exec "$@"
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"
  chown -R postgres:postgres "$PGDATA"
  chmod 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  passwords=/tmp/password
  echo "${POSTGRES_PASSWORD:?is wanted for a new data directory}" >"$passwords"
  # shellcheck disable=SC2086 # several arguments
  initdb --username="${POSTGRES_USER:-postgres}" --pwfile="$passwords" ${POSTGRES_INITDB_ARGS:-}
  rm "$passwords"
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
fi
exec "$@"
