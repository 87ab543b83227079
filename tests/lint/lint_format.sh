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
# The whole list of differences is long and clang-format makes it again at will: name the files.
wrong=0
for file in "${files[@]}"; do
    if ! "${CLANG_FORMAT:-clang-format}" --style=file --dry-run -Werror "$file" 2>/dev/null; then
        echo "$file: not formatted (clang-format -i $file)"
        wrong=$((wrong + 1))
    fi
done
[ "$wrong" = 0 ] || exit 1
echo "format: ${#files[@]} files"
