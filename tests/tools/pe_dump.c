/* Says of each file named what shadowboot makes of it: pe_dump ARCHITECTURE FILE... */
#include <stdio.h>
#include <stdlib.h>

#include "format/pe.h"
#include "host/host_alloc.h"

#define PIECE 65536u

static enum pe_verdict check_file(FILE *file, const char *architecture)
{
    static struct pe_check check;
    static uint8_t piece[PIECE];
    size_t used = 0;

    if (fseek(file, 0, SEEK_END) != 0)
        host_fail("a file without an end");
    long size = ftell(file);
    rewind(file);
    pe_check_start(&check, (uint64_t)size, architecture, true);
    while ((used = fread(piece, 1, sizeof(piece), file)) > 0)
        pe_check_feed(&check, span_of(piece, used));
    return pe_check_finish(&check);
}

int main(int argc, char **argv)
{
    static const char *const names[PE_VERDICT_COUNT] = {
        [PE_GOOD] = "GOOD",
        [PE_NOT_AN_IMAGE] = "NOT_AN_IMAGE",
        [PE_EMPTY] = "EMPTY",
        [PE_ZERO] = "ZERO",
        [PE_OTHER_MACHINE] = "OTHER_MACHINE",
        [PE_NOT_EFI] = "NOT_EFI",
        [PE_TRUNCATED] = "TRUNCATED",
        [PE_ZERO_FILLED] = "ZERO_FILLED",
        [PE_BAD_CHECKSUM] = "BAD_CHECKSUM",
        [PE_BAD_DIGEST] = "BAD_DIGEST",
    };

    for (int i = 2; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (file == NULL) {
            perror(argv[i]);
            return 1;
        }
        printf("%s %s\n", names[check_file(file, argv[1])], argv[i]);
        fclose(file);
    }
    return argc < 3;
}
