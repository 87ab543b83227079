#!/bin/bash
# U-Boot whose store of variables is nearly full starts no UEFI program.
#
# Seen with u-boot-qemu 2023.01+dfsg-2+deb12u3 and mtools 4.0.33-1+really4.0.32-1 of Debian 12, amd64.
#
# U-Boot's own UEFI reads its variables from ubootefi.var on an ESP into a store of 16 KiB, which also takes the
# volatile ones that it makes in each start (SetupMode, SecureBoot, OsIndicationsSupported, ...). What was written
# before them may fill it to the last byte; a start then ends like this:
#
#     => printenv -e
#     ERROR: Secure state transition failed
#     Error: Cannot initialize UEFI sub-system, r = 9
#
# UEFI, which would delete a variable, is not there then: the file is to be taken away from another system. So a
# program that writes boot entries does well to leave some of the store free.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
apt-get download -q u-boot-qemu=2023.01+dfsg-2+deb12u3 mtools=4.0.33-1+really4.0.32-1 >apt.log 2>&1 || { cat apt.log; exit 1; }
for package in ./*.deb; do dpkg -x "$package" tools; done
for tool in qemu-system-aarch64 sgdisk mkfs.fat python3; do
    PATH=$PATH:/usr/sbin:/sbin command -v $tool >/dev/null || { echo "$tool is needed"; exit 1; }
done
PATH=$folder/tools/usr/bin:$PATH:/usr/sbin:/sbin

fails() { echo "changed: $*" >&2; exit 1; }

# A file of one variable that leaves so many bytes of the store: header (reserved, magic, size, CRC-32 of the rest), then
# size, attributes, time, vendor, name and data.
file_with() {
    python3 - "$1" <<'PYTHON'
import struct, sys, zlib
name = 'Fill\0'.encode('utf-16-le')
data = bytes(16384 - int(sys.argv[1]) - 24 - 32 - len(name) & ~7)
body = struct.pack('<IIQ', len(data), 7, 0) + bytes(range(16)) + name + data
body += bytes(-len(body) % 8)
open('ubootefi.var', 'wb').write(struct.pack('<QQII', 0, 0x0161566966456255, 24 + len(body), zlib.crc32(body)) + body)
PYTHON
}

# Says what U-Boot prints for its variables.
start() {
    rm -f disk
    truncate -s 64M disk
    sgdisk --clear --new=1:2048:+62M --typecode=1:ef00 disk >sgdisk.log
    truncate -s 62M volume
    mkfs.fat -F 32 -s 1 volume >mkfs.log
    file_with "$1"
    mcopy -i volume ubootefi.var ::/
    dd if=volume of=disk bs=1M seek=1 conv=notrunc status=none
    {
        for _ in 1 2 3 4 5 6 7 8; do sleep 1; printf ' '; done
        printf '\nprintenv -e -n\n'
        sleep 5
        printf 'poweroff\n'
        sleep 5
    } | timeout 60 qemu-system-aarch64 -machine virt -cpu cortex-a57 -m 256 -accel tcg -nographic -nodefaults -net none \
        -serial stdio -bios tools/usr/lib/u-boot/qemu_arm64/u-boot.bin \
        -drive if=none,id=d,format=raw,file=disk -device virtio-blk-pci,drive=d 2>&1 || true
}

start 8192 >roomy.log
grep -q 'Fill' roomy.log || { tail -20 roomy.log; fails 'a store that is half full is not read'; }
start 200 >full.log
grep -q 'Cannot initialize UEFI sub-system' full.log || { tail -20 full.log; fails 'it starts with a full store'; }
grep 'Cannot initialize' full.log
echo "U-Boot with a full store of variables has no UEFI"
