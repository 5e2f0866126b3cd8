#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: Apache-2.0
# The first program of a virtual machine: finds the root file system on the first disk and the kernel's modules
# on the second, and gives way to systemd.
export PATH=/bin
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
for module in /modules/*.ko; do insmod "$module" 2>/dev/null; done
wait_for() {
  n=0
  while [ ! -b "$1" ]; do
    n=$((n + 1))
    [ "$n" -gt 100 ] && { echo "init: no $1"; poweroff -f; }
    sleep 0.1
  done
}
wait_for /dev/vda
wait_for /dev/vdb
# A journal left by a power cut is played back by the mount.
mount -t ext4 -o rw /dev/vda /root || { echo "init: /dev/vda cannot be mounted"; poweroff -f; }
mkdir -p /root/usr/lib/modules
mount -t ext4 -o ro /dev/vdb /root/usr/lib/modules || echo "init: no kernel modules"
umount /proc
mount --move /dev /root/dev
exec switch_root /root /sbin/init
