#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes what a virtual machine boots from, out of Debian packages. Needs root (debootstrap does).
#   image.sh root SUITE     prints the file of a root file system (ext4) with the user space of that suite
#   image.sh managed SUITE  the same, with what Ansible needs of a host: sshd, Python, sudo
#   image.sh kernel SUITE   prints a directory with that suite's newest kernel: vmlinux, initrd, modules.ext4, version
# Any kernel goes with any user space. Both are made once and kept in the store, named after what they
# are made from: suite, packages and the functions here. AUDITSHIFT_VM_REFRESH=1 makes them anew (newer packages).
set -euo pipefail
umask 022
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
store=${AUDITSHIFT_VM_STORE:-${XDG_CACHE_HOME:-$HOME/.cache}/auditshift/vm}

# What every suite has under the same name. qemu-guest-agent is how the host talks to the machine.
root_packages=(systemd systemd-sysv udev dbus kmod qemu-guest-agent procps psmisc iproute2 auditd attr acl
  cron e2fsprogs python3-minimal)
root_size=2G
# What the project's own package needs beyond these, as the suites call it; before Debian 12 it cannot be installed.
project_packages() {
  case $1 in
    buster | bullseye) ;;
    bookworm) printf '%s\n' libarchive13 libnettle8 libbpf1 libsqlite3-0 ;;
    *) printf '%s\n' libarchive13t64 libnettle8t64 libbpf1 libsqlite3-0 ;;
  esac
}
managed_packages=(openssh-server python3 sudo)
kernel_package=linux-image-cloud-amd64
# What the initrd loads before the root file system is there.
early_modules=(virtio_pci virtio_blk ext4)

say() { printf '%s\n' "$*" >&2; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# mirror [security]: where this machine's own packages come from.
mirror() {
  local codename
  if [[ -n ${AUDITSHIFT_VM_MIRROR:-} && -z ${1:-} ]]; then printf '%s\n' "$AUDITSHIFT_VM_MIRROR"; return; fi
  codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)${1:+-$1}
  # shellcheck disable=SC2016 # apt-get's placeholders, not the shell's
  apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
    awk -v codename="$codename" '$1 == codename { print $2; exit }'
}

# quietly LOG COMMAND…: shows the log only when the command fails.
quietly() {
  local log=$1
  shift
  "$@" >>"$log" 2>&1 || { tail -n 20 "$log" >&2; fail "failed: $* (the whole log is in $log)"; }
}

# key FUNCTION…: a name for what these functions, and the settings above, make.
key() {
  {
    declare -f "$@"
    printf '%s\n' "${root_packages[@]}" "$root_size" "$kernel_package" "${early_modules[@]}"
    cat "$here/init.sh"
  } | sha256sum | cut -c 1-16
}

# ready DIRECTORY: whether it is there and may be used; made complete by `keep`.
ready() { [[ -e $1/complete && -z ${AUDITSHIFT_VM_REFRESH:-} ]]; }

# start_work DIRECTORY: an empty place to work in, removed at the end whatever happens.
start_work() {
  mkdir -p "$store"
  work=$(mktemp -d "$1.XXXXXX")
  trap 'rm -rf --one-file-system "$work"' EXIT
}

keep() {
  touch "$work/complete"
  rm -rf "$1"
  mv "$work" "$1"
  chmod 755 "$1"
  trap - EXIT
}

build_root() {
  local suite=$1 target joined needed
  mapfile -t needed < <(project_packages "$suite")
  joined=$(IFS=,; printf '%s' "${root_packages[*]}" "${needed[@]/#/,}")
  target=$store/root-$suite-$(key build_root configure_root project_packages)
  if ! ready "$target"; then
    say "building the root file system of $suite (a few minutes, once)"
    start_work "$target"
    # In a mount namespace of its own, so that nothing it mounts is left or lands in the image.
    quietly "$work/log" unshare --mount --propagation private \
      debootstrap --variant=minbase --include="$joined" "$suite" "$work/tree" "$(mirror)"
    configure_root "$work/tree" "$suite"
    quietly "$work/log" mke2fs -q -t ext4 -L root -E lazy_itable_init=0,lazy_journal_init=0 -d "$work/tree" \
      "$work/root.ext4" "$root_size"
    rm -rf --one-file-system "$work/tree"
    keep "$target"
  fi
  printf '%s\n' "$target/root.ext4"
}

