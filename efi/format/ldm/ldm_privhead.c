#include "format/ldm/ldm_privhead.h"

#include "base/mem.h"

#define CHECKSUM_AT    8u
#define GUID_CHARS     36u
#define TOC_REGIONS_AT 0x24u
#define TOC_REGION     34u
#define TOC_REGION_MAX 14u
#define TOC_NAME       8u

#define REGION_NOT_THERE 0x1u
#define REGION_DISABLED  0x8u

/* Also on disks with larger blocks only these 512 bytes count. */
static bool checksum_holds(struct span block)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < LDM_HEAD_BYTES; i++)
        if (i < CHECKSUM_AT || i >= CHECKSUM_AT + 4)
            sum += block.at[i];
    return sum == ld_be32(block.at + CHECKSUM_AT);
}

static enum status check_frame(struct span block, const char *magic)
{
    if (block.size < LDM_HEAD_BYTES || memcmp(block.at, magic, 8) != 0)
        return ST_ABSENT;
    return checksum_holds(block) ? ST_OK : ST_DAMAGED;
}

static bool inside(uint64_t start, uint64_t size, uint64_t limit)
{
    return size > 0 && start <= limit && size <= limit - start;
}

/* Both runs have passed inside(), so the sums cannot wrap. */
static bool apart(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a + a_size <= b || b + b_size <= a;
}

enum status ldm_guid_field(struct span field, struct guid *ret_guid)
{
    char text[GUID_CHARS + 1] = {0};

    if (field.size < GUID_CHARS)
        return ST_DAMAGED;
    if (!span_is_zero(span_part(field, GUID_CHARS, field.size - GUID_CHARS)))
        return ST_DAMAGED;
    memcpy(text, field.at, GUID_CHARS);
    return guid_parse(text, ret_guid) == ST_OK ? ST_OK : ST_DAMAGED;
}

void ldm_text_field(struct span from, char *ret_text, size_t size)
{
    size_t used = 0;

    while (used < from.size && used + 1 < size && from.at[used] != 0) {
        uint8_t c = from.at[used];
        ret_text[used++] = c >= 0x20 && c <= 0x7e ? (char)c : '?';
    }
    ret_text[used] = '\0';
}

static bool head_places_hold(const struct ldm_privhead *head, uint64_t disk_blocks)
{
    if (!inside(head->private_start, head->private_size, disk_blocks) ||
        !inside(head->public_start, head->public_size, disk_blocks))
        return false;

    uint64_t limit = head->private_size;
    return head->primary < limit && head->secondary < limit && head->toc[0] < limit &&
           head->toc[1] < limit;
}

enum status ldm_privhead_parse(struct span block, uint32_t block_size, uint64_t disk_blocks,
                               struct ldm_privhead *ret_head)
{
    enum status status = check_frame(block, "PRIVHEAD");
    if (status != ST_OK)
        return status;

    const uint8_t *at = block.at;
    uint16_t minor = ld_be16(at + 0x0e);
    if (ld_be16(at + 0x0c) != 2 || (minor != 11 && minor != 12))
        return ST_UNSUPPORTED;
    if (ld_be32(at + 0x10f) != block_size)
        return ST_UNSUPPORTED;

    struct ldm_privhead head = {
        .sequence = ld_be64(at + 0x18),
        .primary = ld_be64(at + 0x20),
        .secondary = ld_be64(at + 0x28),
        .public_start = ld_be64(at + 0x11b),
        .public_size = ld_be64(at + 0x123),
        .private_start = ld_be64(at + 0x12b),
        .private_size = ld_be64(at + 0x133),
        .toc = {ld_be64(at + 0x13b), ld_be64(at + 0x143)},
    };
    if (ldm_guid_field(span_part(block, 0x30, 64), &head.disk) != ST_OK ||
        ldm_guid_field(span_part(block, 0xb0, 64), &head.group) != ST_OK)
        return ST_DAMAGED;
    ldm_text_field(span_part(block, 0xf0, 31), head.group_name, sizeof head.group_name);
    if (!head_places_hold(&head, disk_blocks))
        return ST_DAMAGED;
    if (head.private_size > LDM_PRIVATE_MAX_BYTES / block_size)
        return ST_UNSUPPORTED;
    *ret_head = head;
    return ST_OK;
}

bool ldm_regions_are_apart(const struct ldm_privhead *head)
{
    return apart(head->private_start, head->private_size, head->public_start, head->public_size);
}

static bool region_is_free_of_heads(const struct ldm_region *region,
                                    const struct ldm_privhead *head)
{
    const uint64_t heads[] = {head->primary, head->secondary, head->toc[0], head->toc[1]};

    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        if (heads[i] >= region->start && heads[i] - region->start < region->size)
            return false;
    return true;
}

struct toc_walk {
    struct ldm_region regions[TOC_REGION_MAX];
    const uint8_t *names[TOC_REGION_MAX];
    size_t count;
};

/* Takes one region in, checked against the disk and against those before it. */
static bool toc_walk_add(struct toc_walk *walk, const uint8_t *at, const struct ldm_privhead *head)
{
    struct ldm_region region = {.start = ld_be64(at + 0x0a), .size = ld_be64(at + 0x12)};

    if ((ld_be16(at + 8) & (REGION_NOT_THERE | REGION_DISABLED)) != 0)
        return false;
    if (!inside(region.start, region.size, head->private_size) ||
        !region_is_free_of_heads(&region, head))
        return false;
    for (size_t i = 0; i < walk->count; i++) {
        const struct ldm_region *other = &walk->regions[i];
        if (memcmp(at, walk->names[i], TOC_NAME) == 0 ||
            !apart(region.start, region.size, other->start, other->size))
            return false;
    }
    walk->names[walk->count] = at;
    walk->regions[walk->count++] = region;
    return true;
}

/* The region with this name; NULL when there is none. */
static const struct ldm_region *toc_walk_find(const struct toc_walk *walk, const char *name)
{
    for (size_t i = 0; i < walk->count; i++)
        if (memcmp(walk->names[i], name, TOC_NAME) == 0)
            return &walk->regions[i];
    return NULL;
}

enum status ldm_toc_parse(struct span block, const struct ldm_privhead *head,
                          struct ldm_toc *ret_toc)
{
    struct toc_walk walk = {.count = 0};
    enum status status = check_frame(block, "TOCBLOCK");

    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < TOC_REGION_MAX; i++) {
        const uint8_t *at = block.at + TOC_REGIONS_AT + i * TOC_REGION;
        if (at[0] == 0)
            break;
        if (!toc_walk_add(&walk, at, head))
            return ST_DAMAGED;
    }
    const struct ldm_region *config = toc_walk_find(&walk, "config\0");
    const struct ldm_region *log = toc_walk_find(&walk, "log\0\0\0\0");
    if (config == NULL)
        return ST_DAMAGED;
    *ret_toc = (struct ldm_toc){.sequence = ld_be64(block.at + 0x0c), .config = *config};
    if (log != NULL)
        ret_toc->log = *log;
    return ST_OK;
}
