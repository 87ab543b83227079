#include "unit/disk_machine_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "format/fat/fat.h"
#include "host/disk_path.h"
#include "host/host_alloc.h"
#include "unit/bytes_fixture.h"
#include "unit/disk_volumes_fixture.h"
#include "unit/fat_fixture.h"
#include "unit/ldm_fixture.h"
#include "unit/ntfs_fixture.h"
#include "unit/windows_fixture.h"

#define MIB          (1u << 20)
#define DISKS        2
#define BACKUP_BYTES 65536u /* behind everything, for the second copy of the table */
#define PAGE         4096u
#define GUID_TEXT    37
#define NAME_TEXT    40
#define STICK_BYTES  (30u * MIB)
#define ARENA        (48u * MIB)
#define MUI_BYTES    1500u
#define FONT_BYTES   3000u
#define FAT_UNUSED   0xe5u

struct disk_machine_shape disk_machine_usual(void)
{
    return (struct disk_machine_shape){.block_size = 512, .free_mib = 128, .languages = 3};
}

/* --- Where things are ----------------------------------------------------------------------- */

/* Clusters of one block: as many as FAT16 must have. */
static uint64_t esp_bytes(uint32_t block_size)
{
    return (block_size == 512 ? 4u : 18u) * MIB;
}

static uint64_t part_bytes(uint32_t block_size, enum disk_machine_part part)
{
    switch (part) {
    case PART_ESP:
        return esp_bytes(block_size);
    case PART_METADATA:
        return MIB;
    case PART_MSR:
        return esp_bytes(block_size) + 4u * MIB;
    default:
        return 2u * MIB;
    }
}

static uint64_t part_offset(uint32_t block_size, enum disk_machine_part part)
{
    uint64_t offset = MIB;

    for (int i = 0; i < (int)part; i++)
        offset += part_bytes(block_size, (enum disk_machine_part)i);
    return offset;
}

/* The partition's slot + 1 in the table. */
static uint32_t part_number(size_t disk, enum disk_machine_part part)
{
    static const uint32_t numbers[DISKS][DISK_MACHINE_PARTS] = {{1, 2, 3, 4}, {3, 2, 1, 4}};

    return numbers[disk][part];
}

static void make_guid(char ret_text[GUID_TEXT], unsigned kind, size_t disk)
{
    snprintf(ret_text, GUID_TEXT, "d15c%04x-%04x-4000-8000-0123456789ab", kind & 0xffff,
             (unsigned)disk & 0xffff);
}

struct host_partition disk_machine_place(const struct host *host, size_t disk,
                                         enum disk_machine_part part)
{
    uint32_t block_size = host->blocks[disk].block_size;
    struct host_partition place = {.disk = disk,
                                   .number = part_number(disk, part),
                                   .start = part_offset(block_size, part) / block_size,
                                   .size = part_bytes(block_size, part) / block_size};
    char guid[GUID_TEXT];

    make_guid(guid, part, disk);
    place.guid = fixture_guid(guid);
    return place;
}

static uint64_t place_offset(const struct host *host, size_t disk, enum disk_machine_part part)
{
    return part_offset(host->blocks[disk].block_size, part);
}

