#include "unit/cost_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "host/host_alloc.h"
#include "unit/disk_machine_fixture.h"
#include "unit/fat_fixture.h"
#include "unit/ldm_fixture.h"

#define MIB            (1u << 20)
#define GUID_TEXT      37
#define NAME_TEXT      40
#define PARTITIONS_MAX 128u
#define VOLUME_BYTES   (16u * MIB)
#define SMALL_BYTES    (1u * MIB) /* without `names` */
#define LANGUAGES      40u
#define FOLDER_FILES   100u
#define SMALL_FILE     100u
#define PAGE           4096u

struct cost_shape cost_usual(uint32_t block_size)
{
    return (struct cost_shape){.block_size = block_size,
                               .disks = 2,
                               .esps = 1,
                               .boot_files = true,
                               .ldm = true,
                               .volumes = 1,
                               .plexes = 2,
                               .filled = 1,
                               .names = 4000};
}

/* --- Content -------------------------------------------------------------------------------- */

/* Writes what is not zero: memory disks read as zero where nothing was written. */
static void write_sparse(struct mem_block *disk, uint64_t offset, const uint8_t *data, size_t size)
{
    static const uint8_t zeros[PAGE];

    for (size_t at = 0; at < size; at += PAGE) {
        size_t part = size - at < PAGE ? size - at : PAGE;
        if (memcmp(data + at, zeros, part) != 0)
            mem_block_write(disk, offset + at, data + at, part);
    }
}

/* A file of zeros, which takes clusters and no memory; gives its first cluster. */
static uint32_t add_zeros(struct fat_fixture *fat, uint32_t parent, const char *name, uint32_t size)
{
    uint32_t count = (size + fat->cluster_size - 1) / fat->cluster_size;
    uint32_t first = fat_fixture_take(fat, count);

    fat_fixture_add(fat, parent, name, 0x20, first, size);
    return first;
}

/* 40 folders of languages with three files each, fonts, programs and a store. */
static void add_boot_files(struct fat_fixture *fat, uint32_t efi)
{
    uint32_t microsoft = fat_fixture_add_directory(fat, efi, "Microsoft");
    uint32_t boot = fat_fixture_add_directory(fat, microsoft, "Boot");
    uint32_t fonts = fat_fixture_add_directory(fat, boot, "Fonts");
    char name[NAME_TEXT];

    add_zeros(fat, boot, "bootmgfw.efi", 3 * MIB / 2);
    add_zeros(fat, boot, "bootmgr.efi", 3 * MIB / 2);
    add_zeros(fat, boot, "memtest.efi", MIB);
    add_zeros(fat, boot, "BCD", 32768);
    for (unsigned i = 0; i < LANGUAGES; i++) {
        snprintf(name, sizeof(name), "la-%02u", i);
        uint32_t folder = fat_fixture_add_directory(fat, boot, name);
        add_zeros(fat, folder, "bootmgfw.efi.mui", 40000);
        add_zeros(fat, folder, "bootmgr.efi.mui", 40000);
        add_zeros(fat, folder, "memtest.efi.mui", 22000);
    }
    for (unsigned i = 0; i < 15; i++) {
        snprintf(name, sizeof(name), "font_%02u_boot.ttf", i);
        add_zeros(fat, fonts, name, 100000);
    }
    uint32_t fallback = fat_fixture_add_directory(fat, efi, "BOOT");
    add_zeros(fat, fallback, "BOOTX64.EFI", 3 * MIB / 2);
}

static void add_small_files(struct fat_fixture *fat, uint32_t efi, unsigned count)
{
    uint32_t folder = 0;
    char name[NAME_TEXT];

    for (unsigned i = 0; i < count; i++) {
        if (i % FOLDER_FILES == 0) {
            snprintf(name, sizeof(name), "folder %u", i / FOLDER_FILES);
            folder = fat_fixture_add_directory(fat, efi, name);
        }
        snprintf(name, sizeof(name), "a file with number %05u.bin", i);
        add_zeros(fat, folder, name, SMALL_FILE);
    }
}

static uint64_t esp_bytes(const struct cost_shape *shape)
{
    uint64_t usual = shape->block_size == 4096 ? 260 : 100;

    return (shape->esp_mib != 0 ? shape->esp_mib : usual) * MIB;
}

