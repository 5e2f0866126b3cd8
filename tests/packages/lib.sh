# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the package tests share: assertions, a clean Debian to install in, and a list of all that is in it.
umask 022
failed=0
cache=${XDG_CACHE_HOME:-$HOME/.cache}/auditshift/packages

note() { printf '%s\n' "$*"; }
pass() { printf '  ok   %s\n' "$1"; }
miss() {
  printf '  FAIL %s\n' "$1"
  [[ $# -lt 2 ]] || printf '       %s\n' "${2//$'\n'/$'\n'       }"
  failed=$((failed + 1))
}

# equal FOUND WANTED WHAT
equal() { if [[ $1 == "$2" ]]; then pass "$3"; else miss "$3" "$(diff <(printf '%s\n' "$2") <(printf '%s\n' "$1") | head -n 40)"; fi; }

# succeeds WHAT COMMAND…, fails WHAT COMMAND…: the command's output is shown when it did not.
succeeds() {
  local what=$1 text
  shift
  if text=$("$@" 2>&1 </dev/null); then pass "$what"; else miss "$what" "$* ended with $?: $text"; fi
}
fails() {
  local what=$1 text
  shift
  if text=$("$@" 2>&1 </dev/null); then miss "$what" "$* ended with 0: $text"; else pass "$what"; fi
}

finish() {
  [[ $failed -eq 0 ]] || note "$failed failed"
  exit $((failed > 0))
}

mirror() {
  # shellcheck disable=SC2016 # apt-get's placeholders, not the shell's
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | head -n 1
}

# clean_debian DIRECTORY: unpacks Debian 12's smallest system there; fetched once.
clean_debian() {
  local archive=$cache/debian-12.tar.gz work
  if [[ ! -e $archive ]]; then
    note "fetching a clean Debian 12 (once)"
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/work.XXXXXX")
    if ! unshare --mount --propagation private debootstrap --variant=minbase --include=systemd bookworm "$work/tree" "$(mirror)" \
      >"$work/log" 2>&1; then
      tail -n 20 "$work/log" >&2
      exit 1
    fi
    rm -rf "$work"/tree/var/cache/apt/archives/*.deb "$work"/tree/var/lib/apt/lists/*
    tar -C "$work/tree" -czf "$archive.new" .
    mv "$archive.new" "$archive"
    rm -rf --one-file-system "$work"
  fi
  mkdir -p "$1"
  tar -C "$1" -xzf "$archive"
}

# everything DIRECTORY: each file below it but the package managers' own records and caches: type, mode, owner, size or
# target, content.
everything() {
  (cd "$1" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./run -o -path ./tmp -o -path ./repository \
    -o -path ./var/lib/dpkg -o -path ./var/lib/apt -o -path ./var/cache -o -path ./var/log/apt -o -path ./var/log/dpkg.log \
    -o -path ./var/log/alternatives.log -o -path ./etc/ld.so.cache -o -path ./etc/apt -o -path ./var/lib/rpm \) -prune \
    -o -printf '%p %y %m %U:%G %l\n' -type f -exec sha256sum {} + | sort)
}

# journal EVENT: what a switch leaves behind that came to this event (docs/journal.md); for the scripts, the last
# records are enough.
journal() {
  local begin='{"at":"2026-11-22T08:00:00Z","boot_id":"b","caller":"root","event":"begin","plan":{}}'
  local last='{"at":"2026-11-22T08:00:01Z","event":"'$1'"}'
  printf 'auditshift-journal 1\n'
  printf '0123456789abcdef %d %s\n' ${#begin} "$begin" ${#last} "$last"
}
