#!/bin/bash
# What hive tools do to a registry hive whose last write is only in its log.
#
# Seen with libhivex-bin and libwin-hivex-perl 1.3.23-1+b1 (hivex) and chntpw 140201-1 (reged) of
# Debian 12, amd64.
#
# A boot store (BCD) is a hive. When its last write was cut short, the two sequence numbers in its
# first block differ (7 and 6 below), and BCD.LOG holds the pages that are missing: Windows puts them
# in when it opens the hive. The tools neither look for the log nor mention the numbers:
#
#     hivexml                 exit status 0, prints the old content
#     hivexregedit --merge    exit status 0, writes 8 and 8: the hive counts as clean now, so what
#                             stands in the log is never put in. The last write of Windows is lost
#     reged -I -C             exit status 2 (it means "written"), leaves 7 and 6: the log is put in
#                             at the next start, over the pages that reged has just changed
#
# So a store is edited with these only after its log was taken in, or when both numbers are equal.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -q libhivex-bin=1.3.23-1+b1 libwin-hivex-perl=1.3.23-1+b1 libhivex0=1.3.23-1+b1 \
    chntpw=140201-1 >apt.log 2>&1 || { cat apt.log; exit 1; }
for package in ./*.deb; do dpkg -x "$package" tools; done
arch=$(dpkg-architecture -q DEB_HOST_MULTIARCH 2>/dev/null || gcc -print-multiarch 2>/dev/null || echo x86_64-linux-gnu)
export LD_LIBRARY_PATH=$folder/tools/usr/lib/$arch
PERL5LIB=$(find "$folder/tools" -path '*perl5*' -name Win -printf '%h:')
export PERL5LIB

fails() { echo "changed: $*" >&2; exit 1; }
sequences() { od -An -t u4 -j 4 -N 8 "$1" | tr -s ' '; }

# A hive of one key: first block, then one bin with the key, its security and free space.
/usr/bin/python3 - hive <<'PYTHON'
import struct
import sys

def cell(content):
    size = (4 + len(content) + 7) // 8 * 8
    return struct.pack('<i', -size) + content.ljust(size - 4, b'\0')

security_descriptor = bytes.fromhex('010004800000000000000000000000001400000002001c000100000000021400ff010f00'
                                    '010100000000000100000000')
name = b'root'
key = b'nk' + struct.pack('<HQ15IHH', 0x2c, 0, 0, 0xffffffff, 0, 0, 0xffffffff, 0xffffffff, 0,
                          0xffffffff, 0x78, 0xffffffff, 0, 0, 0, 0, 0, len(name), 0) + name
root = cell(key)
at = 0x20 + len(root)
key = key.replace(struct.pack('<I', 0x78), struct.pack('<I', at), 1)
root = cell(key)
security = cell(b'sk' + struct.pack('<HIIII', 0, at, at, 1, len(security_descriptor)) + security_descriptor)
used = 0x20 + len(root) + len(security)
bin_ = (b'hbin' + struct.pack('<IIQQI', 0, 4096, 0, 0, 0) + root + security +
        struct.pack('<i', 4096 - used)).ljust(4096, b'\0')
block = bytearray(4096)
struct.pack_into('<4sIIQIIIIIII', block, 0, b'regf', 7, 6, 0, 1, 3, 0, 1, 0x20, 4096, 1)
total = 0
for word in struct.unpack('<127I', block[:508]):
    total ^= word
struct.pack_into('<I', block, 508, total)
open(sys.argv[1], 'wb').write(bytes(block) + bin_)
PYTHON

cp hive merged
cp hive imported
printf 'Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\BCD\\K]\r\n"X"=dword:00000001\r\n' >change.reg
[ "$(sequences hive)" = ' 7 6' ] || fails 'the hive is not as intended'

tools/usr/bin/hivexml hive >hive.xml 2>hivexml.err || fails 'hivexml refuses the hive'
[ ! -s hivexml.err ] || fails 'hivexml mentions something'
tools/usr/bin/hivexregedit --merge --prefix 'HKEY_LOCAL_MACHINE\BCD' merged change.reg 2>merge.err || fails 'hivexregedit refuses the hive'
[ ! -s merge.err ] || fails 'hivexregedit mentions something'
[ "$(sequences merged)" = ' 8 8' ] || fails "hivexregedit leaves$(sequences merged)"

status=0
tools/usr/sbin/reged -I -C imported 'HKEY_LOCAL_MACHINE\BCD' change.reg >reged.out 2>&1 || status=$?
[ $status = 2 ] || fails "reged ends with $status"
cmp -s imported hive && fails 'reged writes nothing'
[ "$(sequences imported)" = ' 7 6' ] || fails "reged leaves$(sequences imported)"
echo 'a hive with sequence numbers 7 and 6: hivexregedit leaves 8 and 8, reged 7 and 6, neither says a word'
