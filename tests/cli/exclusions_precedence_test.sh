#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: exclusions_precedence_test.sh AUDITSHIFT: which exclusions count when several sources have some, and
# which entries are refused because others than root could put something in their place.
set -euo pipefail
tool=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
chmod 0755 .

failed=0
fail() { printf 'FAILED: %s\n' "$*" >&2; failed=1; }
# in_force PATH: "true", "false", or nothing when it is not listed.
in_force() {
  "$tool" -q exclusions list --root host --json >list.json
  python3 -c 'import json, sys
for row in json.load(open("list.json"))["exclusions"]:
    if row["value"] == sys.argv[1]: print(str(row["in_force"]).lower(), row["why"] or "-")' "$1"
}
# expect_in_force TRUE_OR_FALSE PATH WORDS: how it stands, and words of the reason.
expect_in_force() {
  local found
  found=$(in_force "$2")
  [[ $found == "$1 "* && $found == *"$3"* ]] || fail "$2: '$found', not $1 with '$3'"
}

managed=host/etc/opt/microsoft/mdatp/managed
mkdir -p host/auditshift-capture $managed host/opt/microsoft/mdatp host/srv/both host/usr/sbin
printf 'Linux fake 6.1.0 #1 SMP x86_64 GNU/Linux\n' >host/auditshift-capture/uname
printf 'mdatp 101.24102.0000\n' >host/auditshift-capture/packages
{
  printf 'Excluded folder\nPath: "/srv/local"\nScope: ["epp"]\n---\n'
  printf 'Excluded folder\nPath: "/srv/both"\nScope: ["epp"]\n'
} >host/auditshift-capture/mdatp-exclusions
# shellcheck disable=SC2016  # the dollar sign is the key's
entry() { printf '{"$type":"excludedPath","isDirectory":true,"path":"%s","scopes":["%s"]}' "$1" "$2"; }
# managed_file POLICY
managed_file() {
  printf '{"exclusionSettings":{"mergePolicy":"%s","exclusions":[%s,%s,%s]}}\n' "$1" \
    "$(entry /srv/global global)" "$(entry /srv/antivirus epp)" "$(entry /srv/both epp)" >$managed/mdatp_managed.json
}

# managed over local
managed_file merge
expect_in_force true /srv/global -
expect_in_force true /srv/antivirus -
expect_in_force true /srv/local -
in_force /srv/both | grep -q '^false .*wins' || fail 'the local twin of a managed exclusion does not yield'

# admin_only: nothing that was added on the host counts
managed_file admin_only
expect_in_force true /srv/antivirus -
expect_in_force false /srv/local admin_only

# beside mdeattach_managed.json only the global ones of mdatp_managed.json count
managed_file merge
printf '{"exclusionSettings":{"exclusions":[%s]}}\n' "$(entry /srv/attached epp)" >$managed/mdeattach_managed.json
expect_in_force true /srv/global -
expect_in_force false /srv/antivirus mdeattach_managed.json
expect_in_force true /srv/attached -
# and the policy is that of the file that wins
managed_file admin_only
expect_in_force true /srv/local -
printf '{"exclusionSettings":{"mergePolicy":"admin_only"}}\n' >$managed/mdeattach_managed.json
managed_file merge
expect_in_force false /srv/local admin_only

# Who could put something in the place of an entry: owners and modes of this very host's files, since a captured
# host has not kept them.
if [[ $(id -u) -ne 0 ]]; then
  printf 'SKIPPED: owners of files cannot be changed without root\n' >&2
else
  place=$(mktemp -d /opt/auditshift-test.XXXXXX)
  trap 'rm -rf "$work" "$place"' EXIT
  # add: its exit code; a file of its own each time, so that nothing is there already.
  add() {
    local code=0
    rm -f own.json
    "$tool" -q exclusions add process --path "$place/vendor/tool" --scope global --managed own.json \
      >out 2>err </dev/null || code=$?
    echo "$code"
  }
  # refused WORDS: refused, by a reason that has these words.
  refused() {
    [[ $(add) -eq 2 ]] || { fail "not refused for '$1'"; return; }
    grep -qF -- "$1" err || { fail "no word of '$1'"; cat err >&2; }
  }
  accepted() { [[ $(add) -eq 0 ]] || { fail "$1"; cat err >&2; }; }
  # fresh: a program and its directory as a package leaves them.
  fresh() {
    rm -rf "$place/vendor"
    mkdir "$place/vendor"
    touch "$place/vendor/tool"
    chmod 0755 "$place" "$place/vendor" "$place/vendor/tool"
  }
  fresh && accepted 'a program of root alone is refused'
  fresh && chown 1234 "$place/vendor/tool" && refused "uid 1234, which owns $place/vendor/tool"
  fresh && chown 1234 "$place/vendor" && refused "uid 1234, which owns $place/vendor"
  fresh && chmod 0757 "$place/vendor/tool" && refused "everyone, by the mode of $place/vendor/tool"
  fresh && chmod 0777 "$place/vendor" && refused "everyone, by the mode of $place/vendor"
  fresh && chgrp 1234 "$place/vendor/tool" && chmod 0775 "$place/vendor/tool" &&
    refused "gid 1234, by the mode of $place/vendor/tool"
  fresh && chmod 0775 "$place/vendor/tool" && accepted 'root as a group is refused'
fi

[[ $failed -eq 0 ]] && echo 'all as it should be'
exit "$failed"
