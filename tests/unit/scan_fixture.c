#define _GNU_SOURCE

#include "unit/scan_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "host/host_alloc.h"
#include "unit/bytes_fixture.h"

#define SCAN_ARENA  (8u << 20)
#define GPT_HEADER  92u
#define ARRAY_BYTES 16384u
#define SLOT_BYTES  128u

/* --- A scanned machine ---------------------------------------------------------------------- */

struct scanned *scan_host(struct host *host, enum scan_depth depth)
{
    return scan_host_in(host, depth, SCAN_ARENA);
}

struct scanned *scan_host_in(struct host *host, enum scan_depth depth, size_t size)
{
    struct scanned *scanned = host_alloc(1, sizeof(*scanned));
    struct ports counted;

    scanned->memory = host_borrow(size);
    arena_init(&scanned->arena, scanned->memory, size);
    assert_int_equal(ports_count(&scanned->arena, host_ports(host), &scanned->counts, &counted),
                     ST_OK);
    assert_int_equal(scan_machine(&scanned->arena, &counted, depth, &scanned->machine), ST_OK);
    assert_int_equal(audit_disks(&scanned->arena, &scanned->machine, &scanned->disks), ST_OK);
    if (depth >= SCAN_ENTRIES)
        assert_int_equal(audit_entries(&scanned->arena, &scanned->machine, &scanned->entries),
                         ST_OK);
    return scanned;
}

void scanned_free(struct scanned *scanned)
{
    host_return(scanned->memory);
    free(scanned);
}

static const struct finding *find_in(const struct findings *findings, enum finding_code code)
{
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->items[i].code == code)
            return &findings->items[i];
    }
    return NULL;
}

const struct finding *find_finding(const struct scanned *scanned, enum finding_code code)
{
    const struct finding *finding = find_in(&scanned->disks, code);

    return finding != NULL ? finding : find_in(&scanned->entries, code);
}

size_t count_findings(const struct scanned *scanned)
{
    return scanned->disks.count + scanned->entries.count;
}

const char *place_of_finding(struct scanned *scanned, const struct finding *finding)
{
    if (finding == NULL)
        return "";
    return finding_place(&scanned->arena, &scanned->machine, finding);
}

/* --- Partition tables ----------------------------------------------------------------------- */

uint64_t header_offset(struct host *host, size_t disk, enum gpt_side side)
{
    struct block_port port = mem_block_port(host->disks[disk]);

    return (side == PRIMARY ? 1 : port.block_count - 1) * port.block_size;
}

static void seal_header(uint8_t header[GPT_HEADER])
{
    fixture_store_le(header + 16, 0, 4);
    fixture_store_le(header + 16, fixture_crc32(header, GPT_HEADER), 4);
}

void patch_header(struct host *host, size_t disk, enum gpt_side side, unsigned offset,
                  uint64_t value, unsigned size)
{
    uint64_t at = header_offset(host, disk, side);
    uint8_t header[GPT_HEADER];

    mem_block_peek(host->disks[disk], at, header, sizeof(header));
    fixture_store_le(header + offset, value, size);
    seal_header(header);
    mem_block_write(host->disks[disk], at, header, sizeof(header));
}

void patch_entry(struct host *host, size_t disk, enum gpt_side side, unsigned slot, unsigned offset,
                 const void *data, unsigned size)
{
    struct block_port port = mem_block_port(host->disks[disk]);
    uint64_t at = header_offset(host, disk, side);
    uint8_t header[GPT_HEADER];
    uint8_t *array = host_alloc(1, ARRAY_BYTES);

    mem_block_peek(host->disks[disk], at, header, sizeof(header));
    uint64_t array_at = ld_le64(header + 72) * port.block_size;
    mem_block_peek(host->disks[disk], array_at, array, ARRAY_BYTES);
    memcpy(array + slot * SLOT_BYTES + offset, data, size);
    mem_block_write(host->disks[disk], array_at, array, ARRAY_BYTES);
    fixture_store_le(header + 88, fixture_crc32(array, ARRAY_BYTES), 4);
    seal_header(header);
    mem_block_write(host->disks[disk], at, header, sizeof(header));
    free(array);
}

