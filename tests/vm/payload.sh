#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# payload.sh BUILD FILE [PACKAGE.deb]: packs what goes into virtual machines into a tar file: the project's package, and the
# system tests of a build directory. Unpacked at /, `/opt/auditshift-tests/install` puts the programs where they belong:
# by installing the package. Where the machine's C library is too old for it, and without a package, from copies that
# bring their libraries.
#
# Such copies, and the system tests, were built against this machine's libraries, and older or newer suites have other
# ones. So they take theirs with them, C library and loader included; nothing else in the machine uses these.
set -euo pipefail
umask 022
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
libraries=/usr/lib/auditshift-vm
tests=/opt/auditshift-tests
[[ $# -eq 2 || $# -eq 3 ]] || { sed -n '3,6s/^# \{0,1\}//p' "$0" >&2; exit 64; }
build=$1 file=$(realpath "$2") package=${3:-}
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

copies=$tests/programs
program "$build/cli/auditshift" "$copies/usr/bin/auditshift"
program "$build/cli/auditshift-sensord" "$copies/usr/sbin/auditshift-sensord"
for test in bpf_probe immutable_audit netlink sensor_ebpf tier_equality; do
  program "$build/tests/system/system_$test" "$tests/system_$test"
done
program "$build/tests/system/parity_workload" "$tests/parity_workload"
units=$tree$copies/usr/lib/systemd/system
mkdir -p "$units"/{multi-user.target.wants,boot-complete.target.requires}
cp "$source"/packaging/systemd/*.service "$units/"
ln -s ../auditshift-resume.service "$units/multi-user.target.wants/"
ln -s ../auditshift-resume.service "$units/boot-complete.target.requires/"
if [[ -n $package ]]; then cp "$package" "$tree$tests/auditshift.deb"; fi
cat >"$tree$tests/install" <<'INSTALL'
#!/bin/sh
set -e
cd /opt/auditshift-tests
# What the package asks for (libc6 >= 2.34).
if [ -e auditshift.deb ] && dpkg --compare-versions "$(dpkg-query -W -f '${Version}' libc6)" ge 2.34; then
  dpkg -i auditshift.deb
else
  cp -dR programs/usr /
  systemctl daemon-reload
fi
INSTALL
chmod 755 "$tree$tests/install"
# Without the directories that the machine has as links (/lib, /bin) or with other rights.
# The same programs make the same file.
(cd "$tree" && find usr opt ! -type d -print0 | sort -z | tar --null -T - --owner=0 --group=0 --mode=go-w --mtime=@0 -cf "$file.new")
mv "$file.new" "$file"
