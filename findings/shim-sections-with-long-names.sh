#!/bin/bash
# What shim revokes by itself stands in a section that a reader of PE headers does not find by its name.
#
# Seen with shim-unsigned 16.1-2~deb12u1, python3-pefile 2023.2.7-1 and binutils 2.40-2 of Debian 12, amd64.
#
# Shim brings two lists of least generations along, "automatic" and "latest", in the section .sbatlevel; the newer
# of the one that counts and the variable SbatLevel decides what it starts. The name has ten bytes, a header has
# room for eight, and the PE specification says of longer names that images do not have them: only object files
# do. The linker gives shim some all the same, as in an object file: a slash and an offset into the string table,
# which lies behind all sections, behind a symbol table that an image should not have either:
#
#     objdump -h      .sbatlevel        .vendor_cert        .data.ident        .eh_frame
#     pefile          /26               /37                 /14                /4
#
# .sbat, which tells shim's own generation, is short enough and found by both. So who looks for .sbatlevel among the
# headers' names takes shim for one that revokes nothing. It is found through the string table, or by its form: two
# offsets, then lines that begin with "sbat,1,".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
apt-get download -q shim-unsigned=16.1-2~deb12u1 python3-pefile=2023.2.7-1 binutils-x86-64-linux-gnu libbinutils libctf0 \
    >apt.log 2>&1 || { cat apt.log; exit 1; }
for package in ./*.deb; do dpkg -x "$package" tools; done
export LD_LIBRARY_PATH=$folder/tools/usr/lib/x86_64-linux-gnu
export PYTHONPATH=$folder/tools/usr/lib/python3/dist-packages
shim=tools/usr/lib/shim/shimx64.efi

fails() { echo "changed: $*" >&2; exit 1; }
by_objdump() { tools/usr/bin/x86_64-linux-gnu-objdump -h "$1" | awk '$1 ~ /^[0-9]+$/ {print $2}'; }
by_pefile() {
    /usr/bin/python3 -c '
import sys, pefile
for section in pefile.PE(sys.argv[1], fast_load=True).sections:
    print(section.Name.rstrip(b"\0").decode())' "$1"
}

by_objdump $shim >objdump.names
by_pefile $shim >pefile.names
paste -d ' ' objdump.names pefile.names
[ "$(wc -l <objdump.names)" = "$(wc -l <pefile.names)" ] || fails 'the two see different sections'
for name in .sbatlevel .vendor_cert; do
    grep -qx "\\$name" objdump.names || fails "objdump sees no $name"
    ! grep -qx "\\$name" pefile.names || fails "pefile sees $name"
done
grep -qx '\.sbat' pefile.names || fails 'pefile sees no .sbat'
[ "$(paste objdump.names pefile.names | awk '$1 == ".sbatlevel" {print $2}')" = /26 ] ||
    fails 'the header of .sbatlevel names another place'
tools/usr/bin/x86_64-linux-gnu-objdump -s -j .sbatlevel $shim | awk '{print $NF}' | tr -d '\n' | grep -q 'sbat,1,' ||
    fails 'there is no list in .sbatlevel'
echo 'the section .sbatlevel of shim has another name for who reads the headers alone'
