#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: run.sh BUILD_DIR [MIB]: all benchmarks. First the log reader and aureport(8) on one generated log of so
# many MiB (default 1024), whole processes, by turns; medians and the peak memory on a small and the large log.
# Then, as root, the sensor: what it adds to a system call, what exclusions cost, and nothing, auditd and the
# sensor side by side.
set -euo pipefail

build=${1:?usage: run.sh BUILD_DIR [MIB]}
mib=${2:-1024}
rounds=5
small_mib=64
reader=$build/tests/bench/bench_log_reader
generate=$build/tests/bench/bench_generate_log

fail() { printf 'error: %s\n' "$*" >&2; exit 1; }
[[ $mib =~ ^[1-9][0-9]*$ ]] || fail "not a number of MiB: $mib"
command -v aureport >/dev/null || fail "aureport is needed for the comparison: install the package auditd"

directory=$(mktemp -d "${TMPDIR:-/tmp}/auditshift-bench.XXXXXX")
trap 'rm -rf "$directory"' EXIT
free_mib=$(df --output=avail -m "$directory" | tail -n 1)
((free_mib > mib + small_mib + 256)) || fail "$directory has $free_mib MiB free, $((mib + small_mib + 256)) are needed; set TMPDIR"

# seconds PROGRAM…: runs it once, its output goes to $directory/output; prints how long it took.
seconds() {
  local begin=$EPOCHREALTIME
  "$@" >"$directory/output"
  local end=$EPOCHREALTIME
  awk -v begin="$begin" -v end="$end" 'BEGIN { printf "%.3f\n", end - begin }'
}
peak_kib() { awk '/^VmHWM:/ { print $2 }' "$directory/output"; }
median() { sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }

echo "generating logs of $small_mib and $mib MiB" >&2
"$generate" $((small_mib << 20)) >"$directory/small.log"
"$generate" $((mib << 20)) >"$directory/large.log"

# The same log must give the same answer before speeds are worth comparing.
expected=$(aureport --summary -if "$directory/small.log" | grep '^Number of events')
[[ $("$reader" "$directory/small.log" | grep '^Number of events') == "$expected" ]] ||
  fail "the two programs count different numbers of events"

seconds "$reader" "$directory/small.log" >/dev/null
small_peak=$(peak_kib)
for ((round = 1; round <= rounds; round++)); do
  echo "round $round of $rounds" >&2
  seconds "$reader" "$directory/large.log" >>"$directory/ours"
  large_peak=$(peak_kib)
  seconds aureport --summary -if "$directory/large.log" >>"$directory/theirs"
done

awk -v mib="$mib" -v ours="$(median <"$directory/ours")" -v theirs="$(median <"$directory/theirs")" \
  -v rounds="$rounds" -v small="$small_mib" -v small_peak="$small_peak" -v large_peak="$large_peak" 'BEGIN {
  printf "log reader          %8.2f s  %8.1f MiB/s  (median of %d, log of %d MiB)\n", ours, mib / ours, rounds, mib
  printf "aureport --summary  %8.2f s  %8.1f MiB/s\n", theirs, mib / theirs
  printf "ratio               %8.1f\n", theirs / ours
  printf "peak memory         %8.1f MiB at %d MiB, %.1f MiB at %d MiB\n", small_peak / 1024, small, large_peak / 1024, mib
}'

if [[ $(id -u) -ne 0 ]]; then
  echo "the benchmarks of the sensor need root and are left out" >&2
  exit 0
fi
for program in bench_sensor_overhead bench_exclusion_cost bench_comparison; do
  echo "$program" >&2
  "$build/tests/bench/sensor_overhead/$program"
done
