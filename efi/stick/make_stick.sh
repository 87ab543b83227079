#!/bin/bash
# Makes the image of a USB stick: a GPT with one EFI system partition, FAT32, and files on it.
#
#   make_stick.sh IMAGE NAME=FILE...     NAME: the path on the stick, with /, folders included
#
# The same files give the same bytes: all identities and dates are constants.
set -eu
export LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH=1767225600   # dates of files and folders
image=$1
shift

mib=128                 # room for journals, the content of a formatted ESP among them; FAT32 takes 34
first=1                 # MiB where the partition begins; the last one is left to the table's copy
disk_guid=5AD0B007-0000-4000-8000-00000000D15C
partition_guid=5AD0B007-0000-4000-8000-0000000E5B00

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
truncate -s "${mib}M" "$work/disk"
sgdisk --clear --disk-guid="$disk_guid" --new="1:$((first * 2048)):$(((mib - 1) * 2048 - 1))" --typecode=1:ef00 \
    --partition-guid="1:$partition_guid" --change-name=1:shadowboot "$work/disk" >/dev/null
truncate -s $((mib - 1 - first))M "$work/volume"
mkfs.fat --invariant -F 32 -s 2 -h $((first * 2048)) -i 5AD0B007 -n SHADOWBOOT "$work/volume" >/dev/null

for pair; do
    name=${pair%%=*}
    folder=
    for part in $(dirname "/$name" | tr / ' '); do
        folder=$folder/$part
        mdir -i "$work/volume" "::$folder" >/dev/null 2>&1 || mmd -i "$work/volume" "::$folder"
    done
    cp "${pair#*=}" "$work/file"
    touch -d "@$SOURCE_DATE_EPOCH" "$work/file"
    mcopy -m -i "$work/volume" "$work/file" "::/$name"
done
dd if="$work/volume" of="$work/disk" bs=1M seek="$first" conv=notrunc,sparse status=none
mv "$work/disk" "$image"
