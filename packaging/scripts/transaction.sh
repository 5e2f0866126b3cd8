# shellcheck shell=sh
# Read into the scripts of both kinds of packages.
state=/var/lib/auditshift

# Where the newest switch of this host stands: the last event of its journal (docs/journal.md) that is a whole line;
# nothing when there never was one.
newest_event() {
  newest='' event=''
  for journal in "$state"/journal/[0-9]*.journal; do
    if [ -f "$journal" ]; then newest=$journal; fi
  done
  [ -n "$newest" ] || return 0
  while IFS= read -r line; do
    case $line in
      *'"event":"note"'*) ;;
      *'"event":"'*) event=${line#*\"event\":\"} event=${event%%\"*} ;;
    esac
  done <"$newest"
  printf '%s\n' "${event:-unknown}"
}