size_t disk_machine_stick(const struct host *host)
{
    struct files_port files = mem_files_port(host->files);

    for (size_t i = 0; i < files.volume_count; i++) {
        if (strcmp(files.volumes[i].alias, "STICK:") == 0)
            return i;
    }
    return FILES_NO_VOLUME;
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

static void add_filled(struct fat_fixture *fat, uint32_t parent, const char *name, uint32_t size,
                       unsigned seed)
{
    uint8_t *data = host_alloc(1, size);

    for (uint32_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i * 31u + seed * 7u + (i >> 8) + 1u);
    fat_fixture_add_file(fat, parent, name, data, size);
    free(data);
}

static void add_boot_files(struct fat_fixture *fat, unsigned languages)
{
    struct span manager = windows_manager();
    struct span store = windows_store();
    uint32_t efi = fat_fixture_add_directory(fat, 0, "EFI");
    uint32_t microsoft = fat_fixture_add_directory(fat, efi, "Microsoft");
    uint32_t boot = fat_fixture_add_directory(fat, microsoft, "Boot");
    uint32_t fallback = fat_fixture_add_directory(fat, efi, "BOOT");
    char name[NAME_TEXT];

    fat_fixture_add_file(fat, boot, "bootmgfw.efi", manager.at, (uint32_t)manager.size);
    fat_fixture_add_file(fat, boot, "BCD", store.at, (uint32_t)store.size);
    fat_fixture_add_file(fat, fallback, "BOOTX64.EFI", manager.at, (uint32_t)manager.size);
    for (unsigned i = 0; i < languages; i++) {
        snprintf(name, sizeof(name), "la-%02u", i);
        uint32_t folder = fat_fixture_add_directory(fat, boot, name);
        add_filled(fat, folder, "bootmgfw.efi.mui", MUI_BYTES, i);
    }
    uint32_t fonts = fat_fixture_add_directory(fat, boot, "Fonts");
    add_filled(fat, fonts, "wgl4_boot.ttf", FONT_BYTES, 99);
}

static void write_esp(struct host *host, size_t disk, unsigned languages)
{
    uint32_t block_size = host->blocks[disk].block_size;
    size_t size = (size_t)esp_bytes(block_size);
    uint8_t *image = host_alloc(1, size);
    struct fat_fixture fat;

    fat_fixture_format(&fat, image, size, 16, block_size, 1);
    image[0x27] = (uint8_t)(0x10 + disk); /* serial number */
    add_boot_files(&fat, languages);
    write_sparse(host->disks[disk], place_offset(host, disk, PART_ESP), image, size);
    free(image);
}

static struct ntfs_fixture *make_ntfs(const struct disk_machine_shape *wanted)
{
    struct ntfs_fixture_shape shape = ntfs_fixture_small();

    uint32_t block_size = wanted->block_size;

    if (wanted->windows_is_whole) {
        shape.manager =
            wanted->windows_manager.size > 0 ? wanted->windows_manager : windows_manager();
        shape.twin = wanted->windows_twin;
        shape.store = windows_template();
    }
    shape.extras = wanted->windows_extras;
    shape.extra_count = wanted->windows_extra_count;
    shape.sector_size = block_size;
    if (block_size == 4096)
        shape.cluster_size = 4096;
    shape.sectors = MIB / block_size - 1;
    return ntfs_fixture_new(&shape);
}

static void write_databases(struct host *host)
{
    static const char *const names[DISKS] = {"Disk1", "Disk2"};
    char guids[DISKS][GUID_TEXT];
    struct ldm_disk_spec disks[DISKS];
    struct ldm_extent_spec extents[DISKS];
    struct ldm_plex_spec plexes[DISKS];
    uint8_t *region = host_alloc(1, LDM_FIXTURE_BYTES);

    for (size_t i = 0; i < DISKS; i++) {
        struct host_partition data = disk_machine_place(host, i, PART_DATA);
        make_guid(guids[i], 0x10, i);
        disks[i] = (struct ldm_disk_spec){.guid = guids[i],
                                          .name = names[i],
                                          .public_start = data.start,
                                          .public_size = data.size,
                                          .private_start =
                                              disk_machine_place(host, i, PART_METADATA).start,
                                          .block_size = host->blocks[i].block_size};
        extents[i] = (struct ldm_extent_spec){.disk = i, .size = MIB / 512};
        plexes[i] = (struct ldm_plex_spec){.extents = &extents[i], .extent_count = 1};
    }
    const struct ldm_volume_spec volume = {.name = "Volume1",
                                           .guid = "d15c0020-0000-4000-8000-0123456789ab",
                                           .hint = "C:",
                                           .size = MIB / 512,
                                           .flags = 0x11,
                                           .plexes = plexes,
                                           .plex_count = DISKS};
    const struct ldm_group_spec group = {.guid = "d15c0021-0000-4000-8000-0123456789ab",
                                         .name = "Machine-Dg0",
                                         .transaction = 12,
                                         .disks = disks,
                                         .disk_count = DISKS,
                                         .volumes = &volume,
                                         .volume_count = 1};
    for (size_t i = 0; i < DISKS; i++) {
        ldm_group_build(&group, i, region);
        write_sparse(host->disks[i], place_offset(host, i, PART_METADATA), region,
                     LDM_FIXTURE_BYTES);
    }
    free(region);
}

/* Both plexes of the volume, and the databases that tell of them. */
static void write_mirror(struct host *host, const struct disk_machine_shape *shape)
{
    struct ntfs_fixture *ntfs = make_ntfs(shape);

    for (size_t i = 0; i < DISKS; i++)
        write_sparse(host->disks[i], place_offset(host, i, PART_DATA), ntfs->bytes, ntfs->size);
    ntfs_fixture_free(ntfs);
    write_databases(host);
}

/* --- The machine ---------------------------------------------------------------------------- */

static void add_disk(struct host *host, const struct disk_machine_shape *shape)
{
    static const char *const types[DISK_MACHINE_PARTS] = {TYPE_ESP, TYPE_LDM_METADATA, TYPE_MSR,
                                                          TYPE_LDM_DATA};
    struct fixture_partition partitions[DISK_MACHINE_PARTS];
    char guids[DISK_MACHINE_PARTS][GUID_TEXT];
    char disk_guid[GUID_TEXT];
    size_t disk = host->disk_count;
    size_t count = 0;
    uint64_t bytes = part_offset(shape->block_size, DISK_MACHINE_PARTS) +
                     (uint64_t)shape->free_mib * MIB + BACKUP_BYTES;

    for (int i = 0; i < DISK_MACHINE_PARTS; i++) {
        enum disk_machine_part part = (enum disk_machine_part)i;
        make_guid(guids[i], (unsigned)i, disk);
        if (part == PART_MSR && shape->no_msr)
            continue;
        partitions[count++] = (struct fixture_partition){
            .number = part_number(disk, part),
            .type = types[i],
            .unique = guids[i],
            .first = part_offset(shape->block_size, part) / shape->block_size,
            .blocks = part_bytes(shape->block_size, part) / shape->block_size,
            .name = "partition"};
    }
    make_guid(disk_guid, 0x11, disk);
    fixture_add_disk(host, disk == 0 ? DISK_NVME : DISK_AHCI, shape->block_size,
                     bytes / shape->block_size, disk_guid, partitions, count);
}

void disk_machine_add_stick(struct host *host)
{
    static const struct fixture_partition stick = {1,    TYPE_ESP, STICK_GUID,
                                                   2048, 60000,    "SHADOWBOOT"};
    uint8_t path[HOST_PARTITION_PATH_SIZE];
    size_t disk = fixture_add_disk(host, DISK_USB, 512, 65536,
                                   "c0c0c0c0-0000-4d00-8000-0123456789c0", &stick, 1);
    struct host_partition place = fixture_place(disk, &stick);
    size_t size = host_partition_path(host, &place, path);

    mem_block_set_removable(host->disks[disk], true);
    size_t volume = mem_files_add_volume(host->files, span_of(path, size), "STICK:", STICK_BYTES);
    mem_files_put(host->files, volume, "\\EFI\\BOOT\\BOOTX64.EFI", "stick", 5);
    mem_files_set_self(host->files, volume);
}

static void add_entry(struct host *host, uint16_t number, const char *description)
{
    struct fixture_entry entry = {.number = number,
                                  .description = description,
                                  .form = FIXTURE_SHORT,
                                  .partition = disk_machine_place(host, number, PART_ESP),
                                  .file = BOOTMGFW,
                                  .optional = FIXTURE_BCD,
                                  .options = FIXTURE_BOOTMGR_OBJECT};

    fixture_add_entry(host, &entry);
}

struct host *disk_machine_new(const struct disk_machine_shape *shape)
{
    static const uint16_t order[] = {0, 1};
    struct host *host = host_new();

    for (size_t i = 0; i < DISKS; i++) {
        add_disk(host, shape);
        write_esp(host, i, shape->languages);
    }
    write_mirror(host, shape);
    if (!shape->no_stick)
        disk_machine_add_stick(host);
    add_entry(host, 0, "Windows Boot Manager");
    add_entry(host, 1, "Boot Mirror");
    fixture_set_order(host, order, DISKS);
    disk_machine_follow(host);
    return host;
}

/* --- Volumes that follow the disks ---------------------------------------------------------- */

/* What is known while volumes are looked for. `old` is how they were before: files written through
 * the port are taken from there. */
struct follower {
    struct host *host;
    struct block_port block;
    struct arena *arena;
    struct mem_files *old;
    unsigned volumes;
};

/* Puts a file as the blocks have it; one that cannot be read is there and gives ST_IO. */
static void put_file(struct follower *follower, size_t volume, struct fat_volume *fat,
                     const struct fat_file *file)
{
    struct mem_files *files = follower->host->files;
    size_t room = (size_t)(file->size / fat->cluster_size + 1) * fat->cluster_size;
    uint8_t *data = host_alloc(1, room);
    struct fat_reader reader;
    enum status status = ST_OK;
    size_t used = 0;
    size_t got = 1;

    fat_reader_start(&reader, fat, file);
    while (got > 0 && status == ST_OK && used < file->size) {
        status = fat_reader_next(&reader, data + used, room - used, &got);
        used += status == ST_OK ? got : 0;
    }
    mem_files_put(files, volume, file->path, data, used);
    if (status != ST_OK)
        mem_files_spoil(files, volume, file->path);
    free(data);
}

static void put_files(struct follower *follower, size_t volume, struct fat_volume *fat)
{
    struct fat_report report;

    if (fat_check(follower->arena, fat, UINT64_MAX, &report) != ST_OK)
        host_fail("no memory to look at a file system");
    for (size_t i = 0; i < report.file_count; i++) {
        const struct fat_file *file = &report.files[i];
        if (!file->exact_name)
            continue;
        if (file->is_directory)
            mem_files_put_directory(follower->host->files, volume, file->path);
        else
            put_file(follower, volume, fat, file);
    }
}

/* The directory of journals as it was before the volumes were renewed. */
static void keep_journals(struct follower *follower, size_t volume, struct span path)
{
    static const char directory[] = "\\EFI\\shadowboot";
    struct files_port old = mem_files_port(follower->old);
    size_t from = mem_files_volume_at(follower->old, path);
    struct file_info info;
    char name[sizeof(directory) + FILE_NAME_SIZE];

    for (size_t i = 0;
         from != FILES_NO_VOLUME && old.list(old.ctx, from, directory, i, &info) == ST_OK; i++) {
        snprintf(name, sizeof(name), "%s\\%s", directory, info.name);
        struct span data = mem_files_find(follower->old, from, name);
        mem_files_put(follower->host->files, volume, name, data.at, data.size);
    }
}

static void found_partition(void *ctx, const struct hd_node *hd)
{
    struct follower *follower = ctx;
    struct mem_files *files = follower->host->files;
    uint64_t capacity = hd->size * follower->block.block_size;
    uint8_t path[DISK_VOLUME_PATH_SIZE];
    char alias[NAME_TEXT];
    struct fat_volume fat;

    if (hd->start >= follower->block.block_count ||
        fat_open(follower->arena, &follower->block, hd->start, hd->size, &fat) != ST_OK ||
        fat.from_backup)
        return;
    struct span whole = span_of(path, disk_volume_path(&follower->block, hd, path));
    snprintf(alias, sizeof(alias), "FS%u:", follower->volumes++);
    size_t volume = mem_files_add_volume(files, whole, alias, capacity);
    put_files(follower, volume, &fat);
    keep_journals(follower, volume, whole);
}

static bool is_on_a_disk(const struct host *host, struct span path)
{
    for (size_t i = 0; i < host->disk_count; i++) {
        if (!host->blocks[i].removable && disk_path_leads_through(path, host->blocks[i].path))
            return true;
    }
    return false;
}

/* Volumes that are on none of the disks, or on the stick, come back as they were. */
static void keep_others(struct follower *follower)
{
    struct mem_files *files = follower->host->files;
    struct files_port old = mem_files_port(follower->old);

    for (size_t i = 0; i < old.volume_count; i++) {
        if (!is_on_a_disk(follower->host, old.volumes[i].path))
            mem_files_copy_volume(files, follower->old, i);
    }
    if (old.self != FILES_NO_VOLUME)
        mem_files_set_self(files, mem_files_volume_at(files, old.volumes[old.self].path));
}

/* Not new each time: its pages cost more than most uses. */
static uint8_t *shared_memory(void)
{
    static uint8_t *memory;

    if (memory == NULL)
        memory = malloc(ARENA);
    if (memory == NULL)
        host_fail("no memory for a machine's volumes");
    return memory;
}

/* The block ports count as they are now: host_ports has made them. */
static enum status renew(struct host *host)
{
    struct follower follower = {.host = host, .old = mem_files_clone(host->files)};
    uint8_t *memory = shared_memory();
    struct arena arena;

    follower.arena = &arena;
    mem_files_clear(host->files);
    for (size_t i = 0; i < host->disk_count; i++) {
        follower.block = host->blocks[i];
        arena_init(&arena, memory, ARENA);
        if (!follower.block.removable)
            disk_volumes_find(&arena, &follower.block, found_partition, &follower);
    }
    keep_others(&follower);
    mem_files_free(follower.old);
    return ST_OK;
}

void disk_machine_restart(struct host *host)
{
    (void)host_ports(host);
    if (renew(host) != ST_OK)
        host_fail("volumes that cannot be renewed");
}

void disk_machine_follow(struct host *host)
{
    host->renewal = renew;
    disk_machine_restart(host);
}

/* --- Looking at an ESP ---------------------------------------------------------------------- */

/* The file system of a disk's ESP, opened and looked through. */
struct look {
    struct block_port block;
    uint8_t *memory;
    struct arena arena;
    struct fat_volume fat;
    struct fat_report report;
};

static enum status look_at(struct host *host, size_t disk, struct look *ret_look)
{
    struct host_partition esp = disk_machine_place(host, disk, PART_ESP);

    ret_look->block = mem_block_port(host->disks[disk]);
    ret_look->memory = host_borrow(ARENA);
    arena_init(&ret_look->arena, ret_look->memory, ARENA);
    enum status status =
        fat_open(&ret_look->arena, &ret_look->block, esp.start, esp.size, &ret_look->fat);
    if (status == ST_OK)
        status = fat_check(&ret_look->arena, &ret_look->fat, UINT64_MAX, &ret_look->report);
    return status;
}

uint8_t *disk_machine_file(struct host *host, size_t disk, const char *path, size_t *ret_size)
{
    struct look look;
    struct fat_reader reader;
    uint8_t *data = NULL;
    size_t got = 0;

    size_t file = look_at(host, disk, &look) == ST_OK ? fat_find(&look.report, path) : FAT_NO_FILE;
    if (file != FAT_NO_FILE && !look.report.files[file].is_directory) {
        size_t size = (size_t)look.report.files[file].size;
        size_t room = (size / look.fat.cluster_size + 1) * look.fat.cluster_size;
        data = host_alloc(1, room);
        fat_reader_start(&reader, &look.fat, &look.report.files[file]);
        for (size_t at = 0; at < size; at += got) {
            if (fat_reader_next(&reader, data + at, room - at, &got) != ST_OK || got == 0)
                break;
        }
        *ret_size = size;
    }
    host_return(look.memory);
    return data;
}

/* --- Damage to an ESP, through an image of it ----------------------------------------------- */

/* An ESP as the fixture made it, taken off its disk to be changed: FAT16, clusters of one block. */
struct esp_image {
    struct look look;
    uint8_t *bytes;
    uint64_t offset; /* on the disk */
    size_t size;
    struct mem_block *disk;
};

static struct esp_image take_esp(struct host *host, size_t disk)
{
    struct esp_image esp = {.disk = host->disks[disk]};

    if (look_at(host, disk, &esp.look) != ST_OK || esp.look.fat.type != FAT_16)
        host_fail("an ESP that is damaged already");
    esp.offset = place_offset(host, disk, PART_ESP);
    esp.size = (size_t)part_bytes(esp.look.block.block_size, PART_ESP);
    esp.bytes = host_alloc(1, esp.size);
    mem_block_peek(esp.disk, esp.offset, esp.bytes, esp.size);
    return esp;
}

static void put_esp(struct host *host, struct esp_image *esp)
{
    mem_block_write(esp->disk, esp->offset, esp->bytes, esp->size);
    free(esp->bytes);
    host_return(esp->look.memory);
    disk_machine_restart(host);
}

static uint8_t *link_of(const struct esp_image *esp, uint32_t copy, uint32_t cluster)
{
    return esp->bytes + esp->look.fat.fat_offset + copy * esp->look.fat.fat_bytes + cluster * 2u;
}

static uint8_t *cluster_of(const struct esp_image *esp, uint32_t cluster)
{
    return esp->bytes + esp->look.fat.data_offset +
           (uint64_t)(cluster - 2) * esp->look.fat.cluster_size;
}

static const struct fat_file *find_file(const struct esp_image *esp, const char *path)
{
    size_t file = fat_find(&esp->look.report, path);

    if (file == FAT_NO_FILE)
        host_fail("no such file on the ESP");
    return &esp->look.report.files[file];
}

/* The entry of a file: the one in its folder that leads to its first cluster. */
static uint8_t *entry_of(const struct esp_image *esp, const char *path)
{
    uint32_t first = find_file(esp, path)->first_cluster;
    char parent[FAT_PATH_MAX];

    snprintf(parent, sizeof(parent), "%.*s", (int)(strrchr(path, '\\') - path), path);
    uint32_t cluster = find_file(esp, parent)->first_cluster;
    while (cluster >= 2 && cluster < 0xfff8) {
        uint8_t *at = cluster_of(esp, cluster);
        for (uint32_t i = 0; i < esp->look.fat.cluster_size; i += 32) {
            if (at[i] != FAT_UNUSED && at[i + 11] != 0x0f && ld_le16(at + i + 26) == first)
                return at + i;
        }
        cluster = ld_le16(link_of(esp, 0, cluster));
    }
    host_fail("no entry for a file of the ESP");
}

static void free_chain(const struct esp_image *esp, uint32_t cluster)
{
    while (cluster >= 2 && cluster < 0xfff8) {
        uint32_t next = ld_le16(link_of(esp, 0, cluster));
        st_le16(link_of(esp, 0, cluster), 0);
        st_le16(link_of(esp, 1, cluster), 0);
        cluster = next;
    }
}

/* The path itself and, for a folder, what is in it. */
static bool is_under(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return strncasecmp(path, folder, length) == 0 && (path[length] == 0 || path[length] == '\\');
}

void disk_machine_delete(struct host *host, size_t disk, const char *path)
{
    struct esp_image esp = take_esp(host, disk);
    uint8_t *entry = entry_of(&esp, path);

    for (size_t i = 0; i < esp.look.report.file_count; i++) {
        if (is_under(esp.look.report.files[i].path, path))
            free_chain(&esp, esp.look.report.files[i].first_cluster);
    }
    do {
        *entry = FAT_UNUSED;
        entry -= 32;
    } while (entry[11] == 0x0f && *entry != FAT_UNUSED);
    put_esp(host, &esp);
}

void disk_machine_truncate(struct host *host, size_t disk, const char *path, uint32_t size)
{
    struct esp_image esp = take_esp(host, disk);

    fixture_store_le(entry_of(&esp, path) + 28, size, 4);
    put_esp(host, &esp);
}

void disk_machine_zero_file(struct host *host, size_t disk, const char *path)
{
    struct esp_image esp = take_esp(host, disk);
    uint32_t cluster = find_file(&esp, path)->first_cluster;

    while (cluster >= 2 && cluster < 0xfff8) {
        memset(cluster_of(&esp, cluster), 0, esp.look.fat.cluster_size);
        cluster = ld_le16(link_of(&esp, 0, cluster));
    }
    put_esp(host, &esp);
}

void disk_machine_change_end(struct host *host, size_t disk, const char *path)
{
    struct esp_image esp = take_esp(host, disk);
    const struct fat_file *file = find_file(&esp, path);
    uint32_t cluster = file->first_cluster;
    size_t last = (size_t)file->size - 1;

    for (; last >= esp.look.fat.cluster_size; last -= esp.look.fat.cluster_size)
        cluster = ld_le16(link_of(&esp, 0, cluster));
    cluster_of(&esp, cluster)[last] ^= 1;
    put_esp(host, &esp);
}

void disk_machine_break_fat(struct host *host, size_t disk, const char *path)
{
    struct esp_image esp = take_esp(host, disk);
    uint32_t cluster = find_file(&esp, path)->first_cluster;

    for (uint32_t copy = 0; copy < 2; copy++)
        st_le16(link_of(&esp, copy, cluster), 0xfff0);
    put_esp(host, &esp);
}

/* --- Damage to disks ------------------------------------------------------------------------ */

static void zero_range(struct host *host, size_t disk, uint64_t offset, uint64_t bytes)
{
    uint8_t *zeros = host_alloc(1, (size_t)bytes);

    mem_block_write(host->disks[disk], offset, zeros, (size_t)bytes);
    free(zeros);
    disk_machine_restart(host);
}

void disk_machine_zero(struct host *host, size_t disk, enum disk_machine_part part)
{
    zero_range(host, disk, place_offset(host, disk, part),
               part_bytes(host->blocks[disk].block_size, part));
}

void disk_machine_zero_boot_sector(struct host *host, size_t disk)
{
    zero_range(host, disk, place_offset(host, disk, PART_ESP), host->blocks[disk].block_size);
}

void disk_machine_zero_fats(struct host *host, size_t disk)
{
    struct esp_image esp = take_esp(host, disk);

    memset(link_of(&esp, 0, 0), 0, 2 * (size_t)esp.look.fat.fat_bytes);
    put_esp(host, &esp);
}

void disk_machine_blank(struct host *host, size_t disk)
{
    zero_range(host, disk, 0, host->blocks[disk].block_count * host->blocks[disk].block_size);
}

void disk_machine_drop_partition(struct host *host, size_t disk, enum disk_machine_part part)
{
    static const uint8_t unused[128];
    unsigned slot = part_number(disk, part) - 1;

    patch_entry(host, disk, PRIMARY, slot, 0, unused, sizeof(unused));
    patch_entry(host, disk, BACKUP, slot, 0, unused, sizeof(unused));
    disk_machine_restart(host);
}

void disk_machine_repeat_esp(struct host *host)
{
    struct host_partition esp = disk_machine_place(host, 0, PART_ESP);
    unsigned slot = part_number(1, PART_ESP) - 1;

    patch_entry(host, 1, PRIMARY, slot, 16, esp.guid.bytes, sizeof(esp.guid.bytes));
    patch_entry(host, 1, BACKUP, slot, 16, esp.guid.bytes, sizeof(esp.guid.bytes));
    disk_machine_restart(host);
}

void disk_machine_break_gpt(struct host *host, size_t disk, enum gpt_side side)
{
    flip_byte(host, disk, header_offset(host, disk, side) + 60);
    disk_machine_restart(host);
}

void disk_machine_drop_entry(struct host *host, uint16_t number)
{
    const struct mem_var *order = mem_vars_find(host->vars, NULL, "BootOrder");
    uint16_t kept[64];
    size_t count = 0;
    char name[16];

    for (size_t i = 0; order != NULL && i < order->size / 2; i++) {
        uint16_t one = ld_le16(order->data + 2 * i);
        if (one != number && count < 64)
            kept[count++] = one;
    }
    snprintf(name, sizeof(name), "Boot%04X", number);
    mem_vars_drop(host->vars, NULL, name);
    fixture_set_order(host, kept, count);
}
