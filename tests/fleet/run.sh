#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: run.sh BUILD [TEST…]: the tests of ansible/ with real Ansible over real ssh, against hosts that are namespaces of
# this machine (host.sh). BUILD is a build directory. Everything runs in namespaces that end with this script: nothing
# stays, and no network but its own loopback is there. Exit 77: skipped, with the reason.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
build=$(cd "$1" && pwd)
shift
tools=${AUDITSHIFT_FLEET_TOOLS:-$source/build/test-tools/fleet-host}
skip() { echo "skipped: $*" >&2; exit 77; }

[[ $(id -u) -eq 0 ]] || skip "the fleet's hosts are namespaces, which need root"
command -v ansible-playbook >/dev/null || skip "no ansible-playbook (package ansible-core; ./dev setup installs it)"
[[ -x $tools/usr/sbin/sshd ]] || skip "no sshd in $tools (./dev setup unpacks it there)"
for program in cli/auditshift tests/standins/mdatp/mdatp tests/fleet/libhost_audit.so; do
  [[ -e $build/$program ]] || { echo "error: $build/$program is not built" >&2; exit 1; }
done
unshare --mount --net --uts --pid --fork true 2>/dev/null || skip "this machine allows no namespaces"

export FLEET=/mnt FLEET_SOURCE=$source FLEET_BUILD=$build FLEET_TOOLS=$tools PYTHONDONTWRITEBYTECODE=1
cd "$here"
# shellcheck disable=SC2016 # the variable is the inner shell's
exec unshare --mount --net --pid --fork --kill-child --mount-proc --propagation private -- /bin/sh -c '
  mount -t tmpfs -o mode=0755 tmpfs "$FLEET" && ip link set lo up && exec /usr/bin/python3 -B -m unittest -v "$@"' sh "$@"
