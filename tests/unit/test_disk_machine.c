/* The machine whose files lie on its disks: it is healthy, and each damage is what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/disk_machine_fixture.h"
#include "unit/windows_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define LANGUAGE        "\\EFI\\Microsoft\\Boot\\la-00\\bootmgfw.efi.mui"

static struct host *usual(uint32_t block_size)
{
    struct disk_machine_shape shape = disk_machine_usual();

    shape.block_size = block_size;
    return disk_machine_new(&shape);
}

static void assert_status(struct host *host, unsigned code, const char *words)
{
    const char *text = NULL;

    if (run_line(host, "status", &text) != code)
        print_error("%s\n", text);
    assert_int_equal(run_line(host, "status", &text), code);
    assert_says(text, words);
}

static void a_new_machine_starts_from_each_disk(void **state)
{
    static const uint32_t block_sizes[] = {512, 4096};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(block_sizes); i++) {
        struct host *host = usual(block_sizes[i]);
        assert_status(host, 0, "This machine starts from each of its boot disks alone.");
        host_free(host);
    }
}

static void blank(struct host *host)
{
    disk_machine_blank(host, 1);
}
static void unformat(struct host *host)
{
    disk_machine_zero(host, 1, PART_ESP);
}
static void no_boot_sector(struct host *host)
{
    disk_machine_zero_boot_sector(host, 1);
}
static void no_fats(struct host *host)
{
    disk_machine_zero_fats(host, 1);
}
static void broken_fat(struct host *host)
{
    disk_machine_break_fat(host, 1, BOOTMGFW);
}
static void no_esp(struct host *host)
{
    disk_machine_drop_partition(host, 1, PART_ESP);
}
static void primary_table(struct host *host)
{
    disk_machine_break_gpt(host, 1, PRIMARY);
}
static void backup_table(struct host *host)
{
    disk_machine_break_gpt(host, 1, BACKUP);
}
static void cut_short(struct host *host)
{
    disk_machine_truncate(host, 1, BOOTMGFW, 5000);
}
static void zeroed(struct host *host)
{
    disk_machine_zero_file(host, 1, BOOTMGFW);
}
static void no_folder(struct host *host)
{
    disk_machine_delete(host, 1, "\\EFI\\Microsoft");
}
static void no_language(struct host *host)
{
    disk_machine_delete(host, 1, LANGUAGE);
}
static void no_entry(struct host *host)
{
    disk_machine_drop_entry(host, 1);
}

static const struct {
    void (*inflict)(struct host *host);
    unsigned code;
    const char *words;
} damages[] = {
    {blank, 68, "no partition table"},
    {unformat, 65, "Starts from Disk 1 alone: no. Its ESP is not formatted."},
    {no_boot_sector, 65, "Starts from Disk 1 alone: no. Its ESP cannot be used"},
    {no_fats, 65, "a cluster chain leads astray, first at \\EFI."},
    {broken_fat, 64, "a cluster chain leads astray, first at " BOOTMGFW "."},
    {no_esp, 65, "Starts from Disk 1 alone: no. It has no EFI System Partition."},
    {primary_table, 0, "Disk 1: The primary partition table is damaged: its checksum"},
    {backup_table, 0, "Disk 1: The backup partition table at the end of the disk is damaged"},
    {cut_short, 64, BOOTMGFW ": it is shorter than its own headers say."},
    {zeroed, 64, BOOTMGFW ": it holds nothing but zeros."},
    {no_folder, 65, "Its ESP has no \\EFI\\Microsoft.|, 3 files and folders, not ready, see below"},
    {no_language, 0, "are missing here: 1, the first is " LANGUAGE "."},
    {no_entry, 64, "No boot entry starts from this EFI System Partition."},
};

static void every_damage_is_what_it_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(damages); i++) {
        struct host *host = usual(512);
        damages[i].inflict(host);
        assert_status(host, damages[i].code, damages[i].words);
        host_free(host);
    }
}

static bool volume_has(struct host *host, const char *alias, const char *path)
{
    struct files_port files = mem_files_port(host->files);

    for (size_t i = 0; i < files.volume_count; i++) {
        if (strcmp(files.volumes[i].alias, alias) == 0)
            return mem_files_find(host->files, i, path).at != NULL;
    }
    return false;
}

/* Changes the shadow's blocks as a command does, with the volumes let go of meanwhile. */
static void change_through_ports(struct host *host)
{
    const struct ports *ports = host_ports(host);
    struct host_partition esp = disk_machine_place(host, 1, PART_ESP);
    struct files_port files = ports->files;
    static const uint8_t zeros[512];
    const struct block_port *disk = &ports->disks[1];

    assert_int_equal(files.release(files.ctx, disk->path), ST_OK);
    assert_int_equal(disk->write(disk->ctx, esp.start, 1, zeros), ST_OK);
    assert_true(volume_has(host, "FS1:", WINDOWS_STORE));
    assert_int_equal(files.renew(files.ctx, &files), ST_OK);
}

static void volumes_follow_the_disks(void **state)
{
    struct host *host = usual(512);

    (void)state;
    assert_true(volume_has(host, "FS0:", BOOTMGFW));
    assert_true(volume_has(host, "FS1:", BOOTMGFW));
    disk_machine_delete(host, 1, BOOTMGFW);
    assert_false(volume_has(host, "FS1:", BOOTMGFW));
    change_through_ports(host);
    assert_false(volume_has(host, "FS1:", WINDOWS_STORE));
    assert_true(volume_has(host, "FS0:", WINDOWS_STORE));
    assert_true(volume_has(host, "STICK:", WINDOWS_FALLBACK));
    host_free(host);
}

static void files_of_an_esp_are_those_of_its_blocks(void **state)
{
    struct host *host = usual(4096);
    struct span manager = windows_manager();
    size_t size = 0;
    uint8_t *data = disk_machine_file(host, 0, BOOTMGFW, &size);

    (void)state;
    assert_int_equal(size, manager.size);
    assert_memory_equal(data, manager.at, size);
    free(data);
    assert_null(disk_machine_file(host, 0, "\\EFI\\none", &size));
    host_free(host);
}

/* A journal that is written where there is no stick outlives a renewal. */
static void journals_on_an_esp_stay(void **state)
{
    struct disk_machine_shape shape = disk_machine_usual();
    shape.no_stick = true;
    struct host *host = disk_machine_new(&shape);

    (void)state;
    assert_int_equal(disk_machine_stick(host), FILES_NO_VOLUME);
    mem_files_put(host->files, 0, "\\EFI\\shadowboot\\J0000001.SBJ", "one", 3);
    disk_machine_restart(host);
    assert_true(volume_has(host, "FS0:", "\\EFI\\shadowboot\\J0000001.SBJ"));
    host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_machine_starts_from_each_disk),
        cmocka_unit_test(every_damage_is_what_it_says),
        cmocka_unit_test(volumes_follow_the_disks),
        cmocka_unit_test(files_of_an_esp_are_those_of_its_blocks),
        cmocka_unit_test(journals_on_an_esp_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
