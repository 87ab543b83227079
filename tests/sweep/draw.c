#include "sweep/draw.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/host_alloc.h"
#include "unit/disk_machine_fixture.h"

#define PAGE 4096u

void draw_say(struct draw *draw, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int size =
        vsnprintf(draw->words + draw->words_used, DRAW_WORDS - draw->words_used, format, arguments);
    va_end(arguments);
    draw->words_used += (size_t)size;
    if (draw->words_used >= DRAW_WORDS)
        draw->words_used = DRAW_WORDS - 1;
}

void draw_write(struct draw *draw, size_t disk, uint64_t offset, const uint8_t *data, size_t size)
{
    static const uint8_t zeros[PAGE];

    for (size_t at = 0; at < size; at += PAGE) {
        size_t part = size - at < PAGE ? size - at : PAGE;
        if (memcmp(data + at, zeros, part) != 0)
            mem_block_write(draw->host->disks[disk], offset + at, data + at, part);
    }
}

struct draw *draw_new(uint64_t seed)
{
    struct draw *draw = host_alloc(1, sizeof(*draw));

    draw->chance = chance_of(seed);
    draw->host = host_new();
    draw->with_msr = chance_percent(&draw->chance, 50);
    draw_disks(draw);
    draw_entries(draw);
    draw_damage(draw);
    disk_machine_add_stick(draw->host);
    disk_machine_follow(draw->host);
    return draw;
}

void draw_free(struct draw *draw)
{
    if (draw == NULL)
        return;
    host_free(draw->host);
    free(draw);
}
