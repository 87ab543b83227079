#!/bin/bash
# Words that must not be in the source. Run in the top folder of the tree.
set -eu
found=0

# forbid WHY EXPRESSION FOLDER...: no line of a text file there may match.
forbid() {
    local why=$1 expression=$2
    shift 2
    local folders=()
    local folder
    for folder; do
        [ ! -e "$folder" ] || folders+=("$folder")
    done
    [ ${#folders[@]} != 0 ] || return 0
    local lines
    lines=$(grep -rnIE --exclude-dir=__pycache__ -e "$expression" "${folders[@]}" || true)
    [ -n "$lines" ] || return 0
    printf '%s\n' "$lines" | sed "s/\$/   <- $why/"
    found=1
}

forbid "goto hides the way through a function" '\bgoto\b' efi include
forbid "unfinished" '\b(TODO|FIXME|XXX)\b' efi include
# The brackets keep these lines from finding themselves.
forbid "a path of one machine" '[/]work/|[/]root/|[/]home/[a-z]' \
    efi include tests ovmf-harness .ci Makefile Make.defaults README
[ "$found" = 0 ] || exit 1
echo "words: none of the forbidden ones"
