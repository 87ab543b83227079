#!/bin/bash
# Runs every rule over the tree in the current folder, all to the end; fails if one does.
# run.sh SUMMARY [program]   program: only what the build is held to
# Of a build (left out where EFI is not set): EFI is the firmware program, CORE_OBJECTS its core.
# ARCH, VERSION, SIZE_LIMIT (bytes) and the names of tools come from Make.defaults.
set -eu
summary=$1
part=${2:-all}
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-/usr/bin/python3}
failed=()
rules=0

rule() {
    local name=$1
    shift
    rules=$((rules + 1))
    if "$@"; then
        return
    fi
    echo "lint: $name failed"
    failed+=("$name")
}

if [ "$part" != program ]; then
    rule includes "$python" "$here/lint_includes.py"
    rule functions "$python" "$here/lint_functions.py"
    rule format "$here/lint_format.sh"
    rule words "$here/lint_words.sh"
    rule comments "$python" "$here/lint_comments.py"
fi
if [ -n "${EFI:-}" ]; then
    # One argument for each object.
    # shellcheck disable=SC2086
    rule symbols env LD="$FIRMWARE_LD" NM="$FIRMWARE_NM" "$here/lint_symbols.sh" $CORE_OBJECTS
    # shellcheck disable=SC2086
    rule circles env NM="$FIRMWARE_NM" "$python" "$here/lint_circles.py" $CORE_OBJECTS
    rule pe "$python" "$here/lint_pe.py" "$EFI" "$ARCH" "$VERSION" "$SIZE_LIMIT"
fi
[ "$part" = program ] || rule selftest "$here/selftest.sh"

echo "$((rules - ${#failed[@]})) passed, ${#failed[@]} failed, 0 skipped" >"$summary"
if [ ${#failed[@]} != 0 ]; then
    echo "lint: ${#failed[@]} of $rules rules failed: ${failed[*]}"
    exit 1
fi
echo "lint: $rules rules kept"
