#include "host/uboot_vars.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "host/host_alloc.h"

#define MAGIC       0x0161566966456255ull
#define HEADER      24u
#define ENTRY       32u
#define SLOT        32u /* of a directory */
#define NAME        "UBOOTEFIVAR"
#define LOWER_CASE  0x18u
#define ESP_TYPE    "\x28\x73\x2a\xc1\x1f\xf8\xd2\x11\xba\x4b\x00\xa0\xc9\x3e\xc9\x3b"
#define GPT_ENTRIES 128u

struct uboot_vars {
    struct mem_vars *vars;
    struct vars_port inner;
    const struct block_port *disks;
    size_t disk_count;
};

/* A file system, in bytes from the start of its disk. */
struct fat {
    const struct block_port *port;
    uint64_t fat;
    uint64_t root; /* FAT12 and 16 */
    uint64_t data;
    uint32_t fat_size;
    uint32_t fat_count;
    uint32_t root_size;
    uint32_t root_cluster; /* FAT32, else 0 */
    uint32_t unit;         /* bytes of a cluster */
    uint32_t end;          /* behind the last cluster */
    unsigned bits;
};

/* --- Bytes of a disk ------------------------------------------------------------------------ */

static bool move(const struct block_port *port, uint64_t at, void *data, size_t size, bool writes)
{
    uint64_t lba = at / port->block_size;
    size_t skip = at % port->block_size;
    uint32_t count = (uint32_t)((skip + size + port->block_size - 1) / port->block_size);
    uint8_t *blocks = host_alloc(count, port->block_size);

    bool done = port->read(port->ctx, lba, count, blocks) == ST_OK;
    if (done && writes) {
        memcpy(blocks + skip, data, size);
        done =
            port->write(port->ctx, lba, count, blocks) == ST_OK && port->flush(port->ctx) == ST_OK;
    } else if (done) {
        memcpy(data, blocks + skip, size);
    }
    free(blocks);
    return done;
}

static bool get(const struct block_port *port, uint64_t at, void *ret_data, size_t size)
{
    return move(port, at, ret_data, size, false);
}

static bool put(const struct block_port *port, uint64_t at, const void *data, size_t size)
{
    uint8_t *copy = host_alloc(size, 1);

    memcpy(copy, data, size);
    bool done = move(port, at, copy, size, true);
    free(copy);
    return done;
}

/* --- The file system ------------------------------------------------------------------------ */

/* The first EFI system partition of a disk; 0: none. */
static uint64_t esp_of(const struct block_port *port)
{
    uint8_t entry[128];

    for (unsigned i = 0; i < GPT_ENTRIES; i++) {
        if (!get(port, 2ull * port->block_size + i * sizeof(entry), entry, sizeof(entry)))
            return 0;
        if (memcmp(entry, ESP_TYPE, 16) == 0)
            return ld_le64(entry + 32) * port->block_size;
    }
    return 0;
}

static bool open_fat(const struct block_port *port, struct fat *ret_fat)
{
    uint64_t start = esp_of(port);
    uint8_t bpb[64];

    if (start == 0 || !get(port, start, bpb, sizeof(bpb)) || bpb[13] == 0 || ld_le16(bpb + 11) == 0)
        return false;
    uint32_t sector = ld_le16(bpb + 11);
    uint32_t sectors = ld_le16(bpb + 19) != 0 ? ld_le16(bpb + 19) : ld_le32(bpb + 32);
    uint32_t length = ld_le16(bpb + 22) != 0 ? ld_le16(bpb + 22) : ld_le32(bpb + 36);
    struct fat fat = {.port = port,
                      .fat = start + (uint64_t)ld_le16(bpb + 14) * sector,
                      .fat_size = length * sector,
                      .fat_count = bpb[16],
                      .root_size = ld_le16(bpb + 17) * SLOT,
                      .unit = bpb[13] * sector};
    fat.root = fat.fat + (uint64_t)fat.fat_count * fat.fat_size;
    fat.data = fat.root + fat.root_size;
    uint32_t clusters = (uint32_t)((start + (uint64_t)sectors * sector - fat.data) / fat.unit);
    fat.end = clusters + 2;
    fat.bits = clusters < 4085 ? 12 : clusters < 65525 ? 16 : 32;
    fat.root_cluster = fat.bits == 32 ? ld_le32(bpb + 44) : 0;
    *ret_fat = fat;
    return true;
}

