#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# rpm.sh BUILD: installs, upgrades and erases the RPM with the real rpm, in a root of its own with an RPM database. The
# libraries in that root are Debian's, which no RPM database knows: hence --nodeps, and what the package asks for is
# looked at on its own.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
build=$(realpath "$1")
place=$(mktemp -d)
trap 'rm -rf --one-file-system "$place"' EXIT
root=$place/root
package=$(echo "$build"/packages/auditshift-*.rpm)

rpm_in() { rpm --root "$root" --define '_dbpath /var/lib/rpm' "$@"; }

# What RHEL 9.2, and whatever came after it, has: sonames, and the versions of their symbols.
known_libraries='libarchive.so.13 libaudit.so.1 libbpf.so.1 libcap-ng.so.0 libc.so.6 libgcc_s.so.1 libm.so.6 libnettle.so.8
libsqlite3.so.0 libstdc++.so.6 libz.so.1 ld-linux-x86-64.so.2 libelf.so.1'

asks_for() {
  note "what it asks for"
  local requirement library newest
  while read -r requirement; do
    library=${requirement%%(*}
    [[ $library == *.so* ]] || continue
    grep -qw -F -- "$library" <<<"$known_libraries" || miss "a library that RHEL 9 has" "$requirement"
  done < <(rpm -qp --requires "$package" 2>/dev/null)
  newest=$(rpm -qp --requires "$package" 2>/dev/null | grep -o 'GLIBC_[0-9.]*' | sort -V | tail -n 1)
  equal "$(printf '%s\n' "$newest" GLIBC_2.34 | sort -V | tail -n 1)" GLIBC_2.34 "no newer C library than RHEL 9's (2.34)"
  newest=$(rpm -qp --requires "$package" 2>/dev/null | grep -o 'GLIBCXX_[0-9.]*' | sort -V | tail -n 1)
  equal "$(printf '%s\n' "$newest" GLIBCXX_3.4.29 | sort -V | tail -n 1)" GLIBCXX_3.4.29 "no newer C++ library than RHEL 9's (GCC 11)"
}

clean_debian "$root"
for library in $(ldd "$build/cli/auditshift" "$build/cli/auditshift-sensord" | awk '$2 == "=>" { print $3 }' | sort -u); do
  [[ -e $root$library ]] || cp -L "$library" "$root$library"
done
mkdir -p "$root/var/lib/rpm"
rpm_in --initdb
everything "$root" >"$place/before"
asks_for
(cd "$build" && cpack -G RPM -D CPACK_RPM_PACKAGE_RELEASE=2 -D CPACK_PACKAGE_DIRECTORY="$place/second" \
  -D CPACK_OUTPUT_FILE_PREFIX="$place/second" >"$place/log" 2>&1) || { cat "$place/log"; exit 1; }

note "install"
succeeds "rpm installs it" rpm_in --nodeps -i "$package"
equal "$(rpm_in -q --qf '%{version}-%{release}' auditshift)" 0.1.0-1 "it is installed"
succeeds "the tool runs" chroot "$root" auditshift --version
succeeds "the sensor runs" chroot "$root" auditshift-sensord --version
succeeds "its files are as they were packed" rpm_in -V --nodeps auditshift
equal "$(rpm_in -qc auditshift)" /etc/default/auditshift-sensord "its configuration is marked as such"
equal "$(chroot "$root" systemctl is-enabled auditshift-sensord.service 2>&1 || true)" disabled "the sensor is not enabled"
equal "$(chroot "$root" systemctl is-enabled auditshift-resume.service 2>&1 || true)" static "the boot unit is static"

note "upgrade"
echo 'OPTIONS="--format ocsf"' >"$root/etc/default/auditshift-sensord"
succeeds "rpm upgrades it" rpm_in --nodeps -U "$place"/second/auditshift-*.rpm
equal "$(rpm_in -q --qf '%{version}-%{release}' auditshift)" 0.1.0-2 "the new release is installed"
equal "$(<"$root/etc/default/auditshift-sensord")" 'OPTIONS="--format ocsf"' "changed configuration stays as it is"

note "erase"
mkdir -p "$root/var/lib/auditshift/journal"
journal step-begins >"$root/var/lib/auditshift/journal/000001.journal"
fails "a host in the middle of a switch keeps the package" rpm_in --nodeps -e auditshift
journal switched >"$root/var/lib/auditshift/journal/000001.journal"
succeeds "after a switch it can go" rpm_in --nodeps -e auditshift
succeeds "what the way back needs is kept" test -e "$root/var/lib/auditshift/journal/000001.journal"
# As every RPM does, it leaves configuration that was changed under another name.
rm -rf "$root/var/lib/auditshift" "$root/etc/default/auditshift-sensord.rpmsave"
everything "$root" >"$place/after"
equal "$(<"$place/after")" "$(<"$place/before")" "everything else is as it was before the installation"
finish
