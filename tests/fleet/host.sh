#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: host.sh NAME ADDRESS: the first process of a simulated host, in PID, mount and UTS namespaces of its own. Boots
# it (a new boot id, a new /run, audit rules from disk, the unfinished switch as the boot unit would), then serves ssh.
# Ends with 42 when a program there asks for a reboot; the caller starts it again. What is under $FLEET stays.
#
#   $FLEET/tools/usr    programs of every host, over this machine's /usr
#   $FLEET/hosts/NAME   this host's disk: etc, usr, var, home; no-resume: nothing goes on at boot
set -euo pipefail
name=$1 address=$2
disk=$FLEET/hosts/$name
mount --make-rprivate /
mkdir -p "$disk"/{etc,usr,opt,dpkg}/{upper,work} "$disk/home" "$disk"/var/{cache/apt/archives/partial,lib/apt/lists/partial,lib/dpkg,log,tmp}

overlay() { # NAME LOWER [PLACE]
  mount -t overlay overlay -o "lowerdir=$2,upperdir=$disk/$1/upper,workdir=$disk/$1/work" "${3:-/$1}"
}
overlay etc /etc
overlay usr "$FLEET/tools/usr:/usr"
overlay opt /opt
overlay dpkg /var/lib/dpkg "$disk/var/lib/dpkg"
# No overlay: fanotify(7), by which the stand-in for the agent sees events, knows none.
mount --rbind "$disk/var" /var
mount --bind "$disk/home" /home
mount -t tmpfs -o mode=0755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t proc proc /proc
mkdir -p /run/lock /run/sshd
cat "/proc/sys/kernel/random/uuid" >/run/boot-id
mount --bind /run/boot-id /proc/sys/kernel/random/boot_id
hostname "$name"

# The reboot that the fleet's tests ask for: ends the first process.
cat >/run/reboot <<'REBOOT'
#!/bin/sh
kill -TERM 1
REBOOT
chmod 755 /run/reboot

trap 'exit 42' TERM
cd /
[[ ! -f /etc/audit/audit.rules ]] || auditctl -R /etc/audit/audit.rules >/run/auditctl.log 2>&1 || true
if [[ -e /var/lib/auditshift/resume-at-boot && ! -e $disk/no-resume ]]; then
  auditshift resume >/run/resume.log 2>&1 </dev/null &
fi
/usr/sbin/sshd -D -e -f /etc/ssh/sshd_config -o "ListenAddress=$address" >/run/sshd.log 2>&1 &
wait $!
