#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: exclusions_test.sh AUDITSHIFT: the exclusions verbs as people and scripts use them: exit codes, what is
# printed, what is written; every command of docs/exclusions.md; every JSON document against its schema.
set -euo pipefail
tool=$(realpath "$1")
source_dir=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

failed=0
fail() { printf 'FAILED: %s\n' "$*" >&2; failed=1; }
# expect CODE COMMAND…: runs it, keeps its output in out and err.
expect() {
  local wanted=$1 code=0
  shift
  "$@" >out 2>err </dev/null || code=$?
  [[ $code -eq $wanted ]] || { fail "exit $code, not $wanted: $*"; cat out err >&2; }
}
says() { grep -qF -- "$2" "$1" || { fail "$1 does not say: $2"; cat "$1" >&2; }; }
follows() { "$source_dir/tests/schema/validate.py" "$source_dir/docs/schema/$1.schema.json" out || fail "schema $1"; }
# shellcheck disable=SC2317  # called through expect
verb() { local name=$1; shift; "$tool" -q exclusions "$name" "$@"; }

# A host with an agent that knows global exclusions.
mkdir -p host/auditshift-capture host/etc/audit/rules.d host/usr/sbin host/srv/data host/opt/microsoft/mdatp \
  host/etc/opt/microsoft/mdatp/managed host/usr/bin
printf 'Linux fake 6.1.0 #1 SMP x86_64 GNU/Linux\n' >host/auditshift-capture/uname
printf 'mdatp 101.24102.0000\n' >host/auditshift-capture/packages
printf 'Excluded folder\nPath: "/srv/local"\nScope: ["epp"]\n' >host/auditshift-capture/mdatp-exclusions
touch host/usr/sbin/named host/usr/bin/bash
printf -- '-a exit,never -S socket -F exe=/usr/sbin/named -k exclude\n-a never,exit -F pid=1\n' \
  >host/etc/audit/rules.d/exclude.rules
managed=host/etc/opt/microsoft/mdatp/managed/mdatp_managed.json
printf '{\n  "info": 1, "info": 2,\n  "features": {}\n}\n' >$managed
cp $managed before

# translate
expect 2 verb translate --root host
says out 'process:/usr/sbin/named  [global exclusion, events broader, needs consent'
says out 'antivirus real-time protection'
expect 2 verb translate --root host --json
follows exclusions-translate
expect 0 verb translate --root host --accept process:/usr/sbin/named
# shellcheck disable=SC2016  # the dollar sign is the key's
says out '{"$type": "excludedFileName", "name": "/usr/sbin/named", "scopes": ["global"]}'
expect 0 verb translate --root host --accept process:/usr/sbin/named --json=short
follows exclusions-translate
expect 2 verb translate --root host /etc/audit/rules.d/exclude.rules
expect 64 verb translate --root host --accept process:/usr/sbin/name
says err 'did you mean process:/usr/sbin/named?'
cmp -s before $managed || fail 'translate wrote something'

# list
expect 0 verb list --root host
says out '/srv/local'
expect 0 verb list --root host --json
follows exclusions-list

# add, twice; remove
expect 0 verb add process --path /usr/sbin/named --scope global --root host --json
follows exclusions-edit
expect 0 verb add process --path /usr/sbin/named --scope global --root host --json
follows exclusions-edit
says out '"changed": false'
expect 0 verb add folder --path /srv/data --root host
expect 0 verb list --root host
says out '/srv/data  [global]'
says out '/usr/sbin/named  [global]'

# test
expect 2 verb test --exe /usr/sbin/named --root host
expect 2 verb test --path /srv/data/x --root host --json
follows exclusions-test
expect 0 verb test --path /srv/data/x --op rename --new-path /tmp/x --root host --json
follows exclusions-test
expect 2 verb test --path /srv/data/x --op rename --new-path /srv/data/y --root host
expect 0 verb test --exe /usr/bin/other --path /etc/passwd --root host
expect 64 verb test --exe /usr/bin/other --op renam --root host
says err 'did you mean rename?'
expect 64 verb test --root host

expect 0 verb remove folder --path /srv/data --root host
expect 0 verb remove process --path /usr/sbin/named --scope global --root host
expect 0 verb remove process --path /usr/sbin/named --scope global --root host
expect 0 verb test --exe /usr/sbin/named --root host

# refused
expect 2 verb add process --path /usr/bin/bash --root host
says err '--accept process:/usr/bin/bash'
expect 0 verb add process --path /usr/bin/bash --root host --accept process:/usr/bin/bash
expect 64 verb add process --path /usr/sbin/gone --root host
expect 64 verb add folder --path '/srv/*' --root host
expect 64 verb add process --path named --root host
expect 64 verb add file --path /srv/data --root host
expect 64 verb add drive --path /srv/data --root host
printf '{ // comment\n}\n' >own.json
cp own.json host/own.json
expect 1 verb add folder --path /srv/data --root host --managed /own.json
says err 'only strict JSON'
cmp -s own.json host/own.json || fail 'a refused edit wrote something'
printf 'mdatp 101.23082.0006\n' >host/auditshift-capture/packages
expect 2 verb add folder --path /srv/data --root host
says err 'knows no global exclusions'

# a file of one's own; the agent's own file wants root, and a yes
expect 0 verb add folder --path /usr/share/doc --scope epp --managed managed.json
expect 0 verb add folder --path /usr/share/doc --scope epp --managed managed.json
[[ $(grep -c /usr/share/doc managed.json) -eq 1 ]] || fail 'added twice'
if [[ $(id -u) -eq 0 ]]; then
  expect 64 verb add folder --path /usr/share/doc --scope epp
  says err 'needs --yes'
else
  expect 77 verb add folder --path /usr/share/doc --scope epp --yes
fi

# the commands of the page; those that would change this machine or read all of it get a root of their own
printf 'mdatp 101.24102.0000\n' >host/auditshift-capture/packages
commands=0
while IFS= read -r line; do
  line=${line#\$ }
  read -ra words <<<"${line#auditshift }"
  code=0
  "$tool" -q "${words[@]}" --root host >out 2>err </dev/null || code=$?
  [[ $code -eq 0 || $code -eq 2 ]] || { fail "exit $code: $line"; cat err >&2; }
  commands=$((commands + 1))
done < <(grep -E '^(\$ )?auditshift ' "$source_dir/docs/exclusions.md")
[[ $commands -ge 7 ]] || fail "only $commands commands found on the page"

[[ $failed -eq 0 ]] && printf 'all as it should be, %d commands of the page run\n' "$commands"
exit "$failed"