static uint32_t mask_of(const struct fat *fat)
{
    return fat->bits == 32 ? 0x0fffffffu : (1u << fat->bits) - 1;
}

static bool is_cluster(const struct fat *fat, uint32_t cluster)
{
    return cluster >= 2 && cluster < fat->end;
}

static uint32_t next_of(const struct fat *fat, uint32_t cluster)
{
    uint8_t entry[4] = {0};
    uint64_t at = fat->fat + (uint64_t)cluster * fat->bits / 8;

    if (!get(fat->port, at, entry, fat->bits == 32 ? 4 : 2))
        return 0;
    return ld_le32(entry) >> (fat->bits == 12 && cluster % 2 == 1 ? 4 : 0) & mask_of(fat);
}

static void set_next(const struct fat *fat, uint32_t cluster, uint32_t next)
{
    unsigned shift = fat->bits == 12 && cluster % 2 == 1 ? 4 : 0;
    size_t size = fat->bits == 32 ? 4 : 2;
    uint8_t entry[4] = {0};

    for (uint32_t copy = 0; copy < fat->fat_count; copy++) {
        uint64_t at = fat->fat + (uint64_t)copy * fat->fat_size + (uint64_t)cluster * fat->bits / 8;
        if (!get(fat->port, at, entry, size))
            return;
        uint32_t mask = mask_of(fat) << shift;
        st_le32(entry, (ld_le32(entry) & ~mask) | (next << shift & mask));
        (void)put(fat->port, at, entry, size);
    }
}

static uint64_t place_of(const struct fat *fat, uint32_t cluster)
{
    return fat->data + (uint64_t)(cluster - 2) * fat->unit;
}

/* The first free one behind `after`, which becomes the end of a chain; 0 when none is. */
static uint32_t take_cluster(const struct fat *fat, uint32_t after)
{
    for (uint32_t cluster = after + 1; cluster < fat->end; cluster++) {
        if (next_of(fat, cluster) == 0) {
            set_next(fat, cluster, mask_of(fat));
            return cluster;
        }
    }
    return 0;
}

static void free_chain(const struct fat *fat, uint32_t cluster)
{
    while (is_cluster(fat, cluster)) {
        uint32_t next = next_of(fat, cluster);
        set_next(fat, cluster, 0);
        cluster = next;
    }
}

/* Where the file's entry is in the root, or the first that is free; 0: it is full. */
static uint64_t find_slot(const struct fat *fat)
{
    uint32_t cluster = fat->root_cluster;
    uint64_t start = cluster == 0 ? fat->root : place_of(fat, cluster);
    uint32_t size = cluster == 0 ? fat->root_size : fat->unit;
    uint64_t unused = 0;

    while (true) {
        for (uint64_t at = start; at < start + size; at += SLOT) {
            uint8_t name[11];
            if (!get(fat->port, at, name, sizeof(name)))
                return 0;
            if (memcmp(name, NAME, sizeof(name)) == 0)
                return at;
            if (unused == 0 && (name[0] == 0 || name[0] == 0xe5))
                unused = at;
        }
        cluster = cluster == 0 ? 0 : next_of(fat, cluster);
        if (!is_cluster(fat, cluster))
            return unused;
        start = place_of(fat, cluster);
    }
}

