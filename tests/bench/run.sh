#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: run.sh BUILD_DIR [--write] [MIB]: all benchmarks, about ten minutes on a machine that has nothing else to do.
# First the log reader and aureport(8) on one generated log of so many MiB (default 512), whole processes, by turns;
# medians and the peak memory on a small and the large log. Then, as root, the sensor: beside nothing, bare programs and
# auditd; with exclusions; with all processors busy for a minute. Prints tables, and which targets are met; with --write
# it also puts them into docs/performance.md, between the marks <!-- bench:NAME --> and <!-- /bench:NAME -->.
set -euo pipefail

source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${1:?usage: run.sh BUILD_DIR [--write] [MIB]}
shift
write=
if [[ ${1:-} == --write ]]; then
  write=yes
  shift
fi
mib=${1:-512}
rounds=7
small_mib=64
reader=$build/tests/bench/bench_log_reader
generate=$build/tests/bench/bench_generate_log
page=$source/docs/performance.md

fail() { printf 'error: %s\n' "$*" >&2; exit 1; }
[[ $mib =~ ^[1-9][0-9]*$ ]] || fail "not a number of MiB: $mib"
command -v aureport >/dev/null || fail "aureport is needed for the comparison: install the package auditd"
[[ -z $write || -w $page ]] || fail "$page cannot be written"

directory=$(mktemp -d "${TMPDIR:-/tmp}/auditshift-bench.XXXXXX")
trap 'rm -rf "$directory"' EXIT
sections=$directory/sections
mkdir "$sections"
free_mib=$(df --output=avail -m "$directory" | tail -n 1)
((free_mib > mib + small_mib + 256)) || fail "$directory has $free_mib MiB free, $((mib + small_mib + 256)) are needed; set TMPDIR"
load_before=$(cut -d ' ' -f 1-3 /proc/loadavg)
SECONDS=0

# seconds PROGRAM…: runs it once, its output goes to $directory/output; prints how long it took.
seconds() {
  local begin=$EPOCHREALTIME
  "$@" >"$directory/output"
  local end=$EPOCHREALTIME
  awk -v begin="$begin" -v end="$end" 'BEGIN { printf "%.3f\n", end - begin }'
}
peak_kib() { awk '/^VmHWM:/ { print $2 }' "$directory/output"; }
median() { sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }
# section NAME: keeps what is on standard input as a section, and prints it.
section() { tee "$sections/$1.md"; echo; }

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
rm "$directory"/*.log

awk -v mib="$mib" -v ours="$(median <"$directory/ours")" -v theirs="$(median <"$directory/theirs")" \
  -v rounds="$rounds" -v small="$small_mib" -v small_peak="$small_peak" -v large_peak="$large_peak" 'BEGIN {
  printf "A log of %d MiB, medians of %d.\n\n| | time | MiB/s |\n|---|---|---|\n", mib, rounds
  printf "| log reader | %.2f s | %.0f |\n| `aureport --summary` | %.2f s | %.1f |\n", ours, mib / ours, theirs, mib / theirs
  printf "| ratio | %.1f | |\n\n", theirs / ours
  printf "Peak memory of the reader: %.1f MiB on a log of %d MiB, and %.1f MiB on one of %d MiB.\n", small_peak / 1024, small, large_peak / 1024, mib
}' | section log_reader

if [[ $(id -u) -ne 0 ]]; then
  echo "the benchmarks of the sensor need root and are left out" >&2
else
  overhead=$build/tests/bench/sensor_overhead
  echo "the sensor beside nothing, bare programs and auditd" >&2
  "$overhead/bench_comparison" $rounds "$sections"
  echo "exclusions" >&2
  "$overhead/bench_exclusion_cost" $rounds "$sections"
  echo "all processors busy for a minute" >&2
  "$overhead/bench_saturation" 60 "$sections"
  {
    printf '| target | measured | at most | |\n|---|---|---|---|\n'
    cat "$sections/targets"
  } | section targets
fi

{
  changed=
  git -C "$source" diff --quiet HEAD -- . ':!docs' 2>/dev/null || changed=" with changes"
  # shellcheck disable=SC2016  # Markdown
  printf 'Measured by `./dev bench --write` in %d minutes, %s, at commit %s%s.\n' $(((SECONDS + 30) / 60)) "$(date -u '+%Y-%m-%d %H:%M UTC')" \
    "$(git -C "$source" rev-parse --short HEAD 2>/dev/null || echo unknown)" "$changed"
  printf 'Machine: %s processors (%s), %s GiB of memory, Linux %s, in %s. Load (1, 5, 15 minutes): %s before, %s after.\n' "$(nproc)" \
    "$(awk -F ': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)" "$(awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)" \
    "$(uname -r)" "$(systemd-detect-virt --vm 2>/dev/null || echo 'a virtual machine or none')" "$load_before" "$(cut -d ' ' -f 1-3 /proc/loadavg)"
} | section machine

[[ -n $write ]] || exit 0
for file in "$sections"/*.md; do
  name=$(basename "$file" .md)
  grep -q "^<!-- bench:$name -->\$" "$page" || fail "$page has no place for $name"
  awk -v name="$name" -v file="$file" '
    $0 == "<!-- bench:" name " -->" { print; print ""; while ((getline line < file) > 0) print line; print ""; inside = 1; next }
    $0 == "<!-- /bench:" name " -->" { inside = 0 }
    !inside' "$page" >"$directory/page"
  cat "$directory/page" >"$page"
done
echo "written: $page" >&2
