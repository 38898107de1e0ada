#!/usr/bin/env bash
# Makes a Docker image of the PostgreSQL 15 that is installed here (Debian: postgresql-15), for where no registry can be reached.
# Takes from this system PostgreSQL, the few programs that entrypoint.sh wants, and the libraries of all of them; nothing is downloaded.
#
#   make-image.sh TAG        DOCKER_HOST names the daemon, as always
set -euo pipefail
tag=${1:?usage: make-image.sh TAG}
here=$(cd "$(dirname "$0")" && pwd)
pg=/usr/lib/postgresql/15
[[ -x $pg/bin/postgres ]] || {
  echo "make-image: no PostgreSQL 15 in $pg (Debian: postgresql-15)" >&2
  exit 1
}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

mkdir -p "$root"/usr/{bin,lib,lib64} "$root"/{etc,tmp,var/lib/postgresql,run/postgresql}
ln -s usr/bin usr/lib usr/lib64 "$root"
ln -s ../run "$root/var/run"
chmod 1777 "$root/tmp" "$root/run/postgresql"

programs=("$pg"/bin/{postgres,initdb,pg_ctl,psql,pg_controldata})
for name in sh id mkdir chown chmod rm cat setpriv true; do
  programs+=("$(readlink -f "$(type -P "$name")")")
done
cp --parents "${programs[@]}" "$root"
[[ -e $root/usr/bin/sh ]] || ln -s dash "$root/usr/bin/sh"
cp -r --parents "$pg/lib" /usr/share/postgresql/15 /usr/share/zoneinfo /usr/lib/locale/C.utf8 "$root"
# Compiling queries wants LLVM, which is larger than all the rest.
rm -rf "$root$pg"/lib/{bitcode,llvmjit*}

# ldd complains of what is no program, and there are some of these.
{ find "$root/usr/bin" "$root$pg" -type f \( -perm -u+x -o -name '*.so' \) -exec ldd {} + 2>/dev/null || true; } |
  awk '$2 == "=>" && $3 ~ /^\// {print $3} $1 ~ /^\/.*ld-linux/ {print $1}' | sort -u |
  while read -r library; do cp -L --parents "$library" "$root"; done

getent passwd root postgres >"$root/etc/passwd"
getent group root postgres >"$root/etc/group"
install -m 755 "$here/entrypoint.sh" "$root/usr/bin/entrypoint.sh"

tar -C "$root" --numeric-owner -c . | docker import \
  --change 'ENTRYPOINT ["/usr/bin/entrypoint.sh"]' \
  --change 'CMD ["postgres"]' \
  --change 'EXPOSE 5432' \
  --change "ENV PATH=$pg/bin:/usr/bin LANG=C.UTF-8 PGDATA=/var/lib/postgresql/data" \
  - "$tag"
