#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# reproducible.sh BUILD: builds the packages again, from a copy of the sources in a directory with another name, and
# compares them byte by byte.
#
# Where ccache is, most objects come out of it (CCACHE_NOHASHDIR), so that this takes seconds; what is shown then is that
# preprocessed sources, links, generated files and packing do not depend on place and time. With AUDITSHIFT_REBUILD=1
# everything is compiled again.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
build=$(realpath "$1")
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
place=$(mktemp -d /tmp/auditshift-somewhere-else-XXXXXX)
trap 'rm -rf --one-file-system "$place"' EXIT
: "${SOURCE_DATE_EPOCH:=$(git -C "$source" log -1 --format=%ct)}"
export SOURCE_DATE_EPOCH CCACHE_NOHASHDIR=1
if [[ -n ${AUDITSHIFT_REBUILD:-} ]]; then export CCACHE_DISABLE=1; fi

(cd "$source" && git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf -) | tar -C "$place" -xf -
export CCACHE_BASEDIR=$place
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