/* What is there is written over, then clusters are added, or what is left is freed. */
static bool write_content(const struct fat *fat, const uint8_t *data, uint32_t size,
                          uint32_t *io_first)
{
    uint32_t cluster = *io_first;
    uint32_t last = 2;

    for (uint32_t done = 0; done < size; done += fat->unit) {
        if (!is_cluster(fat, cluster)) {
            cluster = take_cluster(fat, last);
            if (cluster == 0)
                return false;
            if (done == 0)
                *io_first = cluster;
            else
                set_next(fat, last, cluster);
        }
        uint32_t left = size - done;
        if (!put(fat->port, place_of(fat, cluster), data + done,
                 left < fat->unit ? left : fat->unit))
            return false;
        last = cluster;
        cluster = next_of(fat, cluster);
    }
    if (is_cluster(fat, cluster)) {
        free_chain(fat, cluster);
        set_next(fat, last, mask_of(fat));
    }
    return true;
}

static bool write_file(const struct fat *fat, const uint8_t *data, uint32_t size)
{
    uint8_t slot[SLOT] = {0};
    uint64_t at = find_slot(fat);

    if (at == 0 || !get(fat->port, at, slot, sizeof(slot)))
        return false;
    if (memcmp(slot, NAME, 11) != 0)
        memset(slot, 0, sizeof(slot));
    uint32_t first = (uint32_t)ld_le16(slot + 20) << 16 | ld_le16(slot + 26);
    if (!write_content(fat, data, size, &first))
        return false;
    memcpy(slot, NAME, 11);
    slot[12] = LOWER_CASE;
    st_le16(slot + 20, (uint16_t)(first >> 16));
    st_le16(slot + 26, (uint16_t)first);
    st_le32(slot + 28, size);
    return put(fat->port, at, slot, sizeof(slot));
}

/* --- The variables -------------------------------------------------------------------------- */

static size_t align(size_t size)
{
    return (size + 7) / 8 * 8;
}

static size_t packed_size(const struct mem_var *variable)
{
    return align(ENTRY + 2 * (strlen(variable->name) + 1) + variable->size);
}

static void pack(const struct mem_var *variable, uint8_t *at)
{
    st_le32(at, (uint32_t)variable->size);
    st_le32(at + 4, variable->attributes);
    memcpy(at + 16, variable->vendor.bytes, 16);
    at += ENTRY;
    for (const char *name = variable->name; *name != '\0'; name++, at += 2)
        *at = (uint8_t)*name;
    memcpy(at + 2, variable->data, variable->size);
}

static void save(const struct uboot_vars *vars)
{
    size_t size = HEADER;
    struct fat fat;
    size_t disk = 0;

    while (disk < vars->disk_count && !open_fat(&vars->disks[disk], &fat))
        disk++;
    if (disk == vars->disk_count)
        return;
    size_t count = mem_vars_count(vars->vars);
    for (size_t i = 0; i < count; i++) {
        const struct mem_var *variable = mem_vars_at(vars->vars, i);
        if ((variable->attributes & VAR_NON_VOLATILE) != 0)
            size += packed_size(variable);
    }
    uint8_t *file = host_alloc(size, 1);
    size_t used = HEADER;
    for (size_t i = 0; i < count; i++) {
        const struct mem_var *variable = mem_vars_at(vars->vars, i);
        if ((variable->attributes & VAR_NON_VOLATILE) == 0)
            continue;
        pack(variable, file + used);
        used += packed_size(variable);
    }
    st_le64(file + 8, MAGIC);
    st_le32(file + 16, (uint32_t)size);
    st_le32(file + 20, crc32_update(0, file + HEADER, size - HEADER));
    (void)write_file(&fat, file, (uint32_t)size);
    free(file);
}

