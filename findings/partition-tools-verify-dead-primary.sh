#!/bin/bash
# "No problems found" of a disk whose primary GPT header is gone.
#
# Seen with gdisk 1.0.9-2.1 and fdisk 2.38.1 (Debian 12, amd64).
#
# The block of the primary header is zero; protective MBR, entries and the backup are whole. Both
# tools load the backup and verify what they have put together in memory, not what is on the disk:
#
#     sgdisk -v      "No problems found.", exit status 0
#     sfdisk -V      "No errors detected.", exit status 0
#
# sgdisk says otherwise in a caution above it and in a list on standard error ("Main header: ERROR"),
# sfdisk in one line on standard error; a script that goes by the exit status or by the last line
# sees a healthy disk. One more damaged block and every partition is gone. With a damaged entry in
# the primary array sgdisk -v counts one problem, sfdisk -V still none.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -q gdisk=1.0.9-2.1 fdisk=2.38.1-5+deb12u3 >apt.log 2>&1 || { cat apt.log; exit 1; }
for package in ./*.deb; do dpkg -x "$package" tools; done
sgdisk=tools/sbin/sgdisk
sfdisk=tools/sbin/sfdisk

fails() { echo "changed: $*" >&2; exit 1; }
truncate -s 64M disk
"$sgdisk" -n 1:2048:+20M disk >/dev/null
dd if=/dev/zero of=disk bs=512 seek=1 count=1 conv=notrunc status=none

"$sgdisk" -v disk >sgdisk.out 2>sgdisk.err || fails 'sgdisk -v fails'
grep -q '^No problems found' sgdisk.out || fails 'sgdisk -v finds a problem'
grep -q '^Main header: ERROR' sgdisk.err || fails 'sgdisk does not notice'
"$sfdisk" -V disk >sfdisk.out 2>sfdisk.err || fails 'sfdisk -V fails'
grep -q 'No errors detected' sfdisk.out || fails 'sfdisk -V finds an error'
dd if=disk bs=512 skip=1 count=1 status=none | tr -d '\0' | grep -q . && fails 'the header is back'

printf '\377' | dd of=disk bs=1 seek=$((2 * 512 + 60)) conv=notrunc status=none
"$sgdisk" -v disk 2>&1 | grep -q '^Identified 1 problems' || fails 'sgdisk -v counts otherwise'
"$sfdisk" -V disk 2>/dev/null | grep -q 'No errors detected' || fails 'sfdisk -V finds the entry'
echo "primary header zero: sgdisk -v and sfdisk -V both pass with exit status 0"
