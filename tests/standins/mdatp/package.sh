#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: package.sh PROGRAM VERSION DIRECTORY: packs the stand-in as the Debian package mdatp of that version, with
# its service, for virtual machines of tests. Prints the package's path.
set -euo pipefail
program=$1 version=$2 directory=$3
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
chmod 755 "$tree"
install -D -m 755 "$program" "$tree/opt/microsoft/mdatp/sbin/wdavdaemonclient"
mkdir -p "$tree/usr/bin" "$tree/usr/lib/systemd/system" "$tree/DEBIAN"
ln -s /opt/microsoft/mdatp/sbin/wdavdaemonclient "$tree/usr/bin/mdatp"
cat >"$tree/usr/lib/systemd/system/mdatp.service" <<'UNIT'
[Unit]
Description=stand-in of the endpoint agent, for tests
After=auditd.service
[Service]
ExecStart=/opt/microsoft/mdatp/sbin/wdavdaemonclient --daemon
Restart=always
[Install]
WantedBy=multi-user.target
UNIT
cat >"$tree/DEBIAN/control" <<CONTROL
Package: mdatp
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: auditshift tests <tests@example.org>
Description: stand-in of the endpoint agent, for tests only
CONTROL
cat >"$tree/DEBIAN/postinst" <<POSTINST
#!/bin/sh
set -e
state=/var/opt/microsoft/mdatp/standin/state
mkdir -p "\${state%/*}"
touch "\$state"
sed -i '/^version=/d' "\$state"
echo "version=$version" >>"\$state"
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl enable mdatp.service
  systemctl restart mdatp.service
fi
POSTINST
cat >"$tree/DEBIAN/prerm" <<'PRERM'
#!/bin/sh
if [ -d /run/systemd/system ]; then systemctl stop mdatp.service || true; fi
PRERM
chmod 755 "$tree/DEBIAN/postinst" "$tree/DEBIAN/prerm"
package=$directory/mdatp_${version}_$(dpkg --print-architecture).deb
dpkg-deb --build --root-owner-group "$tree" "$package" >/dev/null
echo "$package"
