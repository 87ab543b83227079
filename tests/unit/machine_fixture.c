#include "unit/machine_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "host/host_alloc.h"
#include "unit/bytes_fixture.h"
#include "unit/ldm_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* --- Partition tables ----------------------------------------------------------------------- */

#define GPT_SLOTS      128u
#define GPT_SLOT_BYTES 128u
#define GPT_HEADER     92u
#define ARRAY_BYTES    (GPT_SLOTS * GPT_SLOT_BYTES)

struct guid fixture_guid(const char *text)
{
    static const uint8_t place[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    struct guid guid;

    for (size_t i = 0; i < 16; i++) {
        unsigned value = 0;
        if (*text == '-')
            text++;
        if (sscanf(text, "%2x", &value) != 1)
            host_fail("a GUID that is none");
        guid.bytes[place[i]] = (uint8_t)value;
        text += 2;
    }
    return guid;
}

static void build_array(const struct fixture_partition *partitions, size_t count,
                        uint8_t ret_array[ARRAY_BYTES])
{
    memset(ret_array, 0, ARRAY_BYTES);
    for (size_t i = 0; i < count; i++) {
        const struct fixture_partition *from = &partitions[i];
        uint8_t *slot = ret_array + (from->number - 1) * GPT_SLOT_BYTES;
        struct guid type = fixture_guid(from->type);
        struct guid unique = fixture_guid(from->unique);
        memcpy(slot, type.bytes, 16);
        memcpy(slot + 16, unique.bytes, 16);
        fixture_store_le(slot + 32, from->first, 8);
        fixture_store_le(slot + 40, from->first + from->blocks - 1, 8);
        for (size_t c = 0; from->name[c] != '\0'; c++)
            slot[56 + 2 * c] = (uint8_t)from->name[c];
    }
}

struct table {
    struct mem_block *disk;
    uint32_t block_size;
    uint64_t block_count;
    struct guid guid;
    uint8_t array[ARRAY_BYTES];
};

static void write_copy(const struct table *table, uint64_t own, uint64_t other, uint64_t array)
{
    uint64_t array_blocks = ARRAY_BYTES / table->block_size;
    uint8_t header[GPT_HEADER] = "EFI PART";

    fixture_store_le(header + 8, 0x00010000, 4);
    fixture_store_le(header + 12, GPT_HEADER, 4);
    fixture_store_le(header + 24, own, 8);
    fixture_store_le(header + 32, other, 8);
    fixture_store_le(header + 40, 2 + array_blocks, 8);
    fixture_store_le(header + 48, table->block_count - 2 - array_blocks, 8);
    memcpy(header + 56, table->guid.bytes, 16);
    fixture_store_le(header + 72, array, 8);
    fixture_store_le(header + 80, GPT_SLOTS, 4);
    fixture_store_le(header + 84, GPT_SLOT_BYTES, 4);
    fixture_store_le(header + 88, fixture_crc32(table->array, ARRAY_BYTES), 4);
    fixture_store_le(header + 16, fixture_crc32(header, GPT_HEADER), 4);
    mem_block_write(table->disk, own * table->block_size, header, sizeof(header));
    mem_block_write(table->disk, array * table->block_size, table->array, ARRAY_BYTES);
}

static void write_protective_mbr(struct mem_block *disk, uint64_t block_count)
{
    uint64_t blocks = block_count - 1;
    uint8_t mbr[512] = {0};

    fixture_store_le(mbr + 446, 0x00020000, 4);
    fixture_store_le(mbr + 450, 0xffffffee, 4);
    fixture_store_le(mbr + 454, 1, 4);
    fixture_store_le(mbr + 458, blocks > 0xffffffffu ? 0xffffffffu : blocks, 4);
    fixture_store_le(mbr + 510, 0xaa55, 2);
    mem_block_write(disk, 0, mbr, sizeof(mbr));
}

void fixture_write_gpt(struct host *host, size_t disk, const char *disk_guid,
                       const struct fixture_partition *partitions, size_t count)
{
    struct block_port port = mem_block_port(host->disks[disk]);
    struct table table = {.disk = host->disks[disk],
                          .block_size = port.block_size,
                          .block_count = port.block_count,
                          .guid = fixture_guid(disk_guid)};
    uint64_t last = port.block_count - 1;

    build_array(partitions, count, table.array);
    write_protective_mbr(table.disk, port.block_count);
    write_copy(&table, 1, last, 2);
    write_copy(&table, last, 1, last - ARRAY_BYTES / port.block_size);
}

size_t fixture_add_disk(struct host *host, enum disk_controller controller, uint32_t block_size,
                        uint64_t block_count, const char *disk_guid,
                        const struct fixture_partition *partitions, size_t count)
{
    size_t disk = host_add_disk(host, controller, block_size, block_count);

    fixture_write_gpt(host, disk, disk_guid, partitions, count);
    return disk;
}

#define GUID_TEXT 37

static void full_disk_guid(char text[GUID_TEXT], size_t disk, size_t partition)
{
    snprintf(text, GUID_TEXT, "%08zx-%04zx-4000-8000-0000000000aa", disk + 1, partition + 1);
}

size_t fixture_add_full_disk(struct host *host, uint32_t block_size, uint64_t blocks_each)
{
    static struct fixture_partition partitions[FIXTURE_FULL_PARTITIONS];
    static char guids[FIXTURE_FULL_PARTITIONS][GUID_TEXT];
    char disk_guid[GUID_TEXT];

    for (uint32_t i = 0; i < FIXTURE_FULL_PARTITIONS; i++) {
        struct fixture_partition partition = {.number = i + 1,
                                              .type = i == 0 ? TYPE_ESP : TYPE_BASIC_DATA,
                                              .unique = guids[i],
                                              .first = (i + 1) * blocks_each,
                                              .blocks = blocks_each,
                                              .name = "part"};
        full_disk_guid(guids[i], host->disk_count, i);
        partitions[i] = partition;
    }
    full_disk_guid(disk_guid, host->disk_count, 0xfffe);
    return fixture_add_disk(host, DISK_NVME, block_size,
                            (FIXTURE_FULL_PARTITIONS + 2) * blocks_each, disk_guid, partitions,
                            FIXTURE_FULL_PARTITIONS);
}

struct host_partition fixture_full_disk_esp(size_t disk, uint64_t blocks_each)
{
    char guid[GUID_TEXT];