void patch_entries(struct host *host, size_t disk, unsigned slot, unsigned offset, uint64_t value,
                   unsigned size)
{
    uint8_t bytes[8];

    fixture_store_le(bytes, value, size);
    patch_entry(host, disk, PRIMARY, slot, offset, bytes, size);
    patch_entry(host, disk, BACKUP, slot, offset, bytes, size);
}

void flip_byte(struct host *host, size_t disk, uint64_t offset)
{
    uint8_t byte = 0;

    mem_block_peek(host->disks[disk], offset, &byte, 1);
    byte = (uint8_t)~byte;
    mem_block_write(host->disks[disk], offset, &byte, 1);
}

void zero_block(struct host *host, size_t disk, uint64_t lba)
{
    struct block_port port = mem_block_port(host->disks[disk]);
    uint8_t *zeros = host_alloc(1, port.block_size);

    mem_block_write(host->disks[disk], lba * port.block_size, zeros, port.block_size);
    free(zeros);
}

void put_mbr_record(struct host *host, size_t disk, uint64_t lba, unsigned index, uint8_t type,
                    uint32_t first, uint32_t blocks)
{
    struct block_port port = mem_block_port(host->disks[disk]);
    uint8_t record[16] = {[4] = type};
    static const uint8_t magic[2] = {0x55, 0xaa};

    fixture_store_le(record + 8, first, 4);
    fixture_store_le(record + 12, blocks, 4);
    mem_block_write(host->disks[disk], lba * port.block_size + 446 + 16 * index, record, 16);
    mem_block_write(host->disks[disk], lba * port.block_size + 510, magic, 2);
}

/* --- Whole states --------------------------------------------------------------------------- */

bool host_equal(const struct host *a, const struct host *b)
{
    size_t volumes = mem_files_port(a->files).volume_count;

    if (!mem_vars_equal(a->vars, b->vars) || mem_files_port(b->files).volume_count != volumes)
        return false;
    for (size_t i = 0; i < volumes; i++) {
        if (!mem_files_equal(a->files, b->files, i))
            return false;
    }
    return true;
}

unsigned run_line(struct host *host, const char *line, const char **ret_text)
{
    host_console_clear(host->console);
    unsigned code = fixture_run(host, line);
    if (ret_text != NULL)
        *ret_text = host_console_text(host->console);
    return code;
}

void assert_says(const char *text, const char *words)
{
    char *copy = host_copy_text(words);
    char *rest = copy;

    for (char *word = strsep(&rest, "|"); word != NULL; word = strsep(&rest, "|")) {
        if (strcasestr(text, word) != NULL)
            continue;
        print_error("\"%s\" is missing in:\n%.2000s\n", word, text);
        free(copy);
        fail();
    }
    free(copy);
}

/* The length of the UTF-8 sequence at `at`, and its character. */
static size_t decode(const unsigned char *at, uint32_t *ret_character)
{
    if (at[0] < 0x80) {
        *ret_character = at[0];
        return 1;
    }
    size_t length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    uint32_t character = at[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        assert_int_equal(at[i] & 0xc0, 0x80);
        character = character << 6 | (at[i] & 0x3f);
    }
    *ret_character = character;
    return length;
}

void assert_harmless(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    while (*at != 0) {
        uint32_t c = 0;
        at += decode(at, &c);
        bool control = (c < 0x20 && c != '\n') || (c >= 0x7f && c < 0xa0);
        bool bidi = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e ||
                    c == 0x200f || c == 0x061c;
        bool hidden = c == 0x200b || c == 0xfeff || c == 0x2028 || c == 0x2029;
        if (!control && !bidi && !hidden)
            continue;
        print_error("U+%04X in:\n%.2000s\n", (unsigned)c, text);
        fail();
    }
}

void put_var(struct host *host, const char *name, const void *data, size_t size)
{
    mem_vars_put(host->vars, NULL, name, VAR_BOOT_OPTION, data, size);
}
