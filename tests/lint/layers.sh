#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks that includes point one way only: cli → migrate → auditd, sensor → bpf → base.
set -euo pipefail
cd "$(dirname "$0")/../.."

# folder: the folders it may include
declare -A allowed=(
  [base]="base"
  [auditd]="auditd base"
  [bpf]="bpf base"
  [sensor]="sensor bpf base"
  [migrate]="migrate auditd sensor bpf base"
  [cli]="cli migrate auditd sensor bpf base"
)

failed=0
for folder in "${!allowed[@]}"; do
  pattern="^[[:space:]]*#[[:space:]]*include[[:space:]]+\"(base|auditd|bpf|sensor|migrate|cli|tests)/"
  while IFS=: read -r file line text; do
    included=$(sed -E 's/.*"([a-z]+)\/.*/\1/' <<<"$text")
    if [[ " ${allowed[$folder]} " != *" $included "* ]]; then
      echo "$file:$line: $folder/ must not include $included/" >&2
      failed=1
    fi
  done < <(grep -rnE "$pattern" "$folder" --include='*.h' --include='*.cpp' --include='*.c' || true)
done
# Inside migrate/: what judges a host knows nothing of changing it.
#   change (steps, journal, transactions) → outside (the world a change acts on) → the rest of migrate/
#   fleet (many hosts' assessments) → the rest of migrate/
while IFS=: read -r file line text; do
  echo "$file:$line: migrate/ must not include migrate/change/, migrate/outside/ or migrate/fleet/" >&2
  failed=1
done < <(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]+"migrate/(change|outside|fleet)/' migrate/*.h migrate/*.cpp || true)
while IFS=: read -r file line text; do
  echo "$file:$line: migrate/outside/ must not include migrate/change/" >&2
  failed=1
done < <(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]+"migrate/change/' migrate/outside || true)
while IFS=: read -r file line text; do
  echo "$file:$line: migrate/fleet/ and migrate/change/, migrate/outside/ must not include each other" >&2
  failed=1
done < <(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]+"migrate/(change|outside)/' migrate/fleet || true
  grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]+"migrate/fleet/' migrate/change migrate/outside || true)
exit "$failed"