/* Memory of zeros that is used once more, since that is less work than new one. */
static struct {
    uint8_t *at;
    size_t size;
} blanks[2];

static uint8_t *take_blank(size_t size)
{
    size_t i = blanks[0].size < size && blanks[1].size >= size ? 1 : 0;
    uint8_t *at = blanks[i].size < size ? host_alloc(1, size) : blanks[i].at;

    if (at != blanks[i].at)
        free(blanks[i].at);
    blanks[i].at = NULL;
    blanks[i].size = 0;
    return at;
}

/* Of which the first `used` bytes are no zeros any more. */
static void give_back(uint8_t *at, size_t size, size_t used)
{
    size_t i = blanks[0].at == NULL ? 0 : 1;

    memset(at, 0, used);
    blanks[i].at = at;
    blanks[i].size = size;
}

/* FAT32, in a blank. Behind the first `*ret_used` bytes all is zero. */
static uint8_t *make_esp(const struct cost_shape *shape, size_t *ret_used)
{
    uint64_t size = esp_bytes(shape);
    uint8_t *image = take_blank(size);
    struct fat_fixture fat;
    char name[NAME_TEXT];
    uint32_t usual = shape->block_size < 1024 ? 2 : 1;
    uint32_t clusters = shape->cluster != 0 ? shape->cluster : usual;

    fat_fixture_format(&fat, image, size, 32, shape->block_size, clusters);
    uint32_t efi = fat_fixture_add_directory(&fat, 0, "EFI");
    if (shape->boot_files)
        add_boot_files(&fat, efi);
    add_small_files(&fat, efi, shape->files);
    for (unsigned i = 0; i < shape->large; i++) {
        snprintf(name, sizeof(name), "large %u.bin", i);
        add_zeros(&fat, efi, name, COST_LARGE_FILE);
    }
    *ret_used = (size_t)(fat.data_offset + (uint64_t)(fat.next_cluster - 2) * fat.cluster_size);
    return image;
}

static uint64_t volume_bytes(const struct cost_shape *shape)
{
    return shape->names > 0 ? VOLUME_BYTES : SMALL_BYTES;
}

/* The worst that Windows does: $MFT and the index of System32 in pieces told by other records. */
static struct ntfs_fixture *make_ntfs(const struct cost_shape *shape)
{
    struct ntfs_fixture_shape ntfs = ntfs_fixture_small();

    ntfs.sector_size = shape->block_size;
    if (shape->names > 0 || shape->block_size == 4096)
        ntfs.cluster_size = 4096;
    ntfs.names = shape->names > 0 ? shape->names : ntfs.names;
    ntfs.sectors = volume_bytes(shape) / shape->block_size - 1;
    ntfs.split_mft = true;
    ntfs.split_index = true;
    return ntfs_fixture_new(&ntfs);
}

/* --- Disks ---------------------------------------------------------------------------------- */

/* Where things lie on every disk, in bytes. */
struct layout {
    uint64_t esp, metadata, data, data_bytes, plain, end;
};

/* Volumes of which a piece may be on one disk. */
static size_t pieces_of_a_disk(const struct cost_shape *shape)
{
    return (shape->volumes * shape->plexes + shape->disks - 1) / shape->disks + 1;
}

static struct layout lay_out(const struct cost_shape *shape)
{
    struct layout layout = {.esp = MIB};

    layout.metadata = layout.esp + shape->esps * esp_bytes(shape);
    layout.data = layout.metadata + MIB;
    layout.data_bytes = pieces_of_a_disk(shape) * volume_bytes(shape);
    layout.plain = layout.data + layout.data_bytes;
    layout.end = layout.plain + shape->plain * volume_bytes(shape) + MIB;
    return layout;
}

/* The table of a disk in the making. */
struct table {
    uint32_t block_size;
    size_t disk;
    size_t count;
    struct fixture_partition partitions[PARTITIONS_MAX];
    char guids[PARTITIONS_MAX][GUID_TEXT];
};

static void make_guid(char ret_text[GUID_TEXT], unsigned kind, size_t disk, size_t number)
{
    snprintf(ret_text, GUID_TEXT, "c057%04x-%04x-4000-8000-00000000%04x", kind & 0xffff,
             (unsigned)disk & 0xffff, (unsigned)number & 0xffff);
}

