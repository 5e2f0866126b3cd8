#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: collection.sh: the collection in ansible/ as a thing of its own: yamllint, ansible-lint with its strictest profile,
# the built archive, its documentation, and those of Ansible's sanity tests that run without network and with what Debian
# packages. Exit 77: skipped, with the reason.
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
skip() { echo "skipped: $*" >&2; exit 77; }
for program in ansible-galaxy ansible-doc ansible-test ansible-lint yamllint; do
  command -v "$program" >/dev/null || skip "no $program (./dev setup installs it)"
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A tree as Ansible wants one, of what git knows or is new, and a home of its own for caches.
place=$work/ansible_collections/auditshift/fleet
mkdir -p "$place" "$work/home"
(cd "$source/ansible" && tar -c --exclude=__pycache__ .) | tar -x -C "$place"
export HOME=$work/home ANSIBLE_COLLECTIONS_PATH=$work ANSIBLE_NOCOLOR=1 LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
PATH=/usr/sbin:/usr/bin:/sbin:/bin
cd "$place"

echo "yamllint"
yamllint --strict .

echo "ansible-lint, profile production"
ansible-lint --offline --nocolor --strict

echo "build and install"
ansible-galaxy collection build --output-path "$work/built" . >/dev/null
ansible-galaxy collection install --offline -p "$work/installed" "$work"/built/*.tar.gz >/dev/null

echo "documentation"
for module in auditshift auditshift_info; do
  ansible-doc "auditshift.fleet.$module" >/dev/null
done
for role in assess switch verify rollback commit report; do
  ansible-doc -t role "auditshift.fleet.$role" | grep -q OPTIONS || { echo "role $role: no documentation" >&2; exit 1; }
done

echo "sanity tests"
git init -q . && git add -A # ansible-test looks at what git knows
tests=(action-plugin-docs compile empty-init future-import-boilerplate ignores line-endings metaclass-boilerplate no-assert
  no-basestring no-dict-iteritems no-dict-iterkeys no-dict-itervalues no-get-exception no-illegal-filenames
  no-main-display no-smart-quotes no-unicode-literals replace-urlopen shebang symlinks use-argspec-type-path use-compat-six)
options=()
for test in "${tests[@]}"; do options+=(--test "$test"); done
ansible-test sanity --python "$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')" "${options[@]}" --color no 2>"$work/sanity.log" ||
  { cat "$work/sanity.log" >&2; exit 1; }

# ansible-test would fetch this one's library from the network; Debian has it. The licence it asks for is not this project's.
echo "validate-modules"
validator=$(/usr/bin/python3 -c 'import ansible_test; print(list(ansible_test.__path__)[0])')/_util/controller/sanity/validate-modules
PYTHONPATH=$validator /usr/bin/python3 "$validator/validate.py" --collection ansible_collections/auditshift/fleet --arg-spec \
  plugins/modules >"$work/validate.log" 2>&1 || true
if grep -v missing-gplv3-license "$work/validate.log"; then exit 1; fi
grep -q missing-gplv3-license "$work/validate.log" || { echo "validate-modules did not run" >&2; exit 1; }
echo "nothing to report"
