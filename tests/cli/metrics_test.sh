#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The metrics of every sample host, read by Prometheus' own parser: metrics_test.sh TOOL BUILD_DIRECTORY.
# Exit 77: skipped, with the reason.
set -euo pipefail
tool=$1
hosts=$(cd "$(dirname "$0")/../fixtures/hosts" && pwd)
PATH=$2/test-tools/prometheus/usr/bin:$PATH
command -v promtool >/dev/null || { echo "SKIPPED: promtool is not there (./dev test fetches it)"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0
for host in "$hosts"/*; do
  file=$work/$(basename "$host").prom
  code=0
  "$tool" -q assess --root "$host" --format prom -o "$file" || code=$?
  [[ $code -eq 0 || $code -eq 2 || $code -eq 3 ]] || { echo "error: assess of $host ended with $code"; exit 1; }
  promtool check metrics <"$file" || { echo "error: promtool refuses the metrics of $host"; exit 1; }
  # No time stamps: node_exporter's textfile collector takes none.
  if grep -vE '^#|^[a-z_]+(\{.*\})? [0-9.e+-]+$' "$file"; then echo "error: a sample with more than a value"; exit 1; fi
  [[ $(grep -c '^auditshift_assess_verdict{.*} 1$' "$file") -eq 1 ]] || { echo "error: not one verdict"; exit 1; }
  count=$((count + 1))
done
[[ $count -gt 5 ]] || { echo "error: only $count sample hosts"; exit 1; }
echo "promtool took the metrics of $count hosts"