/* The file, to be freed, and its size; NULL when there is none, or it cannot be read. */
static uint8_t *read_file(const struct fat *fat, size_t *ret_size)
{
    uint8_t slot[SLOT];
    uint64_t at = find_slot(fat);

    if (at == 0 || !get(fat->port, at, slot, sizeof(slot)) || memcmp(slot, NAME, 11) != 0)
        return NULL;
    size_t size = ld_le32(slot + 28);
    uint32_t cluster = (uint32_t)ld_le16(slot + 20) << 16 | ld_le16(slot + 26);
    uint8_t *file = host_alloc(size + fat->unit, 1);
    for (size_t done = 0; done < size; done += fat->unit) {
        if (!is_cluster(fat, cluster) ||
            !get(fat->port, place_of(fat, cluster), file + done, fat->unit)) {
            free(file);
            return NULL;
        }
        cluster = next_of(fat, cluster);
    }
    *ret_size = size;
    return file;
}

static bool is_whole(const uint8_t *file, size_t size)
{
    return size >= HEADER && ld_le64(file + 8) == MAGIC && ld_le32(file + 16) == size &&
           ld_le32(file + 20) == crc32_update(0, file + HEADER, size - HEADER);
}

/* Puts the variables of a file that is whole into the store. */
static void unpack(struct mem_vars *vars, const uint8_t *file, size_t size)
{
    for (size_t at = HEADER; at < size;) {
        const uint8_t *name = file + at + ENTRY;
        char text[64] = "";
        struct guid vendor;
        size_t length = 0;
        memcpy(vendor.bytes, file + at + 16, sizeof(vendor.bytes));
        for (; ld_le16(name + 2 * length) != 0 && length + 1 < sizeof(text); length++)
            text[length] = (char)name[2 * length];
        size_t data = ld_le32(file + at);
        mem_vars_put(vars, &vendor, text, ld_le32(file + at + 4), name + 2 * (length + 1), data);
        at += align(ENTRY + 2 * (length + 1) + data);
    }
}

void uboot_vars_start(struct uboot_vars *vars)
{
    uint8_t *file = NULL;
    size_t size = 0;
    struct fat fat;

    while (mem_vars_count(vars->vars) > 0) {
        const struct mem_var *first = mem_vars_at(vars->vars, 0);
        struct guid vendor = first->vendor;
        char *name = host_copy_text(first->name);
        mem_vars_drop(vars->vars, &vendor, name);
        free(name);
    }
    for (size_t i = 0; i < vars->disk_count && file == NULL; i++) {
        if (open_fat(&vars->disks[i], &fat))
            file = read_file(&fat, &size);
    }
    if (file != NULL && is_whole(file, size))
        unpack(vars->vars, file, size);
    free(file);
}

static enum status next(void *ctx, bool restart, struct var_id *ret_id)
{
    const struct uboot_vars *vars = ctx;

    return vars->inner.next(vars->inner.ctx, restart, ret_id);
}

static enum status get_variable(void *ctx, const struct guid *vendor, const char *name,
                                uint32_t *ret_attributes, void *ret_data, size_t size,
                                size_t *ret_size)
{
    const struct uboot_vars *vars = ctx;

    return vars->inner.get(vars->inner.ctx, vendor, name, ret_attributes, ret_data, size, ret_size);
}

static enum status set(void *ctx, const struct guid *vendor, const char *name, uint32_t attributes,
                       const void *data, size_t size)
{
    const struct uboot_vars *vars = ctx;
    enum status status = vars->inner.set(vars->inner.ctx, vendor, name, attributes, data, size);

    if (status == ST_OK)
        save(vars);
    return status;
}

static enum status space(void *ctx, struct var_space *ret_space)
{
    const struct uboot_vars *vars = ctx;

    return vars->inner.space(vars->inner.ctx, ret_space);
}

struct uboot_vars *uboot_vars_new(struct mem_vars *vars, const struct block_port *disks,
                                  size_t disk_count)
{
    struct uboot_vars *made = host_alloc(1, sizeof(*made));

    *made = (struct uboot_vars){vars, mem_vars_port(vars), disks, disk_count};
    return made;
}

void uboot_vars_free(struct uboot_vars *vars)
{
    free(vars);
}

struct vars_port uboot_vars_port(struct uboot_vars *vars)
{
    return (struct vars_port){vars, next, get_variable, set, space};
}
