#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# contents.sh BUILD: looks through the packages: Debian's checker, manual pages, the list of what is linked.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
build=$(realpath "$1")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
package=$(echo "$build"/packages/auditshift_*.deb)

succeeds "lintian has neither errors nor warnings" lintian --allow-root --fail-on error,warning "$package"

dpkg-deb -x "$package" "$place/deb"
mkdir "$place/rpm"
rpm2cpio "$build"/packages/auditshift-*.rpm | (cd "$place/rpm" && cpio -idm --quiet)
for kind in deb rpm; do
  tree=$place/$kind
  equal "$(cd "$tree" && find . -perm /022 ! -type l; find "$tree" -perm /6000)" "" "$kind: nothing is writable for others, or set-uid"
  equal "$(cd "$tree/usr/lib/systemd/system" && find . -mindepth 1 | sort | tr '\n' ' ')" \
    "./auditshift-resume.service ./auditshift-sensord.service ./boot-complete.target.requires ./boot-complete.target.requires/auditshift-resume.service ./multi-user.target.wants ./multi-user.target.wants/auditshift-resume.service " \
    "$kind: two units, and only the boot unit is linked"
  equal "$(find "$tree" -name '*.debug' -o -name '*.o' -o -name '__pycache__' | tr '\n' ' ')" "" "$kind: no leftovers of the build"
  for program in usr/bin/auditshift usr/sbin/auditshift-sensord; do
    equal "$(readelf -S "$tree/$program" | grep -c '\.debug_info' || true)" 0 "$kind: $program is stripped"
    equal "$(grep -c -a -F "$build" "$tree/$program" || true)" 0 "$kind: $program does not name the place it was built in"
  done
  python3 "$here/sbom_test.py" "$tree/usr/share/doc/auditshift/auditshift.spdx.json" \
    "$tree/usr/bin/auditshift" "$tree/usr/sbin/auditshift-sensord" || failed=$((failed + 1))
done
# Both kinds hold the same programs: the build id is a hash of what they were linked to.
for program in usr/bin/auditshift usr/sbin/auditshift-sensord; do
  equal "$(readelf -n "$place/deb/$program" | grep 'Build ID')" "$(readelf -n "$place/rpm/$program" | grep 'Build ID')" \
    "$program is the same in both"
done
dpkg-deb -R "$build"/packages/auditshift-dbgsym_*.ddeb "$place/symbols"
equal "$(find "$place/symbols" -name '*.debug' | wc -l)" 2 "debug symbols of both programs are in a package of their own"
equal "$(cut -d" " -f3 "$place/symbols/DEBIAN/md5sums" | sort)" "$(cd "$place/symbols" && find usr -type f | sort)" "their checksums are of the files of that package"
finish
