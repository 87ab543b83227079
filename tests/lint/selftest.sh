#!/bin/bash
# Every rule can fail: a small tree that keeps them all is broken in one way at a time, and the
# rule has to say so, in the words expected.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-/usr/bin/python3}
# A compiler may come with words: ccache in front of it, options behind.
read -ra cc <<<"${CC:-gcc}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
cases=0

# A tree that is in order; `fresh` goes into a new copy of it.
make_tree() {
    mkdir -p "$1"/{efi/{base,port,format,model,firmware,linux},include/{base,port,format,model},tests/host}
    cp "$here/../../.clang-format" "$1/"
    cd "$1"
    local layer
    for layer in base port format model; do
        printf '#include <stdint.h>\n\nint %s_one(void);\n' $layer >include/$layer/one.h
        printf '#include "%s/one.h"\n\nint %s_one(void)\n{\n    return 1;\n}\n' $layer $layer \
            >efi/$layer/one.c
    done
    printf 'int base_two(void);\n' >include/base/two.h
    printf 'int block;\n' >include/port/block.h
    printf '#include "port/block.h"\n' >efi/format/fat.c
    printf '#include <efi.h>\n#include "port/one.h"\n#include "own.h"\n' >efi/firmware/vars.c
    printf 'int own;\n' >efi/firmware/own.h
    printf '#include <efi.h>\n#include "firmware/own.h"\n#include "model/one.h"\n' >efi/main.c
    printf '#include <stdio.h>\n#include "port/one.h"\n#include "own.h"\n' >efi/linux/disk.c
    printf 'int own;\n' >efi/linux/own.h
    printf '#include "own.h"\n#include "model/one.h"\n' >efi/linux/main.c
    printf '#include <stdio.h>\n#include "port/one.h"\n#include "host/own.h"\n#include "linux/own.h"\n' \
        >tests/host/vars.c
    printf 'int own;\n' >tests/host/own.h
    printf '#include "host/own.h"\n#include "model/one.h"\n' >tests/host/main.c
    mkdir tests/unit
    printf '#include "%s/one.h"\n' base format >tests/unit/test_one.c
    printf '#include "base/two.h"\n' >>tests/unit/test_one.c
}
make_tree "$work/good"
fresh() {
    rm -rf "$work/tree"
    cp -r "$work/good" "$work/tree"
    cd "$work/tree"
}

# green NAME COMMAND...: passes. red NAME WORDS COMMAND...: fails and says WORDS.
green() {
    local name=$1 output
    shift
    cases=$((cases + 1))
    if ! output=$("$@" 2>&1); then
        echo "selftest: $name should pass and fails: $output"
        failures=$((failures + 1))
    fi
}
red() {
    local name=$1 words=$2 output
    shift 2
    cases=$((cases + 1))
    if output=$("$@" 2>&1); then
        echo "selftest: $name should fail and passes"
        failures=$((failures + 1))
    elif ! grep -qF -- "$words" <<<"$output"; then
        echo "selftest: $name fails without the words \"$words\": $output"
        failures=$((failures + 1))
    fi
}
# add FILE LINE: the line comes last in the file, which may be new.
add() {
    printf '%s\n' "$2" >>"$1"
}

# --- includes
includes=("$python" "$here/lint_includes.py")
fresh; green includes "${includes[@]}"
fresh; add efi/base/one.c '#include "model/one.h"'
red include_of_a_higher_layer "base lies left of model" "${includes[@]}"
fresh; add include/port/one.h '#include "format/one.h"'
red header_includes_a_higher_layer "port lies left of format" "${includes[@]}"
fresh; add efi/format/one.c '#include "port/block.h"'
red format_sees_a_device "format sees bytes" "${includes[@]}"
fresh; add efi/format/fat.c '#include "port/one.h"'
red fat_sees_another_port "format sees bytes" "${includes[@]}"
fresh; add efi/firmware/vars.c '#include "model/one.h"'
red firmware_sees_model "firmware may see only base and port" "${includes[@]}"
fresh; add tests/host/vars.c '#include "format/one.h"'
red host_sees_format "host may see only base and port and linux" "${includes[@]}"
fresh; add efi/linux/disk.c '#include "format/one.h"'
red linux_sees_format "linux may see only base and port" "${includes[@]}"
fresh; add tests/host/vars.c '#include "firmware/own.h"'
red host_sees_firmware "host may see only base and port and linux" "${includes[@]}"
fresh; add efi/linux/disk.c '#include <efi.h>'
red linux_includes_uefi "UEFI headers belong" "${includes[@]}"
fresh; add efi/model/one.c '#include "../firmware/own.h"'
red core_sees_firmware "no such header in the tree" "${includes[@]}"
fresh; add efi/model/one.c '#include <efi.h>'
red core_includes_uefi "UEFI headers belong" "${includes[@]}"
fresh; add tests/host/vars.c '#include <efi.h>'
red host_includes_uefi "UEFI headers belong" "${includes[@]}"
fresh; add efi/base/one.c '#include <string.h>'
red core_includes_the_c_library "system header outside" "${includes[@]}"
fresh; add efi/firmware/vars.c '# include <stdlib.h>'
red firmware_includes_the_c_library "system header outside" "${includes[@]}"
fresh; add efi/base/one.c '#include NAME'
red computed_include "must name its file" "${includes[@]}"
fresh; mkdir efi/extra; add efi/extra/one.c 'int extra;'
red unknown_layer "lies in no known layer" "${includes[@]}"
fresh; add include/base/one.h '#include "base/two.h"'; add include/base/two.h '#include "base/one.h"'
red include_circle "include circle: include/base/one.h -> include/base/two.h" "${includes[@]}"
fresh; add include/model/two.h 'int two;'; add efi/model/one.c '#include "model/two.h"'
red header_of_one_folder_in_include "include/model/two.h:1: only efi/model reads it" "${includes[@]}"
add include/model/one.h '#include "model/two.h"'
green header_that_a_contract_includes "${includes[@]}"
fresh; add efi/model/two.h 'int two;'; add efi/model/one.c '#include "two.h"'
green header_beside_its_source "${includes[@]}"
add tests/host/main.c '#include "../../efi/model/two.h"'
red no_way_up_to_a_private_header "no such header" "${includes[@]}"
fresh; mkdir efi/format/deep; add efi/format/deep/one.c '#include "format/two.h"'
add include/format/two.h 'int two;'; add efi/format/one.c '#include "format/two.h"'
green header_of_two_folders_of_a_layer "${includes[@]}"

