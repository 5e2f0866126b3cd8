#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: run.sh BUILD_DIR SECONDS: runs each fuzz target for so long, one per processor at a time. A line each: how many
# inputs were tried, how many of them found new code. What a target found lies in BUILD_DIR/tests/fuzz, its log beside it.
set -uo pipefail
build=$(realpath "$1")
seconds=$2
here=$(cd "$(dirname "$0")" && pwd)

fuzz() {
  local program=$1 name=${1##*/fuzz_} tried new status=0
  local found=$build/tests/fuzz/found/$name log=$build/tests/fuzz/$name.log
  mkdir -p "$found"
  "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$build/tests/fuzz/$name-" "$found" "$here/corpus/$name" >"$log" 2>&1 || status=$?
  tried=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  new=$(sed -n 's/^stat::new_units_added: *//p' "$log")
  if [[ $status -eq 0 ]]; then
    printf '%-13s %4s s %12s inputs %6s new  nothing found\n' "$name" "$seconds" "$tried" "$new"
  else
    printf '%-13s FOUND something (exit %s):\n' "$name" "$status"
    tail -n 40 "$log"
    return 1
  fi
}

export build seconds here
export -f fuzz
# shellcheck disable=SC2016
find "$build/tests/fuzz" -maxdepth 1 -name 'fuzz_*' -type f -executable -print0 | sort -z |
  xargs -0 -r -n 1 -P "$(nproc)" bash -c 'fuzz "$0"'
