# shellcheck shell=sh
# Read into the scripts of both kinds of packages.
# refuse_in_between: a host halfway through a switch needs this package to reach one of the two ends.
refuse_in_between() {
  case $(newest_event) in
    '' | switched | committed | rolled-back) return 0 ;;
  esac
  if [ -n "${AUDITSHIFT_REMOVE_ANYWAY:-}" ]; then
    echo "auditshift: removed in the middle of a switch, as AUDITSHIFT_REMOVE_ANYWAY asks for" >&2
    return 0
  fi
  echo "error: auditshift is not removed: a switch of this host is not at its end" >&2
  echo "hint: auditshift status says what is next; AUDITSHIFT_REMOVE_ANYWAY=1 in the environment removes it all the same" >&2
  return 1
}

# leave_host: what runs, what was enabled, and what outlives the sensor in the kernel.
leave_host() {
  if [ -d /run/systemd/system ]; then
    systemctl stop auditshift-sensord.service || true
  fi
  if command -v systemctl >/dev/null 2>&1; then
    systemctl --no-reload disable auditshift-sensord.service >/dev/null 2>&1 || true
  fi
  # A clean stop takes these away; a sensor that crashed before left them.
  rm -rf /sys/fs/bpf/auditshift
}
