#!/bin/bash
# Every C file reads as clang-format with the tree's own style would write it.
set -eu
[ -f .clang-format ] || { echo "format: no .clang-format here"; exit 1; }
folders=()
for folder in efi include tests ovmf-harness; do
    [ ! -d "$folder" ] || folders+=("$folder")
done
mapfile -d '' -t files < <(find "${folders[@]}" -name '*.[ch]' -print0 | sort -z)
[ ${#files[@]} != 0 ] || { echo "format: no C files here"; exit 1; }
in_order() {
    "${CLANG_FORMAT:-clang-format}" --style=file --dry-run -Werror "$@" 2>/dev/null
}
# Most of its time goes into starting: one for all files. The whole list of differences is long, and it
# makes it again at will: when there are some, each file is asked for by itself, and named.
if ! in_order "${files[@]}"; then
    for file in "${files[@]}"; do
        in_order "$file" || echo "$file: not formatted (clang-format -i $file)"
    done
    exit 1
fi
echo "format: ${#files[@]} files"