# --- functions
functions=("$python" "$here/lint_functions.py")
# long_function LINES: a function that is so many lines long.
long_function() {
    printf 'int long_one(void)\n{\n'
    yes '    ;' | head -n $(($1 - 4)) || true
    printf '    return 1;\n}\n'
}
fresh; long_function 40 >efi/base/long.c
green function_of_40_lines "${functions[@]}"
fresh; long_function 41 >efi/base/long.c
red function_of_41_lines "long_one has 41 lines" "${functions[@]}"
fresh; add efi/model/two.c 'static int base_one(void) { return 2; }'
red static_function_with_the_name_of_another "base_one is the name of a function at efi/base/one.c:3" \
    "${functions[@]}"
fresh; add efi/linux/two.c 'static int base_one(void) { return 2; }'
red function_of_the_linux_program_with_such_a_name "base_one is the name of a function at efi/base/one.c:3" \
    "${functions[@]}"
fresh; add efi/linux/two.c 'static int twin(void) { return 2; }'; add efi/firmware/two.c 'static int twin(void) { return 2; }'
green function_of_two_programs "${functions[@]}"
fresh; add tests/host/two.c 'static int base_one(void) { return 2; }'
green function_of_the_host_program_with_such_a_name "${functions[@]}"
fresh; add efi/base/one.c 'static int base_one(void) { return 2; }'
green function_in_two_forms_of_one_file "${functions[@]}"
fresh; rm -r efi tests
red no_function_at_all "none found" "${functions[@]}"

# --- format
fresh; green format "$here/lint_format.sh"
fresh; add efi/base/one.c 'int  two ( void ) ;'
red unformatted_file "efi/base/one.c: not formatted" "$here/lint_format.sh"
fresh; rm .clang-format
red no_style "no .clang-format" "$here/lint_format.sh"

# --- words
fresh; green words "$here/lint_words.sh"
fresh; add efi/base/one.c 'goto out;'
red goto_in_a_source "efi/base/one.c" "$here/lint_words.sh"
fresh; add include/base/one.h '/* FIXME */'
red unfinished_header "include/base/one.h" "$here/lint_words.sh"
fresh; add tests/host/main.c "/* $(printf '/%s/main' work) */"
red path_of_a_machine "tests/host/main.c" "$here/lint_words.sh"

# --- comments
comments=("$python" "$here/lint_comments.py")
fresh; printf '/* base_one, one.h, base_... and run() */\nint run(void);\n' >>efi/base/one.c; green comments "${comments[@]}"
fresh; printf '/* What base_gone says. */\n' >>efi/base/one.c
red comment_on_what_is_gone "efi/base/one.c:7: base_gone" "${comments[@]}"
fresh; printf '/* As gone() says. */\n' >>efi/base/one.c; red comment_on_a_call_that_is_gone "gone is named" "${comments[@]}"
fresh; printf '/* See base/gone.h. */\n' >>efi/base/one.c; red comment_on_a_file_that_is_gone "base/gone.h" "${comments[@]}"