    full_disk_guid(guid, disk, 0);
    struct host_partition esp = {disk, 1, blocks_each, blocks_each, fixture_guid(guid)};
    return esp;
}

struct host_partition fixture_place(size_t disk, const struct fixture_partition *partition)
{
    struct host_partition place = {
        .disk = disk,
        .number = partition->number,
        .start = partition->first,
        .size = partition->blocks,
        .guid = fixture_guid(partition->unique),
    };

    return place;
}

/* --- Boot entries --------------------------------------------------------------------------- */

void fixture_put(struct fixture_bytes *io_bytes, const void *data, size_t size)
{
    if (size > sizeof(io_bytes->at) - io_bytes->size)
        host_fail("an entry that is too long for the fixture");
    if (size > 0)
        memcpy(io_bytes->at + io_bytes->size, data, size);
    io_bytes->size += size;
}

void fixture_put_le(struct fixture_bytes *io_bytes, uint64_t value, size_t size)
{
    uint8_t bytes[8];

    fixture_store_le(bytes, value, size);
    fixture_put(io_bytes, bytes, size);
}

void fixture_put_ucs2(struct fixture_bytes *io_bytes, const char *ascii)
{
    for (; *ascii != '\0'; ascii++)
        fixture_put_le(io_bytes, (uint8_t)*ascii, 2);
    fixture_put_le(io_bytes, 0, 2);
}

void fixture_put_guid(struct fixture_bytes *io_bytes, const char *text)
{
    struct guid guid = fixture_guid(text);

    fixture_put(io_bytes, guid.bytes, sizeof(guid.bytes));
}

static void put_node(struct fixture_bytes *io_bytes, uint8_t type, uint8_t subtype, size_t size)
{
    fixture_put_le(io_bytes, type, 1);
    fixture_put_le(io_bytes, subtype, 1);
    fixture_put_le(io_bytes, size, 2);
}

void fixture_put_disk(struct fixture_bytes *io_bytes, const struct host *host, size_t disk)
{
    struct span path = host->blocks[disk].path;

    fixture_put(io_bytes, path.at, path.size - 4);
}

void fixture_put_hd(struct fixture_bytes *io_bytes, const struct host_partition *partition)
{
    put_node(io_bytes, 4, 1, 42);
    fixture_put_le(io_bytes, partition->number, 4);
    fixture_put_le(io_bytes, partition->start, 8);
    fixture_put_le(io_bytes, partition->size, 8);
    fixture_put(io_bytes, partition->guid.bytes, 16);
    fixture_put_le(io_bytes, 0x0202, 2);
}

void fixture_put_file(struct fixture_bytes *io_bytes, const char *path)
{
    put_node(io_bytes, 4, 4, 4 + 2 * (strlen(path) + 1));
    fixture_put_ucs2(io_bytes, path);
}

void fixture_put_end(struct fixture_bytes *io_bytes)
{
    put_node(io_bytes, 0x7f, 0xff, 4);
}

static void align(struct fixture_bytes *io_bytes, size_t start)
{
    while ((io_bytes->size - start) % 4 != 0)
        fixture_put_le(io_bytes, 0, 1);
}

void fixture_put_windows(struct fixture_bytes *io_bytes, const char *options,
                         const struct host_partition *os, const char *directory)
{
    size_t start = io_bytes->size;

    fixture_put(io_bytes, "WINDOWS", 8);
    fixture_put_le(io_bytes, 1, 4);
    fixture_put_le(io_bytes, 0, 4);
    fixture_put_le(io_bytes, 0, 4);
    fixture_put_ucs2(io_bytes, options);
    align(io_bytes, start);
    size_t path = io_bytes->size - start;
    fixture_put_le(io_bytes, 1, 4);
    fixture_put_le(io_bytes, 0, 4);
    fixture_put_le(io_bytes, 4, 4);
    if (os != NULL) {
        fixture_put_hd(io_bytes, os);
        fixture_put_file(io_bytes, directory);
    }
    fixture_put_end(io_bytes);
    size_t total = io_bytes->size - start;
    fixture_store_le(io_bytes->at + start + 0x0c, total, 4);
    fixture_store_le(io_bytes->at + start + 0x10, path, 4);
    fixture_store_le(io_bytes->at + start + path + 4, total - path, 4);
}

void fixture_put_load_option(struct fixture_bytes *io_bytes, uint32_t attributes,
                             const char *description, const struct fixture_bytes *paths,
                             const struct fixture_bytes *optional)
{
    fixture_put_le(io_bytes, attributes, 4);
    fixture_put_le(io_bytes, paths->size, 2);
    fixture_put_ucs2(io_bytes, description);
    fixture_put(io_bytes, paths->at, paths->size);
    fixture_put(io_bytes, optional->at, optional->size);
}

/* Fv(7cb8bdc9-...)/FvFile(7c04a583-...), OVMF's Shell. */
static void put_fv(struct fixture_bytes *io_bytes)
{
    put_node(io_bytes, 4, 7, 20);
    fixture_put_guid(io_bytes, "7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1");
    put_node(io_bytes, 4, 6, 20);
    fixture_put_guid(io_bytes, "7c04a583-9e3e-4f1c-ad65-e05268d0b4d1");
}

/* PciRoot(0x0)/Pci(0x1,0x1)/Ata(channel,Master,0x0) */
static void put_atapi(struct fixture_bytes *io_bytes, size_t channel)
{
    put_node(io_bytes, 2, 1, 12);
    fixture_put_le(io_bytes, 0x0a0341d0, 4);
    fixture_put_le(io_bytes, 0, 4);
    put_node(io_bytes, 1, 1, 6);
    fixture_put_le(io_bytes, 0x0101, 2);
    put_node(io_bytes, 3, 1, 8);
    fixture_put_le(io_bytes, channel, 1);
    fixture_put_le(io_bytes, 0, 3);
}

/* BBS(HD,disk,0x0) */
static void put_bbs(struct fixture_bytes *io_bytes)
{
    put_node(io_bytes, 5, 1, 13);
    fixture_put_le(io_bytes, 2, 2);
    fixture_put_le(io_bytes, 0, 2);
    fixture_put(io_bytes, "disk", 5);
}

static void put_path(struct fixture_bytes *io_bytes, const struct host *host,
                     const struct fixture_entry *entry)
{
    bool on_disk = entry->form == FIXTURE_FULL || entry->form == FIXTURE_DISK;

    if (on_disk)
        fixture_put_disk(io_bytes, host, entry->partition.disk);
    if (entry->form == FIXTURE_FULL || entry->form == FIXTURE_SHORT)
        fixture_put_hd(io_bytes, &entry->partition);
    if (entry->form == FIXTURE_BBS)
        put_bbs(io_bytes);
    if (entry->form == FIXTURE_FV)
        put_fv(io_bytes);
    if (entry->form == FIXTURE_ATAPI)
        put_atapi(io_bytes, entry->partition.disk);
    if (entry->file != NULL)
        fixture_put_file(io_bytes, entry->file);
    fixture_put_end(io_bytes);
}

static void put_optional(struct fixture_bytes *io_bytes, const struct fixture_entry *entry)
{
    const char *options = entry->options == NULL ? "" : entry->options;
    char object[64];

    switch (entry->optional) {
    case FIXTURE_NONE:
        break;
    case FIXTURE_WINDOWS:
        fixture_put_windows(io_bytes, options, &entry->os, entry->directory);
        break;
    case FIXTURE_BCD:
        snprintf(object, sizeof(object), "BCDOBJECT={%s}", options);
        fixture_put_windows(io_bytes, object, NULL, NULL);
        break;
    case FIXTURE_AUTO_CREATED:
        fixture_put_guid(io_bytes, "8108ac4e-9f11-4d59-850e-e21a522c59b2");
        break;
    case FIXTURE_TEXT:
        fixture_put_ucs2(io_bytes, options);
        break;
    }
}

void fixture_entry_value(const struct host *host, const struct fixture_entry *entry,
                         struct fixture_bytes *ret_value)
{
    struct fixture_bytes path = {.size = 0};
    struct fixture_bytes optional = {.size = 0};

