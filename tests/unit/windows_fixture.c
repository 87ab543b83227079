#include "unit/windows_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "host/host_alloc.h"
#include "unit/bytes_fixture.h"
#include "unit/fat_fixture.h"
#include "unit/store_fixture.h"
#include "unit/ldm_fixture.h"
#include "unit/ntfs_fixture.h"
#include "unit/pe_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define BLOCK         512u
#define DISK_BLOCKS   24576u
#define ESP_FIRST     2048u
#define ESP_BLOCKS    8192u
#define PRIVATE_FIRST 10240u
#define DATA_FIRST    12288u
#define DATA_BLOCKS   8192u
#define HIVE_SIZE     8192u

/* The object that a new loader is made after: https://github.com/mattifestation/BCD */
#define LOADER_TEMPLATE "{b012b84d-c47c-4ed5-b722-c0c42163e569}"

static const struct fixture_partition tables[2][3] = {
    {{1, TYPE_ESP, WINDOWS_ESP_0, ESP_FIRST, ESP_BLOCKS, "EFI system partition"},
     {2, TYPE_LDM_METADATA, "77777777-0000-4b02-8001-0123456789a0", PRIVATE_FIRST,
      LDM_FIXTURE_BLOCKS, "LDM metadata partition"},
     {3, TYPE_LDM_DATA, "77777777-0000-4b03-8001-0123456789a0", DATA_FIRST, DATA_BLOCKS,
      "LDM data partition"}},
    {{1, TYPE_ESP, WINDOWS_ESP_1, ESP_FIRST, ESP_BLOCKS, "EFI system partition"},
     {2, TYPE_LDM_METADATA, "77777777-0001-4b02-8001-0123456789a1", PRIVATE_FIRST,
      LDM_FIXTURE_BLOCKS, "LDM metadata partition"},
     {3, TYPE_LDM_DATA, "77777777-0001-4b03-8001-0123456789a1", DATA_FIRST, DATA_BLOCKS,
      "LDM data partition"}},
};

/* Writes what is not zero: memory disks read as zero where nothing was written. */
static void write_sparse(struct mem_block *disk, uint64_t lba, const uint8_t *data, size_t size)
{
    static const uint8_t zeros[BLOCK];

    for (size_t at = 0; at < size; at += BLOCK) {
        size_t part = size - at < BLOCK ? size - at : BLOCK;
        if (memcmp(data + at, zeros, part) != 0)
            mem_block_write(disk, lba * BLOCK + at, data + at, part);
    }
}

/* --- ESPs ----------------------------------------------------------------------------------- */

struct span windows_manager(void)
{
    static uint8_t bytes[65536];
    static size_t size;

    if (size == 0) {
        struct pe_recipe recipe = pe_recipe_usual();
        struct pe_image image = {.bytes = NULL};
        recipe.signature = SIGNED_SHA256;
        recipe.checksum = true;
        image = pe_image_build(&recipe);
        if (image.size > sizeof(bytes))
            host_fail("a boot manager that is too large for the fixture");
        memcpy(bytes, image.bytes, image.size);
        size = image.size;
        pe_image_free(&image);
    }
    return span_of(bytes, size);
}

struct span windows_store(void)
{
    static uint8_t bytes[HIVE_SIZE];
    static size_t size;

    if (size == 0) {
        struct store_fixture *store = host_alloc(1, sizeof(*store));
        store_fixture_usual(store, NULL, 0);
        size = store_fixture_write(store, bytes, sizeof(bytes));
        free(store);
    }
    return span_of(bytes, size);
}

struct span windows_template(void)
{
    static uint8_t bytes[HIVE_SIZE];
    static size_t size;

    if (size == 0) {
        struct store_fixture *store = host_alloc(1, sizeof(*store));
        store_fixture_start(store);
        (void)store_fixture_object(store, STORE_MANAGER, STORE_TYPE_MANAGER);
        size_t loader = store_fixture_object(store, LOADER_TEMPLATE, STORE_TYPE_LOADER);
        store_fixture_string(store, loader, "42000002", "\\system32\\winload.efi");
        store_fixture_string(store, loader, "22000002", "\\windows");
        size = store_fixture_write(store, bytes, sizeof(bytes));
        free(store);
    }
    return span_of(bytes, size);
}