static void add_partition(struct table *table, const char *type, uint64_t offset, uint64_t bytes)
{
    size_t index = table->count++;

    if (index == PARTITIONS_MAX)
        host_fail("cost_fixture: too many partitions");
    make_guid(table->guids[index], 1, table->disk, index);
    table->partitions[index] = (struct fixture_partition){.number = (uint32_t)index + 1,
                                                          .type = type,
                                                          .unique = table->guids[index],
                                                          .first = offset / table->block_size,
                                                          .blocks = bytes / table->block_size,
                                                          .name = "part"};
}

static void add_disk(struct host *host, const struct cost_shape *shape)
{
    static struct table table;
    struct layout layout = lay_out(shape);
    char guid[GUID_TEXT];

    table.block_size = shape->block_size;
    table.disk = host->disk_count;
    table.count = 0;
    for (size_t i = 0; i < shape->esps; i++)
        add_partition(&table, TYPE_ESP, layout.esp + i * esp_bytes(shape), esp_bytes(shape));
    if (shape->ldm) {
        add_partition(&table, TYPE_LDM_METADATA, layout.metadata, MIB);
        add_partition(&table, TYPE_LDM_DATA, layout.data, layout.data_bytes);
    }
    for (size_t i = 0; i < shape->plain; i++)
        add_partition(&table, TYPE_BASIC_DATA, layout.plain + i * volume_bytes(shape),
                      volume_bytes(shape));
    make_guid(guid, 2, table.disk, 0);
    fixture_add_disk(host, DISK_NVME, shape->block_size, layout.end / shape->block_size, guid,
                     table.partitions, table.count);
}

/* --- Volumes -------------------------------------------------------------------------------- */

struct group {
    struct ldm_disk_spec disks[COST_DISKS_MAX];
    char disk_guids[COST_DISKS_MAX][GUID_TEXT];
    char disk_names[COST_DISKS_MAX][NAME_TEXT];
    struct ldm_volume_spec *volumes;
    struct ldm_plex_spec *plexes;
    struct ldm_extent_spec *extents;
    char (*volume_guids)[GUID_TEXT];
    char (*volume_names)[NAME_TEXT];
};

static struct group *group_new(const struct cost_shape *shape)
{
    struct group *group = host_alloc(1, sizeof(*group));
    size_t pieces = shape->volumes * shape->plexes;

    group->volumes = host_alloc(shape->volumes, sizeof(*group->volumes));
    group->plexes = host_alloc(pieces, sizeof(*group->plexes));
    group->extents = host_alloc(pieces, sizeof(*group->extents));
    group->volume_guids = host_alloc(shape->volumes, sizeof(*group->volume_guids));
    group->volume_names = host_alloc(shape->volumes, sizeof(*group->volume_names));
    return group;
}

static void group_free(struct group *group)
{
    free(group->volumes);
    free(group->plexes);
    free(group->extents);
    free(group->volume_guids);
    free(group->volume_names);
    free(group);
}

static void describe_disks(const struct cost_shape *shape, struct group *group)
{
    struct layout layout = lay_out(shape);

    for (size_t i = 0; i < shape->disks; i++) {
        make_guid(group->disk_guids[i], 3, i, 0);
        snprintf(group->disk_names[i], NAME_TEXT, "Disk%zu", i + 1);
        group->disks[i] =
            (struct ldm_disk_spec){.guid = group->disk_guids[i],
                                   .name = group->disk_names[i],
                                   .public_start = layout.data / shape->block_size,
                                   .public_size = layout.data_bytes / shape->block_size,
                                   .private_start = layout.metadata / shape->block_size,
                                   .block_size = shape->block_size};
    }
}

/* Where plex `plex` of a volume is: which disk, and which piece on that, from 0. */
static size_t disk_of(const struct cost_shape *shape, size_t volume, size_t plex)
{
    return (volume * shape->plexes + plex) % shape->disks;
}

static size_t place_of(const struct cost_shape *shape, size_t volume, size_t plex)
{
    return (volume * shape->plexes + plex) / shape->disks;
}

