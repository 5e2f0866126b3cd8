#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# payload.sh BUILD FILE: packs what a build directory holds for the virtual machines into a tar file: the two
# programs and their unit where a package puts them, the system tests under /opt/auditshift-tests.
#
# The programs were built against this machine's libraries, and older or newer suites have other ones. So they take
# theirs with them, C library and loader included, and run in every suite; nothing else in the machine uses these.
set -euo pipefail
umask 022
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
libraries=/usr/lib/auditshift-vm
tests=/opt/auditshift-tests
[[ $# -eq 2 ]] || { sed -n '3,4s/^# \{0,1\}//p' "$0" >&2; exit 64; }
build=$1 file=$(realpath "$2")
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

# program FROM TO: copies a program, with the libraries it needs, to run with them.
program() {
  local from=$1 to=$tree$2 name path
  [[ -x $from ]] || { printf 'error: %s is not built\n' "$from" >&2; exit 1; }
  mkdir -p "$(dirname "$to")" "$tree$libraries"
  strip --strip-debug -o "$to" "$from"
  while read -r name path; do
    [[ -e $tree$libraries/$name ]] || cp -L "$path" "$tree$libraries/$name"
  done < <(ldd "$from" | awk '
    $2 == "=>" && $3 ~ /^\// { print $1, $3 }
    $1 ~ /^\/.*\/ld-linux/ { n = split($1, part, "/"); print part[n], $1 }')
  # An RPATH, which holds for the libraries of libraries too.
  patchelf --force-rpath --set-rpath "$libraries" --set-interpreter "$libraries/ld-linux-x86-64.so.2" "$to"
}

program "$build/cli/auditshift" /usr/bin/auditshift
program "$build/cli/auditshift-sensord" /usr/sbin/auditshift-sensord
for test in bpf_probe immutable_audit netlink sensor_ebpf; do
  program "$build/tests/system/system_$test" "$tests/system_$test"
done
mkdir -p "$tree/usr/lib/systemd/system"
cp "$source"/packaging/systemd/*.service "$tree/usr/lib/systemd/system/"
# Without the directories that the machine has as links (/lib, /bin) or with other rights.
# The same programs make the same file.
(cd "$tree" && find usr opt -type f -print0 | sort -z | tar --null -T - --owner=0 --group=0 --mode=go-w --mtime=@0 -cf "$file.new")
mv "$file.new" "$file"