/* With `manager` as boot manager, `fallback` as BOOTX64.EFI and `store` as BCD. */
static void write_esp(struct host *host, size_t disk, struct span manager, struct span fallback,
                      struct span store)
{
    uint8_t *image = host_alloc(ESP_BLOCKS, BLOCK);
    struct fat_fixture fat;

    fat_fixture_format(&fat, image, ESP_BLOCKS * BLOCK, 16, BLOCK, 1);
    image[0x27] = (uint8_t)(0x10 + disk); /* serial number */
    uint32_t efi = fat_fixture_add_directory(&fat, 0, "EFI");
    uint32_t microsoft = fat_fixture_add_directory(&fat, efi, "Microsoft");
    uint32_t boot = fat_fixture_add_directory(&fat, microsoft, "Boot");
    uint32_t fallbacks = fat_fixture_add_directory(&fat, efi, "BOOT");
    fat_fixture_add_file(&fat, boot, "bootmgfw.efi", manager.at, (uint32_t)manager.size);
    fat_fixture_add_file(&fat, boot, "BCD", store.at, (uint32_t)store.size);
    fat_fixture_add_file(&fat, fallbacks, "BOOTX64.EFI", fallback.at, (uint32_t)fallback.size);
    mem_block_write(host->disks[disk], ESP_FIRST * BLOCK, image, ESP_BLOCKS * BLOCK);
    free(image);
}

static void write_good_esp(struct host *host, size_t disk)
{
    write_esp(host, disk, windows_manager(), windows_manager(), windows_store());
}

/* The firmware's view of the same files. */
static void add_volume(struct host *host, size_t disk)
{
    static const char *const files[] = {BOOTMGFW, WINDOWS_STORE, WINDOWS_FALLBACK};
    struct host_partition place = fixture_place(disk, &tables[disk][0]);
    size_t volume = host_add_volume(host, &place, ESP_BLOCKS * BLOCK);

    for (size_t i = 0; i < COUNT_OF(files); i++)
        mem_files_put(host->files, volume, files[i], files[i], strlen(files[i]));
}

/* --- Volumes -------------------------------------------------------------------------------- */

static void write_databases(struct host *host, uint64_t volume_blocks)
{
    struct ldm_fixture ldm = ldm_fixture_default();
    uint8_t *region = host_alloc(1, LDM_FIXTURE_BYTES);

    ldm.size = volume_blocks;
    ldm.drive_hint = "C:";
    for (size_t i = 0; i < LDM_FIXTURE_DISKS; i++) {
        ldm.disks[i].public_start = DATA_FIRST;
        ldm.disks[i].public_size = DATA_BLOCKS;
        ldm.disks[i].private_start = PRIVATE_FIRST;
        ldm.disks[i].start = 0;
    }
    for (size_t i = 0; i < LDM_FIXTURE_DISKS; i++) {
        ldm_fixture_build(&ldm, i, region);
        write_sparse(host->disks[i], PRIVATE_FIRST, region, LDM_FIXTURE_BYTES);
    }
    free(region);
}

/* Both plexes of the volume, and the databases that tell of them. */
static void write_mirror(struct host *host)
{
    struct ntfs_fixture_shape shape = ntfs_fixture_small();
    struct ntfs_fixture *ntfs = ntfs_fixture_new(&shape);

    for (size_t i = 0; i < 2; i++)
        write_sparse(host->disks[i], DATA_FIRST, ntfs->bytes, ntfs->size);
    write_databases(host, ntfs_fixture_blocks(ntfs));
    ntfs_fixture_free(ntfs);
}

/* --- The machine ---------------------------------------------------------------------------- */

static void add_entry(struct host *host, uint16_t number, const char *description)
{
    struct fixture_entry entry = {.number = number,
                                  .description = description,
                                  .form = FIXTURE_SHORT,
                                  .partition = fixture_place(number, &tables[number][0]),
                                  .file = BOOTMGFW,
                                  .optional = FIXTURE_BCD,
                                  .options = FIXTURE_BOOTMGR_OBJECT};

    fixture_add_entry(host, &entry);
}