    put_path(&path, host, entry);
    put_optional(&optional, entry);
    ret_value->size = 0;
    fixture_put_load_option(ret_value, entry->inactive ? 0 : 1, entry->description, &path,
                            &optional);
}

void fixture_add_entry(struct host *host, const struct fixture_entry *entry)
{
    struct fixture_bytes value;
    char name[16];

    fixture_entry_value(host, entry, &value);
    snprintf(name, sizeof(name), "Boot%04X", entry->number);
    mem_vars_put(host->vars, NULL, name, VAR_BOOT_OPTION, value.at, value.size);
}

void fixture_set_order(struct host *host, const uint16_t *numbers, size_t count)
{
    struct fixture_bytes value = {.size = 0};

    for (size_t i = 0; i < count; i++)
        fixture_put_le(&value, numbers[i], 2);
    mem_vars_put(host->vars, NULL, "BootOrder", VAR_BOOT_OPTION, value.at, value.size);
}

void fixture_set_u16(struct host *host, const char *name, uint16_t value)
{
    bool is_volatile = strcmp(name, "BootCurrent") == 0;
    uint8_t bytes[2];

    fixture_store_le(bytes, value, 2);
    mem_vars_put(host->vars, NULL, name,
                 is_volatile ? VAR_BOOT_SERVICE | VAR_RUNTIME : VAR_BOOT_OPTION, bytes, 2);
}

/* --- Whole machines ------------------------------------------------------------------------- */

#define GIVEN_NAME_ESP      "EFI system partition"
#define GIVEN_NAME_MSR      "Microsoft reserved partition"
#define GIVEN_NAME_DATA     "Basic data partition"
#define GIVEN_NAME_LDM      "LDM data partition"
#define GIVEN_NAME_METADATA "LDM metadata partition"

/* Start and length in 512-byte blocks of what the article prints in bytes. */
static const struct fixture_partition article_0[] = {
    {1, TYPE_ESP, ARTICLE_ESP_0, 32256 / 512, 213825024 / 512, GIVEN_NAME_ESP},
    {2, TYPE_LDM_DATA, ARTICLE_DATA_0, 213857280 / 512, 5142056960 / 512, GIVEN_NAME_LDM},
    {3, TYPE_MSR, ARTICLE_MSR_0, 9154080256 / 512, 32505856 / 512, GIVEN_NAME_MSR},
    {4, TYPE_LDM_METADATA, ARTICLE_METADATA_0, 9153031680 / 512, 1048576 / 512,
     GIVEN_NAME_METADATA},
};

static const struct fixture_partition article_1[] = {
    {1, TYPE_ESP, ARTICLE_ESP_1, 17408 / 512, 213909504 / 512, GIVEN_NAME_ESP},
    {2, TYPE_MSR, ARTICLE_MSR_1, 214975488 / 512, 32505856 / 512, GIVEN_NAME_MSR},
    {3, TYPE_LDM_METADATA, ARTICLE_METADATA_1, 213926912 / 512, 1048576 / 512, GIVEN_NAME_METADATA},
    {4, TYPE_LDM_DATA, ARTICLE_DATA_1, 247481344 / 512, 5142056960 / 512, GIVEN_NAME_LDM},
};

static const struct fixture_partition recovery_0[] = {
    {1, TYPE_ESP, RECOVERY_ESP, 63, 208845, GIVEN_NAME_ESP},
    {2, TYPE_MSR, RECOVERY_MSR, 208908, 63488, GIVEN_NAME_MSR},
    {3, TYPE_BASIC_DATA, RECOVERY_DATA_NEW, 272396, 6136830, GIVEN_NAME_DATA},
};

static const struct fixture_partition recovery_1[] = {
    {1, TYPE_MSR, RECOVERY_MSR_OLD, 1065984 / 512, 32505856 / 512, GIVEN_NAME_MSR},
    {2, TYPE_LDM_METADATA, RECOVERY_METADATA, 17408 / 512, 1048576 / 512, GIVEN_NAME_METADATA},
    {3, TYPE_LDM_DATA, RECOVERY_DATA_OLD, 33571840 / 512, 3142056960 / 512, GIVEN_NAME_LDM},
    {4, TYPE_LDM_DATA, RECOVERY_DATA_2, 3175628800 / 512, 1174758912 / 512, GIVEN_NAME_LDM},
};

static const struct fixture_partition modern_0[] = {
    {1, TYPE_ESP, MODERN_ESP_0, 256, 25600, GIVEN_NAME_ESP},
    {2, TYPE_MSR, MODERN_MSR_0, 25856, 4096, GIVEN_NAME_MSR},
    {3, TYPE_BASIC_DATA, MODERN_DATA_0, 29952, 2000000, GIVEN_NAME_DATA},
};

static const struct fixture_partition modern_1[] = {
    {1, TYPE_MSR, MODERN_MSR_1, 206848, 32768, GIVEN_NAME_MSR},
    {2, TYPE_ESP, MODERN_ESP_1, 2048, 204800, GIVEN_NAME_ESP},
    {5, TYPE_BASIC_DATA, MODERN_DATA_1, 239616, 16000000, GIVEN_NAME_DATA},
};

static const struct {
    const struct fixture_partition *partitions;
    size_t count;
    size_t disk;
} tables[] = {
    {article_0, COUNT_OF(article_0), 0},   {article_1, COUNT_OF(article_1), 1},
    {recovery_0, COUNT_OF(recovery_0), 0}, {recovery_1, COUNT_OF(recovery_1), 1},
    {modern_0, COUNT_OF(modern_0), 0},     {modern_1, COUNT_OF(modern_1), 1},
};

struct host_partition fixture_partition_named(const char *unique)
{
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        for (size_t j = 0; j < tables[i].count; j++) {
            if (strcmp(tables[i].partitions[j].unique, unique) == 0)
                return fixture_place(tables[i].disk, &tables[i].partitions[j]);
        }
    }
    host_fail("no machine has this partition");
}

