#!/bin/bash
# U-Boot keeps boot entries in a file of an EFI system partition, and leaves that file system wrong each time.
#
# Seen with u-boot-qemu 2023.01+dfsg-2+deb12u3, dosfstools 4.2-1 and mtools 4.0.33-1+really4.0.32-1 of Debian 12, amd64.
#
# U-Boot's own UEFI writes variables that stay to ubootefi.var in the root of the first EFI system partition. Its FAT
# driver takes clusters for the file and does not count them: the number of free clusters in the FSInfo sector stays
# as it was. On a partition that was without a fault:
#
#     before               fsck.fat -n: no complaint
#     setenv -e -nv ...    fsck.fat -n: "Free cluster summary wrong", one cluster too many, status 1
#
# So a checker that takes this for damage calls every healthy machine with such firmware damaged, and who relies on
# FSInfo for room takes what is not there. The number is a hint (Microsoft's FAT specification, FSI_Free_Count): count.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
apt-get download -q u-boot-qemu=2023.01+dfsg-2+deb12u3 dosfstools=4.2-1 mtools=4.0.33-1+really4.0.32-1 \
    >apt.log 2>&1 || { cat apt.log; exit 1; }
for package in ./*.deb; do dpkg -x "$package" tools; done
command -v qemu-system-aarch64 >/dev/null || { echo 'qemu-system-arm is needed (seen with 7.2 of Debian 12)'; exit 1; }
command -v sgdisk >/dev/null || { echo 'gdisk is needed'; exit 1; }
PATH=$folder/tools/usr/bin:$folder/tools/sbin:$folder/tools/usr/sbin:$PATH

fails() { echo "changed: $*" >&2; exit 1; }
volume() { dd if=disk bs=1M skip=1 count=62 of=volume status=none; }

truncate -s 64M disk
sgdisk --clear --new=1:2048:+62M --typecode=1:ef00 disk >sgdisk.log
truncate -s 62M volume
mkfs.fat -F 32 -s 1 volume >mkfs.log
dd if=volume of=disk bs=1M seek=1 conv=notrunc status=none
volume
fsck.fat -n volume >before.log || fails 'a new file system has a fault'

# A line at its prompt, then off: what was written is on the disk.
{
    for _ in 1 2 3 4 5 6 7 8; do sleep 1; printf ' '; done
    printf '\nsetenv -e -nv -bs -rt -guid 12345678-1234-5678-9abc-def012345678 Probe =value\n'
    sleep 5
    printf 'poweroff\n'
    sleep 5
} | timeout 60 qemu-system-aarch64 -machine virt -cpu cortex-a57 -m 256 -accel tcg -nographic -nodefaults -net none \
    -serial stdio -bios tools/usr/lib/u-boot/qemu_arm64/u-boot.bin \
    -drive if=none,id=d,format=raw,file=disk -device virtio-blk-pci,drive=d >console.log 2>&1 || true
volume
mdir -b -i volume ::/ | grep -qi ubootefi.var || { tail -20 console.log; fails 'no file of variables was written'; }
status=0
fsck.fat -n volume >after.log || status=$?
[ $status = 1 ] || fails "fsck.fat ends with $status"
grep -q 'Free cluster summary wrong' after.log || { cat after.log; fails 'another complaint, or none'; }
[ "$(grep -c . after.log)" -le 5 ] || { cat after.log; fails 'more than one complaint'; }
grep 'Free cluster summary' after.log
echo "U-Boot wrote its variables and did not count the clusters"
