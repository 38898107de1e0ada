#!/usr/bin/env bash
# Gets a newer pg_dump than this system has, for servers that its own refuses: that of Debian unstable, from the mirror that this system's apt uses.
# apt verifies it, with a state of its own in a temporary directory. Nothing is installed and nothing of this system changed: the packages are
# unpacked, and the program runs with the C library that came with it.
#
#   fetch-pg-dump.sh DIR      makes DIR/bin/pg_dump and prints its version; only prints it when it is there already
#
# Where that cannot be, it prints one line, SKIPPED and why, and exits with 77.
set -euo pipefail
directory=$(realpath -m "${1:?usage: fetch-pg-dump.sh DIR}")
suite=sid
needed=18 # the newest server that has to be read

skip() { # why
  echo "fetch-pg-dump: SKIPPED: $*"
  exit 77
}

ready() {
  [[ -x $directory/bin/pg_dump ]] && "$directory/bin/pg_dump" --version 2>/dev/null
}

ready && exit
[[ $(uname -sm) =~ ^Linux\ (x86_64|aarch64)$ ]] || skip "it wants Linux on amd64 or arm64, and this is $(uname -sm)"
for program in apt-get apt-cache dpkg-deb; do
  command -v "$program" >/dev/null || skip "there is no $program; a Debian has it"
done

# Started by root, apt downloads as another user, who has to get in.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
mkdir -p "$work"/{apt.conf.d,lists/partial,archives/partial,unpacked/bin}

release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null || true)
mirror=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
  awk -v release="${release:-sid}" '$1 ~ "^(" release "|sid|unstable|testing|stable)$" && $2 == "main" && !n++ {print $3}' || true)
[[ -n $mirror ]] || skip "no source of this system's apt has ${release:-sid} main"
signed_by=
for keyring in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
  [[ ! -r $keyring ]] || signed_by="[signed-by=$keyring]" # else apt takes the keys that it trusts for all
done
echo "deb $signed_by $mirror $suite main" >"$work/sources.list"

# A client comes with scripts in Perl, which pg_dump does without: to apt they are there.
cat >"$work/status" <<STATUS
Package: postgresql-client-common
Status: install ok installed
Maintainer: nobody <nobody@localhost>
Architecture: all
Version: 99999
Description: left out
STATUS

# This system's settings, since there may be a proxy among them; ours are read last. Its hooks would clean up the wrong cache.
cp -L /etc/apt/apt.conf.d/* "$work/apt.conf.d" 2>/dev/null || true
[[ ! -r /etc/apt/apt.conf ]] || cp -L /etc/apt/apt.conf "$work/apt.conf.d/zy"
cat >"$work/apt.conf.d/zz" <<CONF
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "$work";
Dir::State::status "$work/status";
Dir::Cache "$work";
Dir::Log "$work";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
CONF
cat >"$work/apt.conf" <<CONF
Dir::Etc::parts "$work/apt.conf.d";
Dir::Etc::main "/dev/null";
CONF
export APT_CONFIG=$work/apt.conf LC_ALL=C

apt() { # what is wanted, and the command
  local wanted=$1
  shift
  "$@" >"$work/said" 2>&1 || skip "$wanted: $(grep -m 1 '^[EW]:' "$work/said" || tail -n 1 "$work/said")"
}
apt "the list of packages of $suite" apt-get update -o APT::Update::Error-Mode=any
major=$(apt-cache pkgnames postgresql-client- | sed -n 's/^postgresql-client-\([0-9]*\)$/\1/p' | sort -n | tail -n 1)
((${major:-0} >= needed)) || skip "$suite has pg_dump ${major:-of no version}, and $needed is needed"
apt "postgresql-client-$major of $suite" apt-get install --download-only --yes --no-install-recommends "postgresql-client-$major"

cd "$work/unpacked"
for archive in "$work"/archives/*.deb; do
  dpkg-deb -x "$archive" .
done
libraries=$(dirname "$(find usr/lib -name libc.so.6)")
loader=$(find "$libraries" -name 'ld-linux*.so.*')
cat >bin/pg_dump <<RUN
#!/bin/sh
here=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")
exec "\$here/$loader" --inhibit-cache --library-path "\$here/$libraries" --argv0 pg_dump "\$here/usr/lib/postgresql/$major/bin/pg_dump" "\$@"
RUN
chmod 755 bin/pg_dump
bin/pg_dump --version >"$work/said" 2>&1 || skip "pg_dump $major of $suite does not run here: $(tail -n 1 "$work/said")"
rm -rf usr/share

# All of it or nothing; who did the same at the same time did it as well.
mkdir -p "$(dirname "$directory")"
beside=$(mktemp -d "$directory.XXXXXX")
cp -a . "$beside"
mv -T "$beside" "$directory" 2>/dev/null || rm -rf "$beside"
ready || skip "there is something else in $directory"
