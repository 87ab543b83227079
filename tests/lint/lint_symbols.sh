#!/bin/bash
# The core stands on nothing but four memory functions: all its objects together leave only those
# undefined, and on ia32 divisions (efi/firmware/ia32). (_GLOBAL_OFFSET_TABLE_ is no code: the linker
# itself makes it.) lint_symbols.sh OBJECT...
set -eu
[ $# != 0 ] || { echo "symbols: no objects given"; exit 1; }
whole=$(mktemp)
trap 'rm -f "$whole"' EXIT
read -ra ld <<<"${LD:-ld}"
divisions=$([ "${ARCH:-}" != ia32 ] || echo '|__u?(div|mod)di3|__udivmoddi4')
"${ld[@]}" -r -o "$whole" "$@"
wrong=$("${NM:-nm}" --undefined-only --format=posix "$whole" | cut -d ' ' -f 1 |
    grep -vxE 'memcpy|memmove|memset|memcmp|_GLOBAL_OFFSET_TABLE_'"$divisions" || true)
if [ -n "$wrong" ]; then
    for symbol in $wrong; do
        for object; do
            if "${NM:-nm}" --undefined-only --format=posix "$object" | grep -q "^$symbol "; then
                echo "$object: uses $symbol, which the core does not have"
            fi
        done
    done
    exit 1
fi
echo "symbols: $# core objects need only memcpy, memmove, memset, memcmp"
