/* Prints the JSON Schema of the report of `status -json`. Exit status: 0; 1 where help leaves out a word. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/report_schema.h"
#include "host/host_alloc.h"

#define ARENA (1u << 20)

static void print_bytes(void *ctx, const char *bytes, size_t size)
{
    fwrite(bytes, 1, size, ctx);
}

int main(void)
{
    uint8_t *memory = host_alloc(1, ARENA);
    struct arena arena;

    arena_init(&arena, memory, ARENA);
    enum status status = report_schema(&arena, (struct sink){print_bytes, stdout});
    free(memory);
    if (status != ST_OK)
        fprintf(stderr, "report_schema: %s\n", status_text(status));
    return status == ST_OK && fflush(stdout) == 0 ? 0 : 1;
}
