#!/bin/bash
# OVMF writes ConIn, ConOut and ErrOut 14 times at every start, though nothing has changed.
#
# Seen with ovmf 2022.11-6+deb12u2 of Debian 12 in QEMU 7.2 (q35, VGA, one serial port).
#
# At each start it adds to these variables what could be there (a second serial port, a debugger's port, the screen)
# and takes out again what it then does not find. Flash keeps the old records until the store is made compact, so a
# machine that is only switched on and off again fills its store: 14 records, more than 3 KB of 256 KB each time, most
# of what a start writes. Who counts writes, bytes or free room of a store between two starts counts these.
#
# A variable whose attributes are others than those that OVMF gives it cannot be written (UEFI specification 8.2,
# SetVariable: EFI_INVALID_PARAMETER), and OVMF goes by what it says: with NON_VOLATILE and BOOTSERVICE_ACCESS alone
# the three are written no more, and the console is where it was.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
apt-get download -q ovmf=2022.11-6+deb12u2 >apt.log 2>&1 || { cat apt.log; exit 1; }
dpkg -x ovmf_*.deb .
for tool in qemu-system-x86_64 python3; do
    command -v $tool >/dev/null || { echo "$tool is needed"; exit 1; }
done

fails() { echo "changed: $*" >&2; exit 1; }

# Starts the machine and switches it off at the Shell's prompt.
start() {
    rm -f serial.log
    qemu-system-x86_64 -accel tcg -machine q35 -m 128 -nodefaults -net none -display none -vga std \
        -serial file:serial.log -drive if=pflash,format=raw,unit=0,readonly=on,file=usr/share/OVMF/OVMF_CODE_4M.fd \
        -drive if=pflash,format=raw,unit=1,file=vars.fd 2>qemu.log &
    for _ in $(seq 240); do
        sleep 0.5
        ! grep -aq 'Shell>' serial.log 2>/dev/null || break
    done
    kill %% && wait %% 2>/dev/null || true
    grep -aq 'Shell>' serial.log || fails 'no prompt on the serial port'
}

# How many records of the three the store holds, whether they count or not. "attributes N": sets those of the live ones.
# (edk2 VariableFormat.h: each record begins with 0x55AA, its state, at 4 its attributes, at 36 the sizes of name and data.)
records() {
    python3 - "$@" <<'PYTHON'
import struct, sys
store = bytearray(open('vars.fd', 'rb').read())
at, count = struct.unpack_from('<H', store, 0x30)[0] + 28, 0
while store[at:at + 2] == b'\xaa\x55':
    name, data = struct.unpack_from('<II', store, at + 36)
    if store[at + 60:at + 60 + name].decode('utf-16-le').rstrip('\0') in ('ConIn', 'ConOut', 'ErrOut'):
        count += 1
        if sys.argv[1:2] == ['attributes'] and store[at + 2] == 0x3f:
            struct.pack_into('<I', store, at + 4, int(sys.argv[2]))
    at += 60 + name + data + 3 & ~3
open('vars.fd', 'wb').write(store)
print(count)
PYTHON
}

cp usr/share/OVMF/OVMF_VARS_4M.fd vars.fd
start
first=$(records)
start
second=$(records)
[ $((second - first)) = 14 ] || fails "the second start writes $((second - first)) records of its consoles"
records attributes 3 >ignored
start
third=$(records)
[ "$third" = "$second" ] || fails "with other attributes it writes $((third - second))"
echo "OVMF writes its consoles $((second - first)) times at a start, and not at all where their attributes are others"
