#!/bin/bash
# Fetches Debian's kernel for cloud machines and unpacks what the tests start: a real Linux that reads
# our boot entries. Nothing is installed.
#
#   fetch_linux.sh DIRECTORY    makes DIRECTORY/vmlinuz.efi and DIRECTORY/modules/*.ko
set -eu

meta=linux-image-cloud-amd64
target=$1
fresh=$target.new

fail() {
    echo "linux: $*" >&2
    exit 1
}

command -v apt-get >/dev/null || fail "there is no apt-get here. Put the kernel of Debian's $meta" \
    "as $target/vmlinuz.efi and its efivarfs.ko as $target/modules/efivarfs.ko."

# The versioned package that the meta package stands for now.
fetch() {
    local package
    package=$(apt-cache depends "$meta" 2>/dev/null | awk '/Depends: linux-image-[0-9]/ { print $2; exit }')
    [ -n "$package" ] && (cd "$fresh" && apt-get -qq download "$package" 2>&1)
}

rm -rf "$fresh"
mkdir -p "$fresh/modules"
# Old lists name a package that the mirror no longer has: one more try with new ones.
if ! said=$(fetch); then
    [ "$(id -u)" = 0 ] && apt-get -qq -o DPkg::Lock::Timeout=300 update >/dev/null 2>&1 || true
    said=$(fetch) || fail "$meta cannot be downloaded. Run apt-get update as root and try again. $said"
fi

dpkg-deb -x "$fresh"/linux-image-*.deb "$fresh/tree"
mv "$fresh"/tree/boot/vmlinuz-* "$fresh/vmlinuz.efi"
# Modules by name, for those that a test may load, with all that they depend on; the others go.
take() {
    local other
    [ ! -f "$fresh/modules/$1.ko" ] || return 0
    find "$fresh/tree/lib/modules" -name "$1.ko" -exec cp {} "$fresh/modules/" \;
    [ -f "$fresh/modules/$1.ko" ] || fail "there is no $1.ko in this kernel package"
    for other in $(tr '\0' '\n' <"$fresh/modules/$1.ko" | sed -n 's/^depends=//p' | tr , ' '); do
        take "$other"
    done
}
for module in efivarfs virtio_pci virtio_blk virtio_scsi sd_mod scsi_debug nbd loop brd vfat nls_cp437 nls_ascii dm-mod dm-flakey raid1 bcache; do
    take "$module"
done
rm -rf "$fresh/tree" "$fresh"/*.deb "$target"
mv "$fresh" "$target"