static void describe_volume(const struct cost_shape *shape, struct group *group, size_t volume)
{
    size_t first = volume * shape->plexes;
    uint64_t sectors = volume_bytes(shape) / 512;

    make_guid(group->volume_guids[volume], 4, 0, volume);
    snprintf(group->volume_names[volume], NAME_TEXT, "Volume%zu", volume + 1);
    for (size_t i = 0; i < shape->plexes; i++) {
        group->extents[first + i] =
            (struct ldm_extent_spec){.disk = disk_of(shape, volume, i),
                                     .start = place_of(shape, volume, i) * sectors,
                                     .size = sectors};
        group->plexes[first + i] =
            (struct ldm_plex_spec){.extents = &group->extents[first + i], .extent_count = 1};
    }
    group->volumes[volume] = (struct ldm_volume_spec){.name = group->volume_names[volume],
                                                      .guid = group->volume_guids[volume],
                                                      .size = sectors,
                                                      .flags = 0x11,
                                                      .plexes = &group->plexes[first],
                                                      .plex_count = shape->plexes};
}

static void write_databases(struct host *host, const struct cost_shape *shape)
{
    struct group *group = group_new(shape);
    uint8_t *region = host_alloc(1, LDM_FIXTURE_BYTES);
    char guid[GUID_TEXT];

    make_guid(guid, 5, 0, 0);
    const struct ldm_group_spec spec = {.guid = guid,
                                        .name = "Cost-Dg0",
                                        .transaction = 12,
                                        .disks = group->disks,
                                        .disk_count = shape->disks,
                                        .volumes = group->volumes,
                                        .volume_count = shape->volumes};
    describe_disks(shape, group);
    for (size_t i = 0; i < shape->volumes; i++)
        describe_volume(shape, group, i);
    for (size_t i = 0; i < shape->disks; i++) {
        ldm_group_build(&spec, i, region);
        write_sparse(host->disks[i], lay_out(shape).metadata, region, LDM_FIXTURE_BYTES);
    }
    free(region);
    group_free(group);
}

static void write_volumes(struct host *host, const struct cost_shape *shape)
{
    struct layout layout = lay_out(shape);
    struct ntfs_fixture *ntfs = make_ntfs(shape);

    for (size_t i = 0; i < shape->filled; i++) {
        for (size_t j = 0; j < shape->plexes; j++)
            write_sparse(host->disks[disk_of(shape, i, j)],
                         layout.data + place_of(shape, i, j) * volume_bytes(shape), ntfs->bytes,
                         ntfs->size);
    }
    for (size_t i = 0; i < shape->disks * shape->plain; i++)
        write_sparse(host->disks[i % shape->disks],
                     layout.plain + i / shape->disks * volume_bytes(shape), ntfs->bytes,
                     ntfs->size);
    ntfs_fixture_free(ntfs);
}

static void write_esps(struct host *host, const struct cost_shape *shape)
{
    struct layout layout = lay_out(shape);
    size_t used = 0;
    uint8_t *esp = make_esp(shape, &used);

    struct cost_shape bare = *shape;
    size_t bare_used = 0;
    uint8_t *empty = NULL;

    bare.boot_files = false;
    bare.files = bare.large = 0;
    if (shape->first_only)
        empty = make_esp(&bare, &bare_used);
    for (size_t i = 0; i < shape->disks * shape->esps; i++) {
        bool is_empty = empty != NULL && i % shape->disks != 0;
        write_sparse(host->disks[i % shape->disks],
                     layout.esp + i / shape->disks * esp_bytes(shape), is_empty ? empty : esp,
                     is_empty ? bare_used : used);
    }
    give_back(esp, esp_bytes(shape), used);
    if (empty != NULL)
        give_back(empty, esp_bytes(shape), bare_used);
}

struct host *cost_machine(const struct cost_shape *shape)
{
    struct host *host = host_new();

    for (size_t i = 0; i < shape->disks; i++)
        add_disk(host, shape);
    if (!shape->blank)
        write_esps(host, shape);
    if (shape->ldm)
        write_databases(host, shape);
    if (shape->filled + shape->plain > 0)
        write_volumes(host, shape);
    return host;
}

/* --- The cost ------------------------------------------------------------------------------- */