static size_t add_esp(struct host *host, const char *unique, const char *const *paths, size_t count)
{
    struct host_partition esp = fixture_partition_named(unique);
    size_t volume = host_add_volume(host, &esp, 100u << 20);

    for (size_t i = 0; i < count; i++)
        mem_files_put(host->files, volume, paths[i], paths[i], strlen(paths[i]));
    return volume;
}

/* The database of the article's mirror; on a GPT disk the private region is the metadata
 * partition. */
static void write_article_database(struct host *host)
{
    struct ldm_fixture ldm = ldm_fixture_default();
    static const char *const private_guids[] = {ARTICLE_METADATA_0, ARTICLE_METADATA_1};
    static const char *const data_guids[] = {ARTICLE_DATA_0, ARTICLE_DATA_1};
    uint8_t *region = host_alloc(1, LDM_FIXTURE_BYTES);

    ldm.size = 5142056960 / 512;
    for (size_t i = 0; i < LDM_FIXTURE_DISKS; i++) {
        struct host_partition data = fixture_partition_named(data_guids[i]);
        ldm.disks[i].public_start = data.start;
        ldm.disks[i].public_size = data.size;
        ldm.disks[i].private_start = fixture_partition_named(private_guids[i]).start;
        ldm.disks[i].start = 0;
    }
    for (size_t i = 0; i < LDM_FIXTURE_DISKS; i++) {
        ldm_fixture_build(&ldm, i, region);
        mem_block_write(host->disks[i], ldm.disks[i].private_start * 512, region,
                        LDM_FIXTURE_BYTES);
    }
    free(region);
}

