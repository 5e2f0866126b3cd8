#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Opens the HTML reports in a real browser: run.sh TOOL BUILD_DIRECTORY. Exit 77: skipped, with the reason.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tool=$(realpath "$1")
mkdir -p "$2"
work=$(realpath "$2")/browser

for program in node npm chromium; do
  command -v "$program" >/dev/null || { echo "SKIPPED: $program is not installed (./dev test installs it)"; exit 77; }
done

mkdir -p "$work"
# Node looks for packages beside the test, and the source tree stays as it is.
if ! cmp -s "$here/package-lock.json" "$work/package-lock.json" || [[ ! -d $work/node_modules ]]; then
  cp "$here/package.json" "$here/package-lock.json" "$work/"
  if ! npm ci --prefix "$work" --omit=optional --no-audit --no-fund >"$work/npm.log" 2>&1; then
    cat "$work/npm.log"
    rm -f "$work/package-lock.json"
    echo "error: npm could not install what the browser tests need" >&2
    exit 1
  fi
fi
cp "$here"/*.mjs "$work/"

# The sample hosts, and one whose names try to be more than names.
rm -rf "$work/pages" && mkdir -p "$work/pages"
hosts=$here/../fixtures/hosts
cp -r "$hosts/rhel-8-immutable-cis" "$work/pages/hostile"
printf '%s\n' '<img src=x onerror=alert(1)>"'"'"'</title><script>document.title="owned"</script>' \
  >"$work/pages/hostile/etc/hostname"
cat >>"$work/pages/hostile/etc/audit/rules.d/50-cis.rules" <<'RULES'
-w /srv/<script>document.title="owned"</script> -p wa -k "<svg/onload=alert(2)>
-a never,exit -F exe=/opt/</td></table><img/src=x/onerror=alert(3)> -k x&quot;
RULES
for host in "$hosts"/* "$work/pages/hostile"; do
  page=$work/pages/$(basename "$host").html
  code=0
  "$tool" -q assess --root "$host" --format html -o "$page" || code=$?
  [[ $code -eq 0 || $code -eq 2 || $code -eq 3 ]] || { echo "error: assess of $host ended with $code" >&2; exit 1; }
done
rm -rf "$work/pages/hostile"

cd "$work"
AUDITSHIFT_PAGES=$work/pages exec node --test --test-reporter=spec report.test.mjs