struct host *windows_machine(void)
{
    static const char *const guids[] = {"77777777-0000-4d00-8000-0123456789a0",
                                        "77777777-0001-4d00-8000-0123456789a1"};
    static const uint16_t order[] = {0, 1};
    struct host *host = host_new();

    for (size_t i = 0; i < 2; i++) {
        fixture_add_disk(host, DISK_AHCI, BLOCK, DISK_BLOCKS, guids[i], tables[i],
                         COUNT_OF(tables[i]));
        write_good_esp(host, i);
        add_volume(host, i);
    }
    write_mirror(host);
    mem_files_set_self(host->files, 0);
    add_entry(host, 0, "Windows Boot Manager");
    add_entry(host, 1, "Boot Mirror");
    fixture_set_order(host, order, 2);
    return host;
}

/* --- Ways to break it ----------------------------------------------------------------------- */

void windows_break_store(struct host *host, size_t disk)
{
    write_esp(host, disk, windows_manager(), windows_manager(), span_of("no hive at all", 14));
}

void windows_move_system(struct host *host, size_t disk)
{
    static const uint8_t root[] = {'\\', 0,   'W', 0,   'i', 0,   'n', 0, 'd',
                                   0,    'o', 0,   'w', 0,   's', 0,   0, 0};
    struct span good = windows_store();
    uint8_t *bytes = host_alloc(1, good.size);

    memcpy(bytes, good.at, good.size);
    for (size_t i = 0; i + sizeof(root) <= good.size; i++) {
        if (memcmp(bytes + i, root, sizeof(root)) == 0)
            bytes[i + 2] = 'X';
    }
    write_esp(host, disk, windows_manager(), windows_manager(), span_of(bytes, good.size));
    free(bytes);
}

void windows_break_manager(struct host *host, size_t disk)
{
    struct span good = windows_manager();
    struct pe_recipe recipe = pe_recipe_usual();
    struct pe_image other = pe_image_build(&recipe);
    uint8_t *broken = host_alloc(1, good.size);

    memcpy(broken, good.at, good.size);
    memset(broken + 0x1000, 0, 0x1000);
    write_esp(host, disk, span_of(broken, good.size), span_of(other.bytes, other.size),
              windows_store());
    pe_image_free(&other);
    free(broken);
}

void windows_drop_shadow_entry(struct host *host)
{
    mem_vars_drop(host->vars, NULL, "Boot0001");
    fixture_set_order(host, (uint16_t[]){0}, 1);
}

void windows_encrypt(struct host *host, size_t disk)
{
    struct ntfs_fixture_shape shape = ntfs_fixture_small();
    uint8_t block[BLOCK] = {0xeb, 0x58, 0x90, '-', 'F', 'V', 'E', '-', 'F', 'S', '-'};
    static const uint8_t zeros[BLOCK];

    block[510] = 0x55;
    block[511] = 0xaa;
    mem_block_write(host->disks[disk], DATA_FIRST * BLOCK, block, sizeof(block));
    mem_block_write(host->disks[disk], (DATA_FIRST + shape.sectors) * BLOCK, zeros, sizeof(zeros));
}

void windows_empty_loader(struct host *host, size_t disk)
{
    struct ntfs_fixture_shape shape = ntfs_fixture_small();
    struct ntfs_fixture *ntfs = ntfs_fixture_new(&shape);
    uint8_t *record = ntfs_fixture_record(ntfs, ntfs->winload);

    ntfs_fixture_unseal(record, shape.record_size);
    uint8_t *data = ntfs_fixture_attribute(ntfs, ntfs->winload, 0x80);
    fixture_store_le(data + 48, 0, 8); /* its size, and the initialised part of it */
    fixture_store_le(data + 56, 0, 8);
    ntfs_fixture_seal(record, shape.record_size);
    mem_block_write(host->disks[disk], DATA_FIRST * BLOCK + (uint64_t)(record - ntfs->bytes),
                    record, shape.record_size);
    ntfs_fixture_free(ntfs);
}

void windows_unformat(struct host *host, size_t disk)
{
    uint8_t *zeros = host_alloc(ESP_BLOCKS, BLOCK);

    mem_block_write(host->disks[disk], ESP_FIRST * BLOCK, zeros, ESP_BLOCKS * BLOCK);
    free(zeros);
}