/* What an Itanium machine has besides Windows. */
static void add_itanium_entries(struct host *host)
{
    const struct fixture_entry entries[] = {
        {.number = 0, .description = "LS120", .form = FIXTURE_ATAPI, .partition.disk = 1},
        {.number = 1, .description = "CDROM", .form = FIXTURE_ATAPI, .partition.disk = 0},
        {.number = 2, .description = "EFI Shell", .form = FIXTURE_FV},
    };

    for (size_t i = 0; i < COUNT_OF(entries); i++)
        fixture_add_entry(host, &entries[i]);
}

static void add_itanium_windows(struct host *host, uint16_t number, const char *description,
                                struct host_partition esp, struct host_partition system)
{
    struct fixture_entry entry = {
        .number = number,
        .description = description,
        .form = FIXTURE_SHORT,
        .partition = esp,
        .file = IA64LDR,
        .optional = FIXTURE_WINDOWS,
        .os = system,
        .directory = "\\WINDOWS",
    };

    fixture_add_entry(host, &entry);
}

static const char *const itanium_files[] = {
    "\\EFI\\Microsoft\\WINNT50\\Boot0003",
    IA64LDR,
    "\\EFI\\Microsoft\\EFIDrivers\\fpswa.efi",
    "\\MSUtil\\diskpart.efi",
    "\\MSUtil\\fdisk.efi",
    "\\MSUtil\\format.efi",
    "\\MSUtil\\nvrboot.efi",
};

