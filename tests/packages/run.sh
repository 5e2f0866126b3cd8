#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh BUILD: all tests of the packages in BUILD/packages. Needs root and Debian; ./dev package-test makes the packages
# and calls it.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[[ $(id -u) -eq 0 ]] || { echo "error: root is needed to make root file systems with their owners" >&2; exit 77; }
status=0
for test in contents deb rpm reproducible; do
  echo "$test"
  "$here/$test.sh" "$1" || { echo "failed: tests/packages/$test.sh $1" >&2; status=1; }
done
exit "$status"
