#include <stdio.h>
#include <string.h>

#include "host/host_alloc.h"
#include "sweep/draw.h"
#include "unit/machine_fixture.h"

#define ENTRIES_MAX 40u

struct entries {
    struct draw *draw;
    uint16_t order[2 * ENTRIES_MAX];
    size_t order_count;
    uint16_t numbers[ENTRIES_MAX]; /* those in use */
    size_t count;
};

/* --- Entries -------------------------------------------------------------------------------- */

/* A number that is free: the next, or any. */
static uint16_t take_number(struct entries *entries)
{
    uint16_t number = (uint16_t)entries->count;
    bool used = true;

    if (entries->count == ENTRIES_MAX)
        host_fail("too many entries");
    if (chance_percent(&entries->draw->chance, 25))
        number = (uint16_t)chance_below(&entries->draw->chance, 0x40);
    for (; used; number = used ? (uint16_t)(number + 1) : number) {
        used = false;
        for (size_t i = 0; i < entries->count; i++)
            used = used || entries->numbers[i] == number;
    }
    entries->numbers[entries->count++] = number;
    return number;
}

static void put_value(struct entries *entries, const char *what, uint32_t attributes,
                      const char *description, const struct fixture_bytes *path,
                      const struct fixture_bytes *optional)
{
    struct fixture_bytes value = {.size = 0};
    uint16_t number = take_number(entries);
    char name[16];

    fixture_put_load_option(&value, attributes, description, path, optional);
    snprintf(name, sizeof(name), "Boot%04X", number);
    mem_vars_put(entries->draw->host->vars, NULL, name, VAR_BOOT_OPTION, value.at, value.size);
    entries->order[entries->order_count++] = number;
    draw_say(entries->draw, "%s \"%s\"%s%s: %s\n", name, description,
             (attributes & 1) == 0 ? ", inactive" : "",
             (attributes & 0x1f00) != 0 ? ", an application" : "", what);
}

enum form {
    FORM_SHORT,
    FORM_FULL,
    FORM_FILE,
    FORM_DISK,      /* the whole disk */
    FORM_PARTITION, /* the partition without a file */
    FORM_GONE,      /* a GUID that is nowhere */
    FORM_ZERO,      /* a GUID of zeros */
    FORM_NUMBER,    /* another number of the partition */
    FORM_START,     /* another place */
    FORM_COUNT
};

static const char *const form_names[FORM_COUNT] = {
    "short",     "full path",    "file only",  "whole disk", "partition only", "GUID that is gone",
    "zero GUID", "wrong number", "wrong start"};

static void put_form(struct fixture_bytes *path, const struct draw *draw,
                     const struct draw_loader *loader, enum form form)
{
    const struct draw_part *part = &draw->parts[loader->disk][loader->part];
    struct host_partition place = {.disk = loader->disk,
                                   .number = part->number + (form == FORM_NUMBER ? 9 : 0),
                                   .start = part->first + (form == FORM_START ? 64 : 0),
                                   .size = part->blocks,
                                   .guid = fixture_guid(part->guid)};

    if (form == FORM_GONE)
        place.guid = fixture_guid("deaddead-0000-4000-8000-00000000dead");
    if (form == FORM_ZERO)
        memset(&place.guid, 0, sizeof(place.guid));
    if (form == FORM_FULL || form == FORM_DISK)
        fixture_put_disk(path, draw->host, loader->disk);
    if (form != FORM_DISK && form != FORM_FILE)
        fixture_put_hd(path, &place);
    if (form != FORM_DISK && form != FORM_PARTITION)
        fixture_put_file(path, loader->path);
    fixture_put_end(path);
}

static void put_options(struct fixture_bytes *optional, const struct draw_loader *loader,
                        enum form form)
{
    if (loader->is_windows && form != FORM_DISK)
        fixture_put_windows(optional, "BCDOBJECT={" FIXTURE_BOOTMGR_OBJECT "}", NULL, NULL);
    else if (form == FORM_DISK)
        fixture_put_guid(optional, "8108ac4e-9f11-4d59-850e-e21a522c59b2");
}

static void add_loader(struct entries *entries, const struct draw_loader *loader)
{
    static const unsigned weights[FORM_COUNT] = {66, 10, 6, 4, 3, 4, 2, 3, 2};
    struct draw *draw = entries->draw;
    enum form form = (enum form)chance_weighted(&draw->chance, weights, FORM_COUNT);
    uint32_t attributes = chance_percent(&draw->chance, 6) ? 0 : 1;
    struct fixture_bytes path = {.size = 0};
    struct fixture_bytes optional = {.size = 0};
    char what[160];

    if (chance_percent(&draw->chance, 3))
        attributes |= 0x100;
    put_form(&path, draw, loader, form);
    put_options(&optional, loader, form);
    snprintf(what, sizeof(what), "%s, disk %zu partition %u %s", form_names[form], loader->disk,
             draw->parts[loader->disk][loader->part].number, loader->path);
    unsigned copies = chance_percent(&draw->chance, 8) ? 2 : 1;
    for (unsigned i = 0; i < copies; i++)
        put_value(entries, what, attributes, loader->description, &path, &optional);
}

