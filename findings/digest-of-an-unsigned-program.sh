#!/bin/bash
# Which SHA-256 stands for an unsigned UEFI program in db or dbx: two tools give two numbers.
#
# Seen with pesign 0.112-6, efitools 1.9.2-3 and sbsigntool 0.9.4-3.1 of Debian 12, amd64.
#
# A program without a signature may have any size. The Authenticode digest covers the bytes of the file as
# they are; a signature is put behind it at the next multiple of eight, and the zeros in between are
# covered as well from then on. Of HelloWorld.efi with bytes added to its end:
#
#     size is a multiple of 8     pesign -h and hash-to-efi-sig-list agree
#     any other size              pesign -h: the bytes of the file alone
#                                 hash-to-efi-sig-list: as if zeros up to the multiple were there, so that
#                                 files of eight sizes have one digest. It is the one sbsign puts into the
#                                 signature, and pesign -h gives it too, once the file is signed
#
# So a digest of the unsigned file that one of them wrote into a list is not the one the other asks for.
# Whoever compares such lists with files takes both digests into account, or pads the file before.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
apt-get download -q pesign=0.112-6 efitools=1.9.2-3 sbsigntool=0.9.4-3.1 libnss3 libnspr4 libpopt0 \
    libefivar1 libefiboot1 >apt.log 2>&1 || { cat apt.log; exit 1; }
for package in ./*.deb; do dpkg -x "$package" tools; done
export LD_LIBRARY_PATH=$folder/tools/usr/lib/x86_64-linux-gnu:$folder/tools/usr/lib/x86_64-linux-gnu/nss
bin=$folder/tools/usr/bin

fails() { echo "changed: $*" >&2; exit 1; }
by_pesign() { "$bin/pesign" -h -i "$1" | sed -n 's/.*hash: //p'; }
by_efitools() { "$bin/hash-to-efi-sig-list" "$1" list | sed -n 's/^HASH IS //p'; }

openssl req -quiet -new -x509 -newkey rsa:2048 -nodes -subj /CN=test -keyout key -out certificate 2>/dev/null ||
    openssl req -new -x509 -newkey rsa:2048 -nodes -subj /CN=test -keyout key -out certificate 2>/dev/null

cp tools/usr/lib/efitools/x86_64-linux-gnu/HelloWorld.efi program
while [ $(($(stat -c %s program) % 8)) != 0 ]; do printf '\0' >>program; done
[ -n "$(by_pesign program)" ] || fails 'pesign prints no digest'
[ "$(by_pesign program)" = "$(by_efitools program)" ] || fails 'a size of eight: two digests'

cp program whole
head -c 8 /dev/zero >>whole
for more in 1 2 3 4 5 6 7; do
    cp program longer
    head -c $more /dev/zero >>longer
    [ "$(by_efitools longer)" = "$(by_efitools whole)" ] || fails "efitools, $more bytes more"
    [ "$(by_pesign longer)" != "$(by_pesign whole)" ] || fails "pesign, $more bytes more"
    "$bin/sbsign" --key key --cert certificate --output signed longer >sbsign.log 2>&1
    [ "$(by_pesign signed)" = "$(by_efitools longer)" ] || fails "signed, $more bytes more"
done
echo 'an unsigned program whose size is no multiple of 8: pesign and efitools give different digests'