# --- symbols
object() {
    printf '%s\n' "$2" | "${cc[@]}" -ffreestanding -x c -c -o "$1" -
}
fresh; object one.o 'void *memset(void *, int, unsigned long); int two(void);
int one(void) { char c[4]; memset(c, 0, 4); return c[0] + two(); }'
object two.o 'int two(void); int two(void) { return 2; }'
object three.o 'unsigned long strlen(const char *); int three(char *c) { return (int)strlen(c); }'
green symbols "$here/lint_symbols.sh" one.o two.o
red function_left_undefined "one.o: uses two" "$here/lint_symbols.sh" one.o
red call_of_the_c_library "three.o: uses strlen" "$here/lint_symbols.sh" one.o two.o three.o
red no_objects "no objects" "$here/lint_symbols.sh"

# --- circles
circles=("$python" "$here/lint_circles.py")
fresh; object one.o 'int two(void); int one(void); int one(void) { return two(); }'
object two.o 'int three(void); int two(void); int two(void) { return three(); }'
object three.o 'int three(void); int three(void) { return 3; }'
object zero.o 'int one(void); int zero(void); int zero(void) { return one(); }'
green circles "${circles[@]}" zero.o one.o two.o three.o
object three.o 'int one(void); int three(void); int three(void) { return one(); }'
red circle_of_three "one.o: in a circle, by two.o" "${circles[@]}" one.o two.o three.o
red no_objects_in_circles "no objects" "${circles[@]}"

# --- pe
pe=("$python" "$here/lint_pe.py" tiny.efi x64 0.1.0 4096)
# tiny [FIELD=VALUE...]: a small program that is in order but for these fields.
tiny() {
    "$python" "$here/make_pe.py" tiny.efi "$@"
}
fresh; tiny; green pe "${pe[@]}"
tiny machine=0x14c; red pe_other_machine "is not x64" "${pe[@]}"
tiny magic=0x10b; red pe_other_header "optional header 0x10b is not that of x64" "${pe[@]}"
for arch in "ia32 0x14c 0x10b 0x3000 header 0x10b is not that of x64" "aa64 0xaa64 0x20b 0xa000 is not x64"; do
    read -r name machine magic entry words <<<"$arch"
    tiny "machine=$machine" "magic=$magic" "entry=$entry"
    green "pe_$name" "$python" "$here/lint_pe.py" tiny.efi "$name" 0.1.0 4096
    red "pe_${name}_for_x64" "$words" "${pe[@]}"
done
tiny subsystem=2; red pe_other_subsystem "is not an EFI application" "${pe[@]}"
tiny characteristics=0x207; red pe_relocations_stripped "relocations are stripped" "${pe[@]}"
tiny stamp=1; red pe_time_of_build "carries a time" "${pe[@]}"
tiny reloc=.other; red pe_without_reloc "no .reloc" "${pe[@]}"
tiny reloc_size=0; red pe_empty_relocations "does not lie in .reloc" "${pe[@]}"
tiny sbat=.other; red pe_without_sbat "no .sbat" "${pe[@]}"
tiny version=0.0.9; red pe_other_version "says version 0.0.9" "${pe[@]}"
tiny vendor=; red pe_empty_column "six non-empty columns" "${pe[@]}"
tiny generation=0; red pe_generation_of_zero "generation" "${pe[@]}"
tiny extra=line; red pe_third_line "3 lines instead of 2" "${pe[@]}"
tiny padding=8192; red pe_too_large "not below 4096" "${pe[@]}"
tiny alignment=4096; red pe_unaligned_section "is not aligned to 4096" "${pe[@]}"
tiny reloc_address=0x200; red pe_sections_out_of_order "lies before the end" "${pe[@]}"
tiny image_size=0x400; red pe_section_behind_the_image "behind the end of the image" "${pe[@]}"
tiny symbols=1; red pe_symbols "carries symbols" "${pe[@]}"
tiny data=.rela; red pe_leftover_section ".rela is none that firmware needs" "${pe[@]}"
tiny text_flags=0xe0000020; red pe_written_and_run "can be written and run" "${pe[@]}"
tiny text_flags=0xc0000040; red pe_written_text ".text can be written" "${pe[@]}"
tiny block_size=10; red pe_relocations_cut "relocation block of 10 bytes" "${pe[@]}"
tiny entry=0x3000; red pe_relocation_of_32_bits "is of type 3" "${pe[@]}"
tiny entry=0xa00a; red pe_relocation_behind_data "lies in no section that is written" "${pe[@]}"
tiny data_flags=0x40000040; red pe_relocation_of_constants "lies in no section that is written" "${pe[@]}"
tiny moved=0; red pe_relocation_of_nothing "moves what is no address" "${pe[@]}"
tiny moved=0xa00; red pe_relocation_out_of_the_image "moves what is no address" "${pe[@]}"
printf 'MZ' >tiny.efi; red pe_cut_short "ends before" "${pe[@]}"

if [ "$failures" != 0 ]; then
    echo "selftest: $failures of $cases cases failed"
    exit 1
fi
echo "selftest: $cases cases, every rule can fail"