/* The ports with each disk counted by itself. */
static struct ports count_each(struct arena *arena, const struct ports *ports,
                               struct port_counts *counts)
{
    struct block_port *disks = arena_alloc(arena, ports->disk_count, sizeof(*disks));
    struct ports each = *ports;

    for (size_t i = 0; i < ports->disk_count; i++) {
        struct ports *one = arena_alloc(arena, 1, sizeof(*one));
        struct ports counted;
        if (disks == NULL || one == NULL)
            host_fail("cost_fixture: out of memory");
        *one = *ports;
        one->disks = &ports->disks[i];
        one->disk_count = 1;
        if (ports_count(arena, one, &counts[i], &counted) != ST_OK)
            host_fail("cost_fixture: out of memory");
        disks[i] = counted.disks[0];
    }
    each.disks = disks;
    return each;
}

static void add_counts(struct cost *cost, const struct port_counts *counts)
{
    cost->counts.block_reads += counts->block_reads;
    cost->counts.block_read_bytes += counts->block_read_bytes;
    if (counts->block_read_bytes > cost->most_bytes)
        cost->most_bytes = counts->block_read_bytes;
}

static void add_esp(struct cost *cost, const struct esp *esp)
{
    cost->esps++;
    cost->incomplete += !esp->report.complete;
    cost->esp_items += esp->report.file_count;
    cost->stores += esp->store_status == ST_OK;
    if (esp->report.complete)
        cost->used_bytes += fat_used_bytes(&esp->volume, &esp->report);
    for (size_t i = 0; i < esp->report.file_count; i++)
        cost->esp_files += !esp->report.files[i].is_directory;
}

static void add_copies(struct cost *cost, const struct machine *machine)
{
    cost->volumes = machine->volumes.volume_count;
    cost->copies = machine->copy_count;
    for (size_t i = 0; i < machine->copy_count; i++) {
        cost->looked += machine->copies[i].looked;
        cost->windows +=
            machine->copies[i].looked && system_copy_windows(&machine->copies[i]) == ST_OK;
    }
}

struct cost cost_of_scan(struct host *host, enum scan_depth depth)
{
    static struct port_counts counts[COST_DISKS_MAX];
    static uint8_t wrappers[COST_DISKS_MAX * 1024];
    struct cost cost = {.memory = 0};
    uint8_t *memory = host_borrow(COST_ARENA);
    struct arena wrapping;
    struct arena arena;
    struct machine machine;

    memset(counts, 0, sizeof(counts));
    arena_init(&wrapping, wrappers, sizeof(wrappers));
    arena_init(&arena, memory, COST_ARENA);
    struct ports ports = count_each(&wrapping, host_ports(host), counts);
    if (scan_machine(&arena, &ports, depth, &machine) != ST_OK)
        host_fail("cost_fixture: the scan ran out of memory");
    for (size_t i = 0; i < ports.disk_count; i++)
        add_counts(&cost, &counts[i]);
    for (size_t i = 0; i < machine.esp_count; i++)
        add_esp(&cost, &machine.esps[i]);
    add_copies(&cost, &machine);
    cost.memory = arena.peak;
    host_return(memory);
    return cost;
}

struct host *cost_copy_machine(void)
{
    static const struct cost_shape shape = {.block_size = 512,
                                            .disks = 2,
                                            .esps = 1,
                                            .esp_mib = 260,
                                            .cluster = 8,
                                            .first_only = true,
                                            .boot_files = true};
    struct host *host = cost_machine(&shape);

    disk_machine_add_stick(host);
    return host;
}

struct port_counts cost_of_command(struct host *host, const char *line)
{
    static uint8_t wrappers[COST_DISKS_MAX * 1024];
    struct port_counts counts = {.block_reads = 0};
    struct arena wrapping;
    struct ports counted;

    arena_init(&wrapping, wrappers, sizeof(wrappers));
    if (ports_count(&wrapping, host_ports(host), &counts, &counted) != ST_OK ||
        fixture_run_in(&counted, line, 2 * COST_ARENA) != 0)
        host_fail(host_console_text(host->console));
    return counts;
}

struct cost cost_of(const struct cost_shape *shape, enum scan_depth depth)
{
    struct host *host = cost_machine(shape);
    struct cost cost = cost_of_scan(host, depth);

    host_free(host);
    return cost;
}