# The same way with more packages, and so under another name.
build_managed() {
  root_packages+=("${managed_packages[@]}")
  build_root "$1"
}

# A machine that starts fast and has no network to wait for.
configure_root() {
  local tree=$1 suite=$2 name
  local system=$tree/etc/systemd/system
  # What no scenario asks for and a boot under emulation pays dearly for, as each program that starts is translated anew.
  local idle_units=(apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer systemd-tmpfiles-clean.timer
    e2scrub_reap.service systemd-networkd-wait-online.service systemd-pstore.service systemd-binfmt.service kmod-static-nodes.service
    systemd-update-utmp.service systemd-update-utmp-runlevel.service modprobe@.service
    getty.target getty@tty1.service serial-getty@ttyS0.service remote-fs.target
    systemd-ask-password-wall.path systemd-ask-password-console.path proc-sys-fs-binfmt_misc.automount
    dev-hugepages.mount dev-mqueue.mount sys-kernel-config.mount sys-fs-fuse-connections.mount)
  # The devices that udev is told of at boot: disks, network, and what leads to them and to the guest agent.
  local boot_subsystems=(pci virtio virtio-ports block net)
  rm -rf "$tree"/var/cache/apt/archives/*.deb "$tree"/var/lib/apt/lists/* "$tree"/usr/share/doc/*
  printf 'auditshift-%s\n' "$suite" >"$tree/etc/hostname"
  printf '127.0.0.1 localhost auditshift-%s\n' "$suite" >"$tree/etc/hosts"
  printf '/dev/vda / ext4 defaults 0 1\n' >"$tree/etc/fstab"
  : >"$tree/etc/machine-id"
  mkdir -p "$tree/var/log/journal" "$system/systemd-udev-trigger.service.d" "$tree/etc/systemd/system-generators"
  chroot "$tree" passwd -d root >/dev/null
  for name in "${idle_units[@]}"; do ln -sf /dev/null "$system/$name"; done
  for name in "$tree"/usr/lib/systemd/system-generators/*; do
    name=${name##*/}
    [[ $name == systemd-fstab-generator ]] || ln -sf /dev/null "$tree/etc/systemd/system-generators/$name"
  done
  printf '[Service]\nExecStart=\nExecStart=udevadm trigger --action=add%s\n' "$(printf ' --subsystem-match=%s' "${boot_subsystems[@]}")" \
    >"$system/systemd-udev-trigger.service.d/few-devices.conf"
  # Nothing was updated since: else each first boot does what Debian's packages have done already (systemd-update-done(8)).
  touch -r "$tree/usr" "$tree/etc/.updated" "$tree/var/.updated"
}