#define ITANIUM_BLOCKS 17944000u

struct host *fixture_article_machine(void)
{
    static const uint16_t order[] = {3, 0, 1, 2, 4};
    struct host *host = host_new();

    host->architecture = "IA64";
    fixture_add_disk(host, DISK_AHCI, 512, ITANIUM_BLOCKS, "a0a0a0a0-0000-4d00-8000-0123456789a0",
                     article_0, COUNT_OF(article_0));
    fixture_add_disk(host, DISK_AHCI, 512, ITANIUM_BLOCKS, "a0a0a0a0-0001-4d01-8000-0123456789a1",
                     article_1, COUNT_OF(article_1));
    write_article_database(host);
    mem_files_set_self(host->files,
                       add_esp(host, ARTICLE_ESP_0, itanium_files, COUNT_OF(itanium_files)));
    add_esp(host, ARTICLE_ESP_1, itanium_files, COUNT_OF(itanium_files));
    add_itanium_entries(host);
    add_itanium_windows(host, 3, "Windows 2003 Server, Enterprise",
                        fixture_partition_named(ARTICLE_ESP_0),
                        fixture_partition_named(ARTICLE_DATA_0));
    add_itanium_windows(host, 4, "Boot Mirror C: - secondary plex",
                        fixture_partition_named(ARTICLE_ESP_0),
                        fixture_partition_named(ARTICLE_DATA_1));
    fixture_set_order(host, order, COUNT_OF(order));
    fixture_set_u16(host, "BootCurrent", 4);
    fixture_set_u16(host, "Timeout", 30);
    return host;
}

