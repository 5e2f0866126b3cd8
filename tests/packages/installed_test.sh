#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# installed_test.sh BUILD: what an installation puts where, and the list of what is linked: the part of the package tests
# that needs no package, no root and no release build. The packages themselves: ./dev package-test.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
build=$(realpath "$1")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

for component in programs debian rpm; do
  DESTDIR=$tree cmake --install "$build" --prefix /usr --component "$component" >"$tree.log" 2>&1 || { cat "$tree.log"; exit 1; }
done
rm -f "$tree.log"

# Manual pages and documents grow with the verbs and pages; all else is in this list, so that nothing goes in by mistake.
equal "$(cd "$tree" && find . ! -type d ! -path './usr/share/man/*' ! -path './usr/share/doc/auditshift/docs/*' ! -path './usr/share/auditshift/schema/*' -printf '%P %m\n' | sort)" \
  "$(sort <<'LIST'
etc/default/auditshift-sensord 644
usr/bin/auditshift 755
usr/lib/systemd/system/auditshift-resume.service 644
usr/lib/systemd/system/auditshift-sensord.service 644
usr/lib/systemd/system/boot-complete.target.requires/auditshift-resume.service 777
usr/lib/systemd/system/multi-user.target.wants/auditshift-resume.service 777
usr/sbin/auditshift-sensord 755
usr/share/bash-completion/completions/auditshift 644
usr/share/doc/auditshift/README.md 644
usr/share/doc/auditshift/auditshift.spdx.json 644
usr/share/doc/auditshift/changelog.Debian.gz 644
usr/share/doc/auditshift/copyright 644
usr/share/fish/vendor_completions.d/auditshift.fish 644
usr/share/licenses/auditshift/LICENSE 644
usr/share/licenses/auditshift/copyright 644
usr/share/lintian/overrides/auditshift 644
usr/share/zsh/site-functions/_auditshift 644
usr/share/zsh/vendor-completions/_auditshift 644
LIST
)" "everything is where it belongs, and nothing else is"

equal "$(grep -c '^ConditionPathExists=/var/lib/auditshift/resume-at-boot$' "$tree/usr/lib/systemd/system/auditshift-resume.service")" 1 \
  "the boot unit is gated by its marker"
equal "$(grep -c '^\[Install\]$' "$tree/usr/lib/systemd/system/auditshift-resume.service" || true)" 0 "and static"

equal "$(cd "$tree/usr/share/man/man8" && printf '%s\n' ./*.8.gz | sed 's,^\./,,' | sort)" \
  "$({ printf '%s\n' auditshift.8.gz auditshift-sensord.8.gz
     "$build/cli/auditshift" --help | sed -n '/^Subcommands:/,$p' | awk 'NR > 1 && NF { print "auditshift-" $1 ".8.gz" }'; } | sort)" "a manual page for each verb, and the daemon"
equal "$(ls "$tree/usr/share/doc/auditshift/docs")" "$(ls "$here/../../docs")" "every page is installed"
succeeds "and leads to the schemas" test -e "$tree/usr/share/doc/auditshift/docs/schema/status.schema.json"
equal "$(ls "$tree/usr/share/auditshift/schema")" "$(ls "$here/../../docs/schema")" "every schema is"

for shell in bash zsh; do
  file=$tree/usr/share/bash-completion/completions/auditshift
  [[ $shell == bash ]] || file=$tree/usr/share/zsh/site-functions/_auditshift
  succeeds "$shell can read its completion" "$shell" -n "$file"
done
succeeds "fish can read its completion" fish --no-execute "$tree/usr/share/fish/vendor_completions.d/auditshift.fish"
python3 "$here/sbom_test.py" "$tree/usr/share/doc/auditshift/auditshift.spdx.json" "$tree/usr/bin/auditshift" "$tree/usr/sbin/auditshift-sensord" ||
  failed=$((failed + 1))
finish