# private_apt SUITE: apt with lists of its own, so that another suite's packages can be fetched.
private_apt() {
  local suite=$1 security
  security=$(mirror security)
  mkdir -p "$work"/apt/{lists/partial,cache/archives/partial}
  : >"$work/apt/status"
  {
    printf 'deb %s %s main\n' "$(mirror)" "$suite"
    if [[ $suite != sid && -n $security ]]; then printf 'deb %s %s-security main\n' "$security" "$suite"; fi
  } >"$work/apt/sources.list"
  apt_options=(-o "Dir::Etc::sourcelist=$work/apt/sources.list" -o Dir::Etc::sourceparts=-
    -o "Dir::State::lists=$work/apt/lists" -o "Dir::State::status=$work/apt/status"
    -o "Dir::Cache=$work/apt/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none)
  quietly "$work/log" apt-get "${apt_options[@]}" update
}

# depends PACKAGE PREFIX: those packages it depends on whose names begin so.
depends() {
  apt-cache "${apt_options[@]}" depends "$1" |
    awk -v prefix="$2" '$1 == "Depends:" && index($2, prefix) == 1 { print $2 }'
}

build_kernel() {
  local suite=$1 target image version file packages package
  target=$store/kernel-$suite-$(key build_kernel private_apt unpack_kernel modules_and_initrd)
  if ! ready "$target"; then
    say "fetching the kernel of $suite (once)"
    start_work "$target"
    private_apt "$suite"
    image=$(depends "$kernel_package" linux-image- | head -n 1)
    [[ -n $image ]] || fail "$suite has no $kernel_package"
    # Newer suites spread a kernel over several packages, all with its release in their names.
    mapfile -t packages < <(depends "$image" linux- | grep -F -e "-${image#linux-image-}")
    (cd "$work" && quietly "$work/log" apt-get "${apt_options[@]}" download "$image" busybox-static "${packages[@]}")
    for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/tree"; done
    # The kernel lies in /boot, in newer suites beside its modules.
    version=${image#linux-image-}
    for file in "$work/tree/boot/vmlinuz-$version" "$work/tree/usr/lib/modules/$version/vmlinuz"; do
      if [[ -e $file ]]; then unpack_kernel "$file" >"$work/vmlinux"; fi
    done
    printf '%s\n' "$version" >"$work/version"
    modules_and_initrd "$version"
    rm -rf --one-file-system "$work/tree" "$work/apt" "$work"/*.deb
    keep "$target"
  fi
  printf '%s\n' "$target"
}

# unpack_kernel FILE: prints the ELF file in a bzImage, which QEMU starts as it is (PVH), so that no machine has to unpack it under
# emulation. Where it lies: Documentation/arch/x86/boot.rst; its size, which the kernel's build appended, is left out.
unpack_kernel() {
  local file=$1 start length decompress
  number() { od -A n -t "u$2" -j "$1" -N "$2" "$file" | tr -d ' '; }
  start=$((($(number 0x1f1 1) + 1) * 512 + $(number 0x248 4)))
  length=$(($(number 0x24c 4) - 4))
  case $(od -A n -t x1 -j "$start" -N 4 "$file" | tr -d ' ') in
    02214c18) decompress=(lz4 -dcq) ;;
    28b52ffd) decompress=(zstd -dcq) ;;
    *) fail "$file is compressed in a way that is not known here" ;;
  esac
  head -c "$((start + length))" "$file" | tail -c "$length" | "${decompress[@]}"
}

modules_and_initrd() {
  local version=$1 tree=$work/modules initrd=$work/initrd.tree module file number=0
  mkdir -p "$tree" "$initrd"/{bin,modules,dev,proc,sys,root}
  if [[ -d $work/tree/usr/lib/modules/$version ]]; then mv "$work/tree/usr/lib/modules/$version" "$tree"
  else mv "$work/tree/lib/modules/$version" "$tree"; fi
  # depmod wants the path that the machine will have.
  mkdir -p "$work/base/lib"
  ln -s "$tree" "$work/base/lib/modules"
  quietly "$work/log" depmod -b "$work/base" "$version"
  for module in "${early_modules[@]}"; do
    while read -r _ file; do
      number=$((number + 1))
      file=$tree/$version/${file#*"/lib/modules/$version/"}
      case $file in
        *.xz) xz -dc "$file" ;;
        *.zst) zstd -dcq "$file" ;;
        *) cat "$file" ;;
      esac >"$initrd/modules/$(printf %03d "$number").ko"
    done < <(modprobe -S "$version" -d "$work/base" --show-depends "$module" | grep '^insmod')
  done
  cp "$here/init.sh" "$initrd/init"
  chmod 755 "$initrd/init"
  if [[ -e $work/tree/usr/bin/busybox ]]; then cp "$work/tree/usr/bin/busybox" "$initrd/bin/"
  else cp "$work/tree/bin/busybox" "$initrd/bin/"; fi
  (cd "$initrd" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) >"$work/initrd"
  quietly "$work/log" mke2fs -q -t ext4 -L modules -O ^has_journal -m 0 -d "$tree" "$work/modules.ext4" \
    "$(($(du -sm "$tree" | cut -f 1) * 5 / 4 + 16))M"
  rm -rf "$tree" "$initrd" "$work/base"
}

[[ $# -eq 2 && $1 =~ ^(root|managed|kernel)$ && $2 =~ ^[a-z]+$ ]] || { sed -n '3,8s/^# \{0,1\}//p' "$0" >&2; exit 64; }
[[ $(id -u) -eq 0 ]] || fail "root is needed to make a root file system with its owners"
# Whoever wants the same at the same time waits for it.
mkdir -p "$store"
exec {lock}>"$store/.lock-$1-$2"
flock "$lock"
"build_$1" "$2"
