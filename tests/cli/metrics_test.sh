#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The metrics of every sample host, and those of status and health of this one, read by Prometheus' own parser:
# metrics_test.sh TOOL BUILD_DIRECTORY SENSOR. Exit 77: skipped, with the reason.
set -euo pipefail
tool=$1
hosts=$(cd "$(dirname "$0")/../fixtures/hosts" && pwd)
PATH=$2/test-tools/prometheus/usr/bin:$PATH
command -v promtool >/dev/null || { echo "SKIPPED: promtool is not there (./dev test fetches it)"; exit 77; }

work=$(mktemp -d)
sensor=
stop() {
  [[ -z $sensor ]] || { kill "$sensor" && wait "$sensor"; } || true
  rm -rf "$work"
}
trap stop EXIT
# No time stamps: node_exporter's textfile collector takes none.
check() {
  promtool check metrics <"$1" || { echo "error: promtool refuses the metrics of $2"; exit 1; }
  if grep -vE '^#|^[a-z_]+(\{.*\})? [0-9.e+-]+$' "$1"; then echo "error: a sample with more than a value"; exit 1; fi
}
count=0
for host in "$hosts"/*; do
  file=$work/$(basename "$host").prom
  code=0
  "$tool" -q assess --root "$host" --format prom -o "$file" || code=$?
  [[ $code -eq 0 || $code -eq 2 || $code -eq 3 ]] || { echo "error: assess of $host ended with $code"; exit 1; }
  check "$file" "$host"
  [[ $(grep -c '^auditshift_assess_verdict{.*} 1$' "$file") -eq 1 ]] || { echo "error: not one verdict"; exit 1; }
  count=$((count + 1))
done
[[ $count -gt 5 ]] || { echo "error: only $count sample hosts"; exit 1; }
echo "promtool took the metrics of $count hosts"

if [[ $(id -u) -ne 0 ]]; then
  echo "status and health are left out: they need root"
  exit 0
fi
code=0
"$tool" -q status --format prom -o "$work/status.prom" || code=$?
[[ $code -eq 0 || $code -eq 3 ]] || { echo "error: status ended with $code"; exit 1; }
check "$work/status.prom" "the switch"
[[ $(grep -c '^auditshift_switch_state{.*} 1$' "$work/status.prom") -eq 1 ]] || { echo "error: not one state"; exit 1; }

"$3" -q --provider netlink --managed "$work/managed.json" --output none --socket "$work/socket" --state "$work/state" \
  --pin "" 2>"$work/sensor.log" &
sensor=$!
for ((i = 0; i < 100; i++)); do [[ -S $work/socket ]] && break; sleep 0.1; done
code=0
"$tool" -q health --socket "$work/socket" --format prom -o "$work/health.prom" || code=$?
[[ $code -eq 0 || $code -eq 2 ]] || { cat "$work/sensor.log"; echo "error: health ended with $code"; exit 1; }
check "$work/health.prom" "the sensor"
grep -q '^auditshift_health_events_written_total [0-9]' "$work/health.prom" || { echo "error: no events counted"; exit 1; }

# The collector reads all files of a directory; a metric in two of them is an error to it.
{ cat "$(find "$work" -name '*.prom' ! -name status.prom ! -name health.prom | head -n 1)" "$work/status.prom" "$work/health.prom"; } >"$work/all"
check "$work/all" "all files together"
echo "promtool took the metrics of status and health"
