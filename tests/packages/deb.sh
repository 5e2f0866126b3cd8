#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# deb.sh BUILD: installs, upgrades, removes and purges the Debian package in a clean Debian 12, with apt from a local
# repository; afterwards all is as it was before.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
build=$(realpath "$1")
place=$(mktemp -d)
trap 'rm -rf --one-file-system "$place"' EXIT
root=$place/root
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

inside() { chroot "$root" "$@"; }
install() { inside apt-get -y --no-install-recommends -o Dpkg::Use-Pty=0 install "$@"; }
# shellcheck disable=SC2016 # dpkg-query's placeholders, not the shell's
status() { inside dpkg-query -W -f '${db:Status-Abbrev}${Version}' auditshift 2>/dev/null || true; }

repository() {
  (cd "$root/repository" && apt-ftparchive packages . >Packages 2>/dev/null)
  inside apt-get update >/dev/null 2>&1
}

prepare() {
  local dependency direct
  clean_debian "$root"
  mkdir -p "$root/repository" "$cache/dependencies"
  mapfile -t direct < <(dpkg-deb -f "$build"/packages/auditshift_*.deb Depends | tr ',' '\n' | awk '{ print $1 }')
  # And what these need in their turn.
  apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances \
    "${direct[@]}" | grep '^[a-z0-9]' | sort -u >"$place/all"
  # shellcheck disable=SC2016
  inside dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | awk '$1 == "ii" { print $2 }' | sort -u >"$place/there"
  while read -r dependency; do
    compgen -G "$cache/dependencies/${dependency}_*" >/dev/null ||
      (cd "$cache/dependencies" && apt-get download "$dependency" >"$place/log" 2>&1) ||
      note "not to be had: $dependency: $(tail -n 1 "$place/log")"
  done < <(comm -13 "$place/there" "$place/all")
  cp "$cache"/dependencies/*.deb "$build"/packages/auditshift_*.deb "$root/repository/"
  echo 'deb [trusted=yes] file:/repository ./' >"$root/etc/apt/sources.list"
  # The second release for the upgrade: the same but for its number.
  (cd "$build" && cpack -G DEB -D CPACK_DEBIAN_PACKAGE_RELEASE=2 -D CPACK_PACKAGE_DIRECTORY="$place/second" \
    -D CPACK_OUTPUT_FILE_PREFIX="$place/second" >"$place/log" 2>&1) || { cat "$place/log"; exit 1; }
  repository
  # The libraries first: they stay, and are not what is looked at.
  install "${direct[@]}" >"$place/log" 2>&1 || { cat "$place/log"; exit 1; }
  everything "$root" >"$place/before"
}

installs() {
  note "install"
  succeeds "apt installs it" install auditshift
  equal "$(status)" "ii 0.1.0-1" "it is installed and configured"
  succeeds "the tool runs" inside auditshift --version
  succeeds "the sensor runs" inside auditshift-sensord --version
  succeeds "its files are as they were packed" inside dpkg --verify auditshift
  equal "$(everything "$root" | grep ' ./etc/systemd\|^./etc/systemd' || true)" \
    "$(grep ' ./etc/systemd\|^./etc/systemd' "$place/before" || true)" "nothing was enabled"
  equal "$(inside find /var/lib/auditshift /var/log/auditshift /etc/auditshift 2>/dev/null || true)" "" "nothing was made that it does not own"
  equal "$(inside systemctl is-enabled auditshift-sensord.service 2>&1 || true)" disabled "the sensor is not enabled"
  equal "$(inside systemctl is-enabled auditshift-resume.service 2>&1 || true)" static "the boot unit is static"
  local wants=/usr/lib/systemd/system/multi-user.target.wants/auditshift-resume.service
  succeeds "the boot unit runs at boot" inside test "$wants" -ef /usr/lib/systemd/system/auditshift-resume.service
}

upgrades() {
  note "upgrade"
  echo 'OPTIONS="--format ocsf"' >"$root/etc/default/auditshift-sensord"
  cp "$place"/second/auditshift_*.deb "$root/repository/"
  repository
  succeeds "apt upgrades it" install auditshift
  equal "$(status)" "ii 0.1.0-2" "the new release is installed"
  equal "$(<"$root/etc/default/auditshift-sensord")" 'OPTIONS="--format ocsf"' "a changed conffile stays as it is"
}

removes() {
  note "remove"
  mkdir -p "$root/var/lib/auditshift/journal" "$root/var/log/auditshift" "$root/etc/auditshift"
  echo '{}' >"$root/etc/auditshift/managed.json"
  echo '{}' >"$root/var/log/auditshift/events.ndjson"
  journal step-begins >"$root/var/lib/auditshift/journal/000001.journal"
  fails "a host in the middle of a switch keeps the package" inside apt-get -y remove auditshift
  equal "$(status)" "ii 0.1.0-2" "it is still installed"
  journal switched >"$root/var/lib/auditshift/journal/000001.journal"
  succeeds "after a switch it can go" inside apt-get -y remove auditshift
  equal "$(status)" "rc 0.1.0-2" "the conffile is left"
  succeeds "what the way back needs is kept" test -e "$root/var/lib/auditshift/journal/000001.journal"
  equal "$(inside find / -xdev -name '*auditshift*' -not -path '/var/lib/dpkg/*' -not -path '/repository/*' -not -path '/proc/*' | sort | tr '\n' ' ')" \
    "/etc/auditshift /etc/default/auditshift-sensord /var/lib/auditshift /var/log/auditshift " "nothing else is"
  succeeds "purge" inside apt-get -y purge auditshift
  succeeds "purge keeps the backups of an open switch" test -e "$root/var/lib/auditshift/journal/000001.journal"
  succeeds "it is installed again" install auditshift
  journal failed >"$root/var/lib/auditshift/journal/000001.journal"
  fails "a switch that failed keeps the package" inside apt-get -y purge auditshift
  succeeds "unless it is told otherwise" inside env AUDITSHIFT_REMOVE_ANYWAY=1 apt-get -y remove auditshift
  journal committed >"$root/var/lib/auditshift/journal/000002.journal"
  succeeds "purge after a commit" inside apt-get -y purge auditshift
  everything "$root" >"$place/after"
  equal "$(<"$place/after")" "$(<"$place/before")" "everything is as it was before the installation"
}

prepare
installs
upgrades
removes
finish
