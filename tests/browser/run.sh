#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Opens the HTML reports in a real browser: run.sh TOOL BUILD_DIRECTORY SAMPLE_COMPARISON. Exit 77: skipped, with the reason.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tool=$(realpath "$1")
comparison=$(realpath "$3")
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

# A fleet of the sample hosts at several dates, one with a hostile name, a file that was cut off, one host missing.
fleet=$work/fleet
rm -rf "$fleet"
"$here/../bench/generate_fleet.py" "$fleet" --hosts 60 --kib 1 --dates 5
newest=$(find "$fleet" -mindepth 1 -maxdepth 1 -type d | sort | tail -n 1)
first=$(find "$newest" -name '*.json' | sort | sed -n 1p)
sed 's|"hostname": "[^"]*"|"hostname": "<img src=x onerror=alert(4)>"|; s|"kernel": "[^"]*"|"kernel": "</span><script>document.title=1</script>"|' \
  "$first" >"$newest/hostile.json"
head -c 500 "$first" >"$newest/<b>cut.json"
printf '%s\n' '<u>missing</u>' "$(basename "$first" .json)" >"$work/expected.txt"
code=0
"$tool" -q fleet report "$fleet" --hosts "$work/expected.txt" --format html -o "$work/pages/fleet.html" || code=$?
[[ $code -eq 2 ]] || { echo "error: fleet report ended with $code, not with 2" >&2; exit 1; }

# Comparisons of audit with the sensor, with hostile names.
for outcome in missed nothing-lost; do
  "$comparison" "$outcome" >"$work/pages/comparison-$outcome.html"
done

cd "$work"
AUDITSHIFT_PAGES=$work/pages exec node --test --test-reporter=spec report.test.mjs
