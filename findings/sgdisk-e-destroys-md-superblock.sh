#!/bin/bash
# sgdisk's own advice destroys the mark of a RAID member.
#
# Seen with gdisk 1.0.9-2.1 and mdadm 4.2-5 (Debian 12, amd64).
#
# A whole disk is a member of a Linux RAID 1 with metadata 1.0, which lies 8 KiB before its end; the
# array is partitioned, so the disk begins with a GPT whose backup ends before the metadata. That is
# a healthy disk. "sgdisk -v" takes it for one that has grown and says:
#
#     Problem: The secondary header's self-pointer indicates that it doesn't reside
#     at the end of the disk. If you've added a disk to a RAID array, use the 'e'
#     option on the experts' menu ...
#
# "sgdisk -e" then succeeds and writes the backup entries over the metadata: "mdadm --examine" finds
# an array before and only an MBR after. (sfdisk and parted offer the same move.) So a backup table
# that is not at the end says nothing about who owns the end: look for metadata there first.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -q gdisk=1.0.9-2.1 mdadm=4.2-5 >apt.log 2>&1 || { cat apt.log; exit 1; }
for package in ./*.deb; do dpkg -x "$package" tools; done
sgdisk=tools/sbin/sgdisk
mdadm=tools/sbin/mdadm

# The array as it is partitioned, on a disk that is a little longer, and the superblock behind it
# (Linux, Documentation/admin-guide/md and include/uapi/linux/raid/md_p.h: struct mdp_superblock_1).
python3 - <<'PYTHON'
import struct
blocks = 64 * 2048
place = (blocks - 16) & ~7
block = bytearray(260)
struct.pack_into('<II', block, 0, 0xA92B4EFC, 1)
block[16:32] = bytes(range(16))
block[32:37] = b'box:0'
struct.pack_into('<QIIQII', block, 64, 1700000000, 1, 0, place, 0, 2)
struct.pack_into('<QQQ', block, 128, 0, place, place)
struct.pack_into('<QQ', block, 192, 1700000000, 17)
struct.pack_into('<I', block, 220, 2)
struct.pack_into('<HH', block, 256, 0, 1)
total = sum(struct.unpack('<65I', block))
struct.pack_into('<I', block, 216, (total & 0xFFFFFFFF) + (total >> 32))
with open('array', 'wb') as array:
    array.truncate((place - 8) * 512)
with open('disk', 'wb') as disk:
    disk.truncate(blocks * 512)
    disk.seek(place * 512)
    disk.write(block)
PYTHON
"$sgdisk" -n 1:2048:+20M array >/dev/null
dd if=array of=disk conv=notrunc,sparse bs=512 status=none

fails() { echo "changed: $*" >&2; exit 1; }
"$mdadm" --examine disk 2>&1 | grep -q 'Raid Level : raid1' || fails 'mdadm does not know the member'
told=$("$sgdisk" -v disk 2>&1)
echo "$told" | grep -q "added a disk to a RAID array, use the 'e'" || fails 'sgdisk -v advises something else'
"$sgdisk" -e disk >/dev/null 2>&1 || fails 'sgdisk -e refuses'
after=$("$mdadm" --examine disk 2>&1)
echo "$after" | grep -q 'Raid Level' && fails 'the member outlives sgdisk -e'
echo "before: a RAID 1 member; sgdisk -v advises -e; after sgdisk -e, mdadm --examine says:"
echo "$after"
