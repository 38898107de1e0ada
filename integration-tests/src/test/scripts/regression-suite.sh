#!/usr/bin/env bash
# PostgreSQL's own regression suite as a judge of redo: runs it on Debian's PostgreSQL 15 with wal_consistency_checking, then replays
# and verifies the WAL. Whether the suite's tests pass is not asked (locale and library differences make some fail); their WAL is what
# counts. Needs Debian with postgresql-15, gcc, make, and a network for the source package; everything is kept in one directory.
#
#   regression-suite.sh DIR     an absolute directory that every user can enter; what is there already is not made again
set -euo pipefail

work=${1:?a directory}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../../.." && pwd)
bin=/usr/lib/postgresql/15/bin
pg_regress=/usr/lib/postgresql/15/lib/pgxs/src/test/regress/pg_regress
[[ -x $bin/postgres && -x $pg_regress ]] || { echo "needs Debian's postgresql-15" >&2; exit 2; }
mkdir -p "$work"
cd "$work"

version=$(dpkg-query -W -f '${Version}' postgresql-15)
if ! compgen -G 'postgresql-15_*.orig.tar.*' >/dev/null; then
  # From where this machine has its Debian packages. The source packages' list is kept here, so its configuration stays as it is.
  mkdir -p apt/parts apt/lists/partial apt/cache/archives/partial
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' 'Origin: Debian' | sort -u |
    sed 's|^|deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] |' >apt/parts/source.list
  [[ -s apt/parts/source.list ]] || { echo "apt names no Debian archive on this machine" >&2; exit 2; }
  apt=(apt-get -q -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$work/apt/parts"
    -o "Dir::State::lists=$work/apt/lists" -o "Dir::Cache=$work/apt/cache" -o APT::Sandbox::User=root)
  "${apt[@]}" update
  "${apt[@]}" source --download-only "postgresql-15=$version"
fi
source=$work/postgresql-${version%%-*}
[[ -d $source ]] || tar xf postgresql-15_*.orig.tar.*
regress=$source/src/test/regress
if [[ ! -e $regress/refint.so ]]; then
  (cd "$source" && ./configure --without-readline --without-zlib --without-icu >configure.out)
  make -s -C "$source/src/backend" generated-headers
  make -s -C "$regress" regress.so
  make -s -C "$source/contrib/spi" autoinc.so refint.so
  cp "$source"/contrib/spi/{autoinc,refint}.so "$regress/"
fi

rm -rf "$work/run"
# The server, another user, writes beside the results.
mkdir -m 777 "$work/run" "$work/run/out"
"$here/tidemark" wal make "$work/run/wal" --bin "$bin" --set max_connections=60 --set max_prepared_transactions=60 --command "
    cd '$work/run/out' && umask 0 && '$pg_regress' --inputdir='$regress' --outputdir='$work/run/out' --dlpath='$regress' \
      --bindir='$bin' --schedule='$regress/parallel_schedule' --max-connections=20 --dbname=regression --host=\$PGHOST \
      --port=\$PGPORT --user=\$PGUSER >'$work/run/regress.log' 2>&1"
tail -5 "$work/run/regress.log"
"$here/tidemark" wal verify "$work/run/wal/pg" --base "$work/run/wal/base" --final "$work/run/wal/pg"