struct host *fixture_recovery_machine(void)
{
    static const uint16_t order[] = {5, 3, 0, 1, 2, 4};
    struct host *host = host_new();

    host->architecture = "IA64";
    fixture_add_disk(host, DISK_AHCI, 512, ITANIUM_BLOCKS, "a0a0a0a0-0002-4d00-8000-0123456789a2",
                     recovery_0, COUNT_OF(recovery_0));
    fixture_add_disk(host, DISK_AHCI, 512, ITANIUM_BLOCKS, "a0a0a0a0-0001-4d01-8000-0123456789a1",
                     recovery_1, COUNT_OF(recovery_1));
    mem_files_set_self(host->files,
                       add_esp(host, RECOVERY_ESP, itanium_files, COUNT_OF(itanium_files)));
    add_itanium_entries(host);
    add_itanium_windows(host, 5, "Microsoft Windows Server 2003, Enterprise Edition",
                        fixture_partition_named(RECOVERY_ESP),
                        fixture_partition_named(RECOVERY_DATA_NEW));
    add_itanium_windows(host, 3, "Windows Server 2003, Enterprise Edition",
                        fixture_partition_named(ARTICLE_ESP_0),
                        fixture_partition_named(ARTICLE_DATA_0));
    add_itanium_windows(host, 4, "Boot Mirror C: - secondary plex",
                        fixture_partition_named(ARTICLE_ESP_0),
                        fixture_partition_named(RECOVERY_DATA_OLD));
    fixture_set_order(host, order, COUNT_OF(order));
    fixture_set_u16(host, "BootCurrent", 5);
    fixture_set_u16(host, "Timeout", 5);
    return host;
}

static void add_modern_entries(struct host *host)
{
    const struct host_partition esp = fixture_partition_named(MODERN_ESP_0);
    const struct fixture_entry entries[] = {
        {.number = 0,
         .description = "Windows Boot Manager",
         .form = FIXTURE_SHORT,
         .partition = esp,
         .file = BOOTMGFW,
         .optional = FIXTURE_BCD,
         .options = FIXTURE_BOOTMGR_OBJECT},
        {.number = 1,
         .description = "debian",
         .form = FIXTURE_FULL,
         .partition = esp,
         .file = SHIMX64},
        {.number = 2,
         .description = "UEFI Disk 0",
         .form = FIXTURE_DISK,
         .partition.disk = 0,
         .optional = FIXTURE_AUTO_CREATED},
        {.number = 3,
         .description = "UEFI Disk 1",
         .form = FIXTURE_DISK,
         .partition.disk = 1,
         .optional = FIXTURE_AUTO_CREATED},
        {.number = 10,
         .description = "Rescue",
         .form = FIXTURE_FILE,
         .file = "\\EFI\\tools\\rescue.efi"},
        {.number = 11, .description = "Legacy", .form = FIXTURE_BBS},
    };

    for (size_t i = 0; i < COUNT_OF(entries); i++)
        fixture_add_entry(host, &entries[i]);
}

