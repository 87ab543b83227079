#!/bin/bash
# Fetches Debian's TFTP server and unpacks it for the tests. Nothing is installed: the package would start a server.
#
#   fetch_tftpd.sh DIRECTORY    makes DIRECTORY/usr/sbin/in.tftpd and the libraries it needs
set -eu

packages='tftpd-hpa libwrap0'
target=$(realpath -m "$1")
fresh=$target.new

rm -rf "$fresh"
mkdir -p "$fresh"
cd "$fresh"
# Old lists name packages that the mirror no longer has: one more try with new ones.
if ! said=$(apt-get -qq download $packages 2>&1); then
    [ "$(id -u)" = 0 ] && apt-get -qq -o DPkg::Lock::Timeout=300 update >/dev/null 2>&1 || true
    said=$(apt-get -qq download $packages 2>&1) || {
        echo "tftpd: $packages cannot be downloaded. Run apt-get update as root and try again. $said" >&2
        exit 1
    }
fi
for package in *.deb; do
    dpkg-deb -x "$package" .
    rm "$package"
done
rm -rf etc var usr/share "$target"
mv "$fresh" "$target"