/* --- Entries of firmware's own ---------------------------------------------------------------- */

static void put_node(struct fixture_bytes *path, uint8_t type, uint8_t subtype, size_t data)
{
    fixture_put_le(path, type, 1);
    fixture_put_le(path, subtype, 1);
    fixture_put_le(path, 4 + data, 2);
    for (size_t i = 0; i < data; i++)
        fixture_put_le(path, 0x10 + i, 1);
}

static void add_own(struct entries *entries, const char *what, const char *description,
                    const struct fixture_bytes *nodes, unsigned copies)
{
    struct fixture_bytes none = {.size = 0};
    struct fixture_bytes path = *nodes;

    fixture_put_end(&path);
    for (unsigned i = 0; i < copies; i++)
        put_value(entries, what, 1, description, &path, &none);
}

static void add_firmware_file(struct entries *entries)
{
    struct fixture_bytes path = {.size = 0};

    put_node(&path, 4, 7, 16);
    put_node(&path, 4, 6, 16);
    add_own(entries, "FvFile", "Setup", &path, 1);
}

static void add_legacy(struct entries *entries)
{
    struct fixture_bytes path = {.size = 0};

    put_node(&path, 5, 1, 9);
    add_own(entries, "BBS", "Hard drive", &path, 1 + chance_below(&entries->draw->chance, 2));
}

static void add_network(struct entries *entries)
{
    struct fixture_bytes path = {.size = 0};

    put_node(&path, 1, 1, 2);
    put_node(&path, 3, 11, 33);
    put_node(&path, 3, 12, 23);
    add_own(entries, "MAC/IPv4", "PXE", &path, 1);
}

static void add_vendor(struct entries *entries)
{
    struct fixture_bytes path = {.size = 0};

    put_node(&path, 1, 4, 16);
    add_own(entries, "vendor node", "Recovery", &path, 1);
}

static void add_empty(struct entries *entries)
{
    const struct fixture_bytes path = {.size = 0};

    add_own(entries, "empty path", "RC", &path, 1 + chance_below(&entries->draw->chance, 4));
}

static void add_firmwares_own(struct entries *entries)
{
    static const struct {
        unsigned percent;
        void (*add)(struct entries *entries);
    } kinds[] = {{12, add_empty},
                 {10, add_legacy},
                 {8, add_firmware_file},
                 {15, add_network},
                 {5, add_vendor}};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (chance_percent(&entries->draw->chance, kinds[i].percent))
            kinds[i].add(entries);
    }
}

/* --- BootOrder -------------------------------------------------------------------------------- */

static void damage_order(struct entries *entries)
{
    struct chance *chance = &entries->draw->chance;
    size_t kept = 0;

    if (chance_percent(chance, 40))
        chance_shuffle(chance, entries->order, entries->order_count, sizeof(entries->order[0]));
    for (size_t i = 0; i < entries->order_count; i++) {
        if (!chance_percent(chance, 5))
            entries->order[kept++] = entries->order[i];
    }
    entries->order_count = kept;
    if (kept > 0 && chance_percent(chance, 6))
        entries->order[entries->order_count++] =
            entries->order[chance_below(chance, (unsigned)kept)];
    if (chance_percent(chance, 8)) {
        size_t at = chance_below(chance, (unsigned)entries->order_count + 1);
        memmove(&entries->order[at + 1], &entries->order[at],
                (entries->order_count - at) * sizeof(entries->order[0]));
        entries->order[at] = (uint16_t)(0x50 + chance_below(chance, 16));
        entries->order_count++;
    }
}

static void put_order(struct entries *entries)
{
    struct draw *draw = entries->draw;

    damage_order(entries);
    if (entries->order_count == 0 || chance_percent(&draw->chance, 4)) {
        draw_say(draw, "no BootOrder\n");
        return;
    }
    fixture_set_order(draw->host, entries->order, entries->order_count);
    draw_say(draw, "BootOrder");
    for (size_t i = 0; i < entries->order_count; i++)
        draw_say(draw, " %04X", entries->order[i]);
    draw_say(draw, "\n");
}

static void put_settings(struct entries *entries)
{
    struct draw *draw = entries->draw;

    fixture_set_u16(draw->host, "Timeout", 2);
    if (entries->count > 0)
        fixture_set_u16(draw->host, "BootCurrent", entries->numbers[0]);
    if (!chance_percent(&draw->chance, 5))
        return;
    uint16_t next = (uint16_t)chance_below(&draw->chance, 12);
    fixture_set_u16(draw->host, "BootNext", next);
    draw_say(draw, "BootNext %04X\n", next);
}

void draw_entries(struct draw *draw)
{
    struct entries entries = {.draw = draw};
    bool firmware_first = chance_percent(&draw->chance, 20);

    if (firmware_first)
        add_firmwares_own(&entries);
    for (size_t i = 0; i < draw->loader_count; i++) {
        unsigned percent = draw->loaders[i].is_tool ? 40 : 75;
        if (entries.count + 10 < ENTRIES_MAX && chance_percent(&draw->chance, percent))
            add_loader(&entries, &draw->loaders[i]);
    }
    if (!firmware_first)
        add_firmwares_own(&entries);
    put_order(&entries);
    put_settings(&entries);
}