struct host *fixture_modern_machine(void)
{
    static const uint16_t order[] = {0, 1, 2, 3, 10, 11};
    static const char *const files[] = {BOOTMGFW, SHIMX64, "\\EFI\\BOOT\\BOOTX64.EFI",
                                        "\\EFI\\Microsoft\\Boot\\BCD"};
    struct host *host = host_new();

    fixture_add_disk(host, DISK_NVME, 4096, 2100000, "b0b0b0b0-0000-4d00-8000-0123456789b0",
                     modern_0, COUNT_OF(modern_0));
    fixture_add_disk(host, DISK_AHCI, 512, 16777216, "b0b0b0b0-0001-4d01-8000-0123456789b1",
                     modern_1, COUNT_OF(modern_1));
    mem_files_set_self(host->files, add_esp(host, MODERN_ESP_0, files, COUNT_OF(files)));
    add_esp(host, MODERN_ESP_1, files, COUNT_OF(files));
    add_modern_entries(host);
    fixture_set_order(host, order, COUNT_OF(order));
    fixture_set_u16(host, "BootCurrent", 0);
    fixture_set_u16(host, "Timeout", 1);
    return host;
}

size_t fixture_add_stick(struct host *host)
{
    static const struct fixture_partition stick = {1,    TYPE_ESP, STICK_GUID,
                                                   2048, 60000,    "SHADOWBOOT"};
    size_t disk = fixture_add_disk(host, DISK_USB, 512, 65536,
                                   "c0c0c0c0-0000-4d00-8000-0123456789c0", &stick, 1);
    struct host_partition place = fixture_place(disk, &stick);
    size_t volume = host_add_volume(host, &place, 30u << 20);

    mem_block_set_removable(host->disks[disk], true);
    mem_files_put(host->files, volume, "\\EFI\\BOOT\\BOOTX64.EFI", "stick", 5);
    mem_files_set_self(host->files, volume);
    return volume;
}

/* --- Running the program -------------------------------------------------------------------- */

#define WORDS_MAX 32
#define LINE_MAX  1024

/* Cuts `line` into words, in place. */
static int split(char *line, const char *ret_words[WORDS_MAX])
{
    int count = 0;

    ret_words[count++] = "shadowboot";
    while (*line != '\0') {
        if (*line == ' ') {
            line++;
            continue;
        }
        char end = *line == '"' ? '"' : ' ';
        line += *line == '"';
        ret_words[count++] = line;
        line += strcspn(line, (char[]){end, '\0'});
        if (*line != '\0')
            *line++ = '\0';
        if (count == WORDS_MAX)
            host_fail("a command line of too many words");
    }
    return count;
}

unsigned fixture_run_arena(const struct ports *ports, const char *line, struct arena *arena)
{
    static char copy[LINE_MAX]; /* not on the heap: a power cut jumps out of the run */
    const char *words[WORDS_MAX];

    if (strlen(line) >= sizeof(copy))
        host_fail("a command line that is too long");
    strcpy(copy, line);
    int count = split(copy, words);
    return cmd_main(ports, arena, count, words);
}

unsigned fixture_run_in(const struct ports *ports, const char *line, size_t size)
{
    void *memory = host_borrow(size);
    struct arena arena;

    arena_init(&arena, memory, size);
    unsigned code = fixture_run_arena(ports, line, &arena);
    host_return(memory);
    return code;
}

unsigned fixture_run_ports(const struct ports *ports, const char *line)
{
    static uint8_t
        memory[FIXTURE_ARENA]; /* not new each time: its pages cost more than most runs */
    struct arena arena;

    arena_init(&arena, memory, sizeof(memory));
    return fixture_run_arena(ports, line, &arena);
}

unsigned fixture_run(struct host *host, const char *line)
{
    return fixture_run_ports(host_ports(host), line);
}
