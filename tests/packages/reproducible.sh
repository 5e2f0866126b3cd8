#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# reproducible.sh BUILD: builds the packages again, from a copy of the sources in a directory with another name, and
# compares them byte by byte.
#
# Everything is compiled again (minutes): a compiler cache that looked the other way about directories would hand out the
# objects of the first build, and with them its names of directories, or hide that the compiler writes those down.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
build=$(realpath "$1")
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
place=$(mktemp -d /tmp/auditshift-somewhere-else-XXXXXX)
trap 'rm -rf --one-file-system "$place"' EXIT
: "${SOURCE_DATE_EPOCH:=$(git -C "$source" log -1 --format=%ct)}"
export SOURCE_DATE_EPOCH CCACHE_DISABLE=1

(cd "$source" && git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf -) | tar -C "$place" -xf -
(cd "$place" && cmake --preset release && nice -n 10 cmake --build build/release) >"$place/log" 2>&1 || { tail -n 30 "$place/log"; exit 1; }
for kind in DEB RPM; do
  # Another time of day: it may not show. (The umask does, in the mode of the members of a Debian package.)
  (cd "$place/build/release" && sleep 1 && umask 022 && cpack -G "$kind") >"$place/log" 2>&1 || { tail -n 30 "$place/log"; exit 1; }
done
for file in "$build"/packages/*.deb "$build"/packages/*.ddeb "$build"/packages/*.rpm; do
  name=${file##*/}
  if cmp -s "$file" "$place/build/release/packages/$name"; then
    pass "$name: the same bytes from $source and from $place"
  else
    miss "$name: the same bytes from another directory" "$(sha256sum "$file" "$place/build/release/packages/$name" 2>&1)"
    if [[ -n ${AUDITSHIFT_KEEP:-} ]]; then cp "$place/build/release/packages/$name" "$AUDITSHIFT_KEEP/"; fi
  fi
done
finish
