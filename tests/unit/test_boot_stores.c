/*
 * Boot stores of a mirror: what is said of them, what a disk comes to by them, and how a repair has
 * each start the copy on its own disk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "host/host_alloc.h"
#include "model/boot_store.h"
#include "plan/boot_stores.h"
#include "plan/esp_files.h"
#include "plan/project.h"
#include "plan/repair.h"
#include "unit/finding_fixture.h"
#include "unit/mirror_store_fixture.h"

#define SECOND  "{11111111-9cb2-11e9-8d5c-525400a1b2c3}"
#define NOWHERE MIRROR_NOWHERE

/* --- Making stores -------------------------------------------------------------------------- */

/* A store whose loader is on `partition`, and whose system is on `os`. */
static void give_store(struct mirror *m, size_t disk, size_t partition, size_t os)
{
    struct store_fixture *store = host_alloc(1, sizeof(*store));
    uint8_t device[STORE_DEVICE_SIZE];

    mirror_device(m, partition, device);
    store_fixture_usual(store, device, sizeof(device));
    mirror_device(m, os, device);
    for (size_t i = 0; i < store->value_count; i++) {
        if (strcmp(store->keys[store->values[i].key].name, "21000001") == 0)
            memcpy(store->values[i].data, device, sizeof(device));
    }
    mirror_take_store(m, disk, store);
    free(store);
}

/* As Windows keeps one on a mirror: with the ESP, the default, and a second loader. */
static void give_windows_store(struct mirror *m, size_t disk, size_t esp, size_t first,
                               size_t second)
{
    static const char *const order[] = {STORE_LOADER, SECOND};
    struct store_fixture *store = host_alloc(1, sizeof(*store));
    uint8_t device[STORE_DEVICE_SIZE];

    store_fixture_start(store);
    size_t manager = store_fixture_object(store, STORE_MANAGER, STORE_TYPE_MANAGER);
    mirror_device(m, esp, device);
    store_fixture_device(store, manager, "11000001", device, sizeof(device));
    store_fixture_string(store, manager, "23000003", STORE_LOADER);
    store_fixture_objects(store, manager, "24000001", order, 2);
    for (size_t i = 0; i < 2; i++) {
        size_t loader = store_fixture_object(store, order[i], STORE_TYPE_LOADER);
        mirror_device(m, i == 0 ? first : second, device);
        store_fixture_string(store, loader, "12000004", "Windows Server");
        store_fixture_device(store, loader, "11000001", device, sizeof(device));
        store_fixture_device(store, loader, "21000001", device, sizeof(device));
        store_fixture_string(store, loader, "22000002", "\\Windows");
    }
    mirror_take_store(m, disk, store);
    free(store);
}

/* --- What it comes to ----------------------------------------------------------------------- */

static void expect_start(struct mirror *m, size_t disk, enum verdict verdict, const char *reason)
{
    struct forecast forecast = mirror_forecast(m, disk);

    assert_string_equal(forecast.reason, reason);
    assert_int_equal(forecast.verdict, verdict);
}

static void store_of_the_own_disk_starts(void **state)
{
    struct mirror *m = *state;

    give_store(m, 1, MIRROR_DATA(1), MIRROR_DATA(1));
    expect_start(m, 1, VERDICT_STARTS, "");
}

static void store_of_another_disk_stops_with_that_disk(void **state)
{
    struct mirror *m = *state;
    static const char why[] =
        "Its boot store starts Windows from Disk 0 Partition 4: Windows' boot "
        "manager stops with 0xc000000e.";

    give_store(m, 1, MIRROR_DATA(0), MIRROR_DATA(0));
    expect_start(m, 1, VERDICT_FAILS, why);
    give_store(m, 1, MIRROR_DATA(1), MIRROR_DATA(0));
    expect_start(m, 1, VERDICT_FAILS, why);
}

/* 0xc0000225 where the disk is there and the partition is not, 0xc000000e where neither is. */
static void store_that_names_nothing_here_stops(void **state)
{
    struct mirror *m = *state;

    give_store(m, 1, NO_INDEX, NO_INDEX);
    expect_start(m, 1, VERDICT_FAILS,
                 "Its boot store starts Windows from a partition that is on no disk here, {" NOWHERE
                 "}: Windows' boot manager stops with 0xc000000e.");
    m->disks[1].guid = fixture_guid(NOWHERE);
    expect_start(m, 1, VERDICT_FAILS,
                 "Its boot store starts Windows from a partition that is on no disk here, {" NOWHERE
                 "}: Windows' boot manager stops with 0xc0000225.");
}

static void store_of_another_windows_is_no_start_of_this_one(void **state)
{
    struct mirror *m = *state;

    give_store(m, 1, MIRROR_MSR(1), MIRROR_MSR(1));
    m->copies[m->machine.copy_count++] = (struct system_copy){.disk = 1,
                                                              .partition = MIRROR_MSR(1),
                                                              .plex = NO_INDEX,
                                                              .status = ST_OK,
                                                              .looked = true,
                                                              .ntfs = {.boot = NTFS_BOOT_GOOD}};
    expect_start(m, 1, VERDICT_FAILS,
                 "Its boot store starts the Windows on Disk 1 Partition 3, which is no copy of "
                 "this system.");
    m->copies[m->machine.copy_count - 1].files[SYSTEM_LOADER] = ST_ABSENT;
    expect_start(m, 1, VERDICT_FAILS,
                 "Its boot store starts Windows from Disk 1 Partition 3, which has none: Windows' "
                 "boot manager stops with 0xc000000f.");
}

static void partition_that_nobody_looks_into_is_not_known(void **state)
{
    struct mirror *m = *state;

    give_store(m, 1, MIRROR_LDM(1), MIRROR_LDM(1));
    expect_start(m, 1, VERDICT_UNKNOWN,
                 "Its boot store starts a partition that is not looked into, which is not "
                 "followed.");
}

static void loader_of_another_name_is_not_known(void **state)
{
    struct mirror *m = *state;
    struct store_fixture *store = host_alloc(1, sizeof(*store));
    uint8_t device[STORE_DEVICE_SIZE];

    mirror_device(m, MIRROR_DATA(1), device);
    store_fixture_usual(store, device, sizeof(device));
    for (size_t i = 0; i < store->value_count; i++) {
        struct store_fixture_value *value = &store->values[i];
        if (strcmp(store->keys[value->key].name, "12000002") == 0)
            value->data[value->size - 4] = 'x'; /* winload.efx */
    }
    mirror_take_store(m, 1, store);
    free(store);
    expect_start(m, 1, VERDICT_UNKNOWN,
                 "Its boot store starts a loader of another name, which is not followed.");
}

/* The entry of Boot0001 names the object; another manager of the store has its own default. */
static void entry_says_which_manager_of_the_store_it_is(void **state)
{
    static const char other[] = "{22222222-9cb2-11e9-8d5c-525400a1b2c3}";
    struct mirror *m = *state;
    struct store_fixture *store = host_alloc(1, sizeof(*store));
    uint8_t device[STORE_DEVICE_SIZE];

    mirror_device(m, MIRROR_DATA(1), device);
    store_fixture_usual(store, device, sizeof(device));
    size_t manager = store_fixture_object(store, other, STORE_TYPE_MANAGER);
    store_fixture_string(store, manager, "23000003", SECOND);
    mirror_take_store(m, 1, store);
    free(store);
    expect_start(m, 1, VERDICT_STARTS, "");
    for (size_t i = 0; i < m->machine.entry_count; i++) {
        if (m->machine.entries[i].number == 1)
            m->machine.entries[i].bcd_object = fixture_guid("22222222-9cb2-11e9-8d5c-525400a1b2c3");
    }
    expect_start(m, 1, VERDICT_FAILS,
                 "Its boot store names an entry that it does not have: Windows' boot manager stops "
                 "with 0xc0000034.");
}

/* --- What is no entry of the store ------------------------------------------------------------ */

#define WAKES "resume a hibernated Windows (resume)"
#define OTHER "go by another store "

struct aside_row {
    const char *code;   /* of an element that the manager has, of this text; "" for none */
    const char *resume; /* "01" or "00", of this number; "" for none */
    bool resumes_by;    /* it has a resumeobject */
    const char *drops;  /* an element that the manager lacks */
    const char *what;   /* the boot manager is said to do; NULL: nothing is said */
    const char *name;   /* of the element that is named */
};

static void give_aside(struct mirror *m, const struct aside_row *row)
{
    struct store_fixture *store = host_alloc(1, sizeof(*store));
    uint8_t device[STORE_DEVICE_SIZE];
    uint8_t flag = row->resume[0] != '\0' && row->resume[1] == '1';

    mirror_device(m, MIRROR_DATA(1), device);
    store_fixture_usual(store, device, sizeof(device));
    size_t manager = 0;
    for (size_t i = 0; i < store->key_count; i++) {
        if (strcmp(store->keys[i].name, "23000003") == 0)
            manager = store->keys[i].parent;
        if (strcmp(store->keys[i].name, row->drops) == 0)
            strcpy(store->keys[i].name, "99999999");
    }
    if (strcmp(row->code, "21000022") == 0)
        store_fixture_device(store, manager, row->code, device, sizeof(device));
    else if (row->code[0] != '\0')
        store_fixture_string(store, manager, row->code, "\\EFI\\Other\\BCD");
    if (row->resume[0] != '\0')
        store_fixture_device(store, manager, "26000005", &flag, 1);
    if (row->resumes_by)
        store_fixture_string(store, manager, "23000006", STORE_LOADER);
    mirror_take_store(m, 1, store);
    free(store);
}

/* Elements of BcdBootMgrElementTypes in Microsoft's documentation: AttemptResume, BcdDevice and
 * BcdFilePath. What the boot manager does by them nobody has seen; nor is a store bad that has them. */
static void store_that_may_lead_elsewhere_is_not_followed(void **state)
{
    struct mirror *m = *state;
    static const struct aside_row rows[] = {
        {"21000022", "", false, "", OTHER "(bcddevice)", "bcddevice"},
        {"22000023", "", false, "", OTHER "(bcdfilepath)", "bcdfilepath"},
        {"22000023", "01", true, "", OTHER "(bcdfilepath)", "bcdfilepath"},
        {"", "01", true, "", WAKES, "resume"},
        {"", "00", true, "", NULL, NULL},
        {"", "01", false, "", NULL, NULL},
        {"", "", true, "", NULL, NULL},
        /* Not even where its own entries come to nothing. */
        {"21000022", "", false, STORE_LOADER, OTHER "(bcddevice)", "bcddevice"},
        {"", "01", true, "12000004", WAKES, "resume"},
    };
    char reason[300];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        give_aside(m, &rows[i]);
        snprintf(reason, sizeof(reason),
                 "Its boot store has the boot manager %s, which is not followed. \"shadowboot bcd "
                 "delete {bootmgr} %s -on 1\" gives that up.",
                 rows[i].what == NULL ? "" : rows[i].what,
                 rows[i].what == NULL ? "" : rows[i].name);
        expect_start(m, 1, rows[i].what == NULL ? VERDICT_STARTS : VERDICT_UNKNOWN,
                     rows[i].what == NULL ? "" : reason);
        assert_int_equal(m->esps[1].store_end,
                         rows[i].drops[0] == '\0' ? BCD_STARTS : BCD_NOT_UNDERSTOOD);
    }
}

/* --- What is said --------------------------------------------------------------------------- */

static bool is_told(struct mirror *m, enum finding_code code, size_t esp)
{
    struct judgement judgement = mirror_judge(m);

    findings_met(&judgement.findings);
    for (size_t i = 0; i < judgement.findings.count; i++) {
        const struct finding *finding = &judgement.findings.items[i];
        if (finding->code == code && finding->partition == m->esps[esp].partition)
            return true;
    }
    return false;
}

static void stores_are_told_of(void **state)
{
    struct mirror *m = *state;

    assert_false(is_told(m, FINDING_ESP_STORE_OTHER_DISK, 1));
    give_store(m, 1, MIRROR_DATA(0), MIRROR_DATA(0));
    assert_true(is_told(m, FINDING_ESP_STORE_OTHER_DISK, 1));
    assert_false(is_told(m, FINDING_ESP_STORE_OTHER_DISK, 0));
    give_store(m, 1, NO_INDEX, NO_INDEX);
    assert_true(is_told(m, FINDING_ESP_STORE_GONE, 1));
    assert_false(is_told(m, FINDING_ESP_STORE_OTHER_DISK, 1));
    give_store(m, 1, MIRROR_DATA(1), MIRROR_DATA(1));
    assert_false(is_told(m, FINDING_ESP_STORE_GONE, 1));
    assert_false(is_told(m, FINDING_ESP_STORE_OTHER_DISK, 1));
}

static void store_that_starts_nothing_is_told_of(void **state)
{
    struct mirror *m = *state;
    struct store_fixture *store = host_alloc(1, sizeof(*store));

    store_fixture_start(store);
    mirror_take_store(m, 1, store);
    free(store);
    assert_true(is_told(m, FINDING_ESP_STORE_NO_SYSTEM, 1));
    assert_false(is_told(m, FINDING_ESP_STORE_NO_SYSTEM, 0));
}

static void every_finding_about_stores_was_met(void **state)
{
    (void)state;
    findings_assert_met(OWNER_STORES);
}

/* Without Windows' boot manager beside it nobody reads the store. */
static void store_without_boot_manager_is_not_told_of(void **state)
{
    struct mirror *m = *state;

    give_store(m, 1, NO_INDEX, NO_INDEX);
    mirror_drop_file(m, 1, MIRROR_MANAGER);
    assert_false(is_told(m, FINDING_ESP_STORE_GONE, 1));
}

/* --- What is done --------------------------------------------------------------------------- */

static struct plan plan_stores(struct mirror *m, size_t disk, size_t left_out)
{
    struct roles roles = mirror_roles(m);
    struct plan plan;

    plan_init(&plan, &m->arena, &m->machine);
    assert_int_equal(
        plan_boot_stores(&plan, &roles,
                         &(struct boot_stores_request){.disk = disk, .left_out = left_out}),
        ST_OK);
    return plan;
}

/* The partition that the loader of a store is on. */
static size_t loader_of(struct mirror *m, struct span file, const char *object)
{
    struct bcd_store store;
    struct bcd_object loader;
    struct bcd_device device;
    struct span data;
    struct guid guid = fixture_guid(object);

    assert_int_equal(bcd_open(&m->arena, file, &store), ST_OK);
    assert_int_equal(bcd_find(&store, &guid, &loader), ST_OK);
    assert_int_equal(bcd_element(&store, &loader, BCD_DEVICE, &data), ST_OK);
    assert_int_equal(bcd_device_read(data, &device), ST_OK);
    return boot_store_partition(&m->machine, &device.partition, 0);
}

#define LOADER_GUID  "4bd4b7f1-9cb2-11e9-8d5c-525400a1b2c3"
#define SECOND_GUID  "11111111-9cb2-11e9-8d5c-525400a1b2c3"
#define MANAGER_GUID "9dea862c-5cdd-4e70-acc1-f32b344d4795"

static void stores_that_are_right_are_left_alone(void **state)
{
    struct mirror *m = *state;

    assert_int_equal(plan_stores(m, NO_INDEX, NO_INDEX).count, 0); /* located */
    give_windows_store(m, 0, MIRROR_ESP(0), MIRROR_DATA(0), MIRROR_DATA(1));
    give_windows_store(m, 1, MIRROR_ESP(1), MIRROR_DATA(1), MIRROR_DATA(0));
    assert_int_equal(plan_stores(m, NO_INDEX, NO_INDEX).count, 0);
}

/* The ESP without a store. */
static void take_store(struct mirror *m, size_t disk)
{
    struct esp *esp = &m->machine.esps[disk];
    size_t file = fat_find(&esp->report, "\\EFI\\Microsoft\\Boot\\BCD");

    esp->store_status = ST_ABSENT;
    esp->store_file = span_of(NULL, 0);
    if (file != FAT_NO_FILE)
        esp->report.files[file].path = "\\EFI\\Microsoft\\Boot\\other";
}

static struct plan plan_new_stores(struct mirror *m, struct store_wishes wishes)
{
    const struct boot_stores_request request = {
        .disk = NO_INDEX, .left_out = NO_INDEX, .makes = true, .wishes = wishes};
    struct roles roles = mirror_roles(m);
    struct plan plan;

    plan_init(&plan, &m->arena, &m->machine);
    assert_int_equal(plan_boot_stores(&plan, &roles, &request), ST_OK);
    return plan;
}

/* The partition that the default of a new store is on. */
static size_t default_of(struct mirror *m, struct span file)
{
    struct bcd_choice choice;
    struct bcd_store store;

    assert_int_equal(bcd_open(&m->arena, file, &store), ST_OK);
    assert_int_equal(bcd_choose(&store, &bcd_manager, &choice), BCD_STARTS);
    return boot_store_partition(&m->machine, &choice.device.partition, 0);
}

static void store_is_made_where_there_is_none(void **state)
{
    struct mirror *m = *state;

    take_store(m, 0);
    take_store(m, 1);
    assert_int_equal(plan_stores(m, NO_INDEX, NO_INDEX).count, 0); /* unless it is asked for */
    struct plan plan = plan_new_stores(m, (struct store_wishes){.renews = false});
    assert_int_equal(plan.count, 2);
    assert_string_equal(plan.actions[1].text,
                        "make the boot store of Disk 1 Partition 1 "
                        "{5ad00000-0001-4000-8000-000000000001}, to start Windows from Disk 1 "
                        "Partition 4 {5ad00000-0001-4000-8000-000000000004}");
    for (size_t i = 0; i < 2; i++) {
        const struct file_copy *item = &plan.actions[i].change->files.items[0];
        assert_int_equal(default_of(m, item->content), MIRROR_DATA(i));
    }
}

static void store_is_made_only_beside_windows(void **state)
{
    struct mirror *m = *state;

    take_store(m, 0);
    take_store(m, 1);
    m->copies[1].files[SYSTEM_LOADER] = ST_ABSENT;
    mirror_drop_file(m, 0, MIRROR_MANAGER);
    assert_int_equal(plan_new_stores(m, (struct store_wishes){.renews = false}).count, 0);
}

static void good_store_stays_unless_a_new_one_is_wished(void **state)
{
    struct mirror *m = *state;

    give_windows_store(m, 0, MIRROR_ESP(0), MIRROR_DATA(0), MIRROR_DATA(1));
    give_windows_store(m, 1, MIRROR_ESP(1), MIRROR_DATA(1), MIRROR_DATA(0));
    assert_int_equal(plan_new_stores(m, (struct store_wishes){.renews = false}).count, 0);
    assert_int_equal(plan_new_stores(m, (struct store_wishes){.renews = true}).count, 2);
}

static void store_of_the_other_disk_is_made_for_its_own(void **state)
{
    struct mirror *m = *state;

    give_windows_store(m, 1, MIRROR_ESP(0), MIRROR_DATA(0), MIRROR_DATA(1));
    struct plan plan = plan_stores(m, NO_INDEX, NO_INDEX);
    assert_int_equal(plan.count, 1);
    assert_string_equal(plan.actions[0].text,
                        "write the boot store of Disk 1 Partition 1 "
                        "{5ad00000-0001-4000-8000-000000000001} anew, to start Windows from Disk 1 "
                        "Partition 4 {5ad00000-0001-4000-8000-000000000004}");
    const struct disk_change *change = plan.actions[0].change;
    assert_int_equal(change->kind, DISK_CHANGE_FILES);
    assert_int_equal(change->disk, 1);
    assert_int_equal(change->esp, 1);
    assert_int_equal(change->files.count, 1);
    const struct file_copy *item = &change->files.items[0];
    assert_string_equal(item->path, MIRROR_STORE);
    assert_int_equal(item->esp, NO_INDEX);
    assert_int_equal(item->size, m->esps[1].store_file.size);
    /* The second entry now is the other disk's: no choice is lost. */
    assert_int_equal(loader_of(m, item->content, LOADER_GUID), MIRROR_DATA(1));
    assert_int_equal(loader_of(m, item->content, SECOND_GUID), MIRROR_DATA(0));
    assert_int_equal(loader_of(m, item->content, MANAGER_GUID), MIRROR_ESP(1));
    size_t differing = 0;
    for (size_t i = 0; i < item->size; i++)
        differing += item->content.at[i] != m->esps[1].store_file.at[i];
    assert_in_range(differing, 1, 5 * 32);
}

static void store_of_a_dead_disk_is_made_for_its_own(void **state)
{
    struct mirror *m = *state;

    give_store(m, 1, NO_INDEX, NO_INDEX);
    struct plan plan = plan_stores(m, NO_INDEX, NO_INDEX);
    assert_int_equal(plan.count, 1);
    assert_int_equal(loader_of(m, plan.actions[0].change->files.items[0].content, LOADER_GUID),
                     MIRROR_DATA(1));
}

/* What the boot manager would make of it itself; the log is too old for it then. */
static void store_that_its_log_completes_is_written_so(void **state)
{
    struct mirror *m = *state;

    give_windows_store(m, 1, MIRROR_ESP(1), MIRROR_DATA(1), MIRROR_DATA(0));
    m->esps[1].store = REGF_DIRTY;
    m->esps[1].store_recovery = REGF_RECOVERED;
    struct plan plan = plan_stores(m, NO_INDEX, NO_INDEX);
    assert_int_equal(plan.count, 1);
    assert_string_equal(plan.actions[0].text,
                        "write the boot store of Disk 1 Partition 1 "
                        "{5ad00000-0001-4000-8000-000000000001} anew, completed from its log");
    const struct files_change *files = &plan.actions[0].change->files;
    assert_int_equal(files->count, 1);
    struct span old = m->esps[1].store_file;
    struct span made = files->items[0].content;
    assert_int_equal(regf_check(made), REGF_GOOD);
    assert_int_equal(made.size, old.size);
    assert_int_equal(ld_le32(made.at + 8), ld_le32(old.at + 8) + 1);   /* sequence number */
    assert_int_not_equal(ld_le64(made.at + 12), ld_le64(old.at + 12)); /* time */
    assert_memory_equal(made.at + 4096 + 32, old.at + 4096 + 32, made.size - 4096 - 32);
    m->esps[1].store_recovery = REGF_RECOVERY_LOG_STALE;
    assert_int_equal(plan_stores(m, NO_INDEX, NO_INDEX).count, 0);
}

/* With the loader and the system on these partitions, both are on the own disk afterwards. */
static void expect_home(struct mirror *m, size_t loader, size_t system)
{
    struct bcd_partition own = boot_store_name(&m->machine, MIRROR_DATA(1));
    struct esp esp = {.store_status = ST_OK, .store = REGF_GOOD};
    struct bcd_choice choice;

    give_store(m, 1, loader, system);
    struct plan plan = plan_stores(m, NO_INDEX, NO_INDEX);
    assert_int_equal(plan.count, 1);
    esp.store_file = plan.actions[0].change->files.items[0].content;
    assert_int_equal(boot_store_choose(&m->arena, &esp, &bcd_manager, &choice), BCD_STARTS);
    assert_true(bcd_partition_equal(&choice.device.partition, &own));
    assert_true(bcd_partition_equal(&choice.os_device.partition, &own));
}

static void loader_and_system_on_two_disks_are_brought_home(void **state)
{
    struct mirror *m = *state;

    expect_home(m, MIRROR_DATA(1), MIRROR_DATA(0));
    expect_home(m, MIRROR_DATA(0), MIRROR_DATA(1));
    expect_home(m, MIRROR_DATA(0), NO_INDEX);
}

/* Somebody has another Windows, and wants it. */
static void store_of_another_system_is_left_alone(void **state)
{
    struct mirror *m = *state;

    give_store(m, 1, MIRROR_MSR(0), MIRROR_MSR(0));
    assert_int_equal(plan_stores(m, NO_INDEX, NO_INDEX).count, 0);
}

static void only_what_is_asked_for_is_looked_at(void **state)
{
    struct mirror *m = *state;

    give_store(m, 0, MIRROR_DATA(1), MIRROR_DATA(1));
    give_store(m, 1, MIRROR_DATA(0), MIRROR_DATA(0));
    assert_int_equal(plan_stores(m, NO_INDEX, NO_INDEX).count, 2);
    struct plan plan = plan_stores(m, 1, NO_INDEX);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.actions[0].change->disk, 1);
    plan = plan_stores(m, NO_INDEX, 1);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.actions[0].change->disk, 0);
}

static void store_that_cannot_be_written_is_told_of(void **state)
{
    struct mirror *m = *state;

    give_store(m, 1, MIRROR_DATA(0), MIRROR_DATA(0));
    m->disks[1].read_only = true;
    struct plan plan = plan_stores(m, NO_INDEX, NO_INDEX);
    assert_int_equal(plan.count, 0);
    assert_int_equal(plan.warning_count, 1);
    m->disks[1].read_only = false;
    m->esps[1].report.problems[FAT_CHAIN_CROSSED] = 1;
    plan = plan_stores(m, NO_INDEX, NO_INDEX);
    assert_int_equal(plan.count, 0);
    assert_int_equal(plan.warning_count, 1);
}

/* Where a name of the own partition is put into the store of Disk 1: whether all of them lie in one
 * block, as far as they differ from what is there now. */
static bool names_lie_in_blocks(const struct mirror *m, struct span after)
{
    const struct guid *own = &m->partitions[MIRROR_DATA(1)].unique;
    struct span before = m->esps[1].store_file;

    for (size_t at = 0; at + 40 <= after.size; at++) {
        size_t first = at;
        size_t last = at + 39; /* of the disk's GUID, which follows */
        if (memcmp(after.at + at, own->bytes, sizeof(own->bytes)) != 0)
            continue;
        while (first < last && before.at[first] == after.at[first])
            first++;
        while (last > first && before.at[last] == after.at[last])
            last--;
        if (first / 512 != last / 512)
            return false;
    }
    return true;
}

#define CROWD 40 /* elements, which move what is behind them about in its blocks */
#define FIRST "{00000000-9cb2-11e9-8d5c-525400a1b2c3}" /* in the order of names */

/* One that starts nothing here, with an object that has so many elements of no meaning. */
static void give_crowded_store(struct mirror *m, size_t elements)
{
    struct store_fixture *store = host_alloc(1, sizeof(*store));
    uint8_t device[STORE_DEVICE_SIZE];
    char code[24];

    mirror_device(m, NO_INDEX, device);
    store_fixture_start(store);
    size_t first = store_fixture_object(store, FIRST, 0x20100000);
    for (size_t i = 0; i < elements; i++) {
        snprintf(code, sizeof(code), "120001%02zx", i);
        store_fixture_string(store, first, code, "");
    }
    size_t manager = store_fixture_object(store, STORE_MANAGER, STORE_TYPE_MANAGER);
    store_fixture_string(store, manager, "23000003", STORE_LOADER);
    size_t loader = store_fixture_object(store, STORE_LOADER, STORE_TYPE_LOADER);
    store_fixture_string(store, loader, "12000004", "Windows Server");
    store_fixture_device(store, loader, "11000001", device, sizeof(device));
    store_fixture_device(store, loader, "21000001", device, sizeof(device));
    store_fixture_string(store, loader, "22000002", "\\Windows");
    mirror_take_store(m, 1, store);
    free(store);
}

/* Only where each name is in one block no cut leaves half of one. */
static void store_stays_where_it_lies_unless_a_name_crosses_blocks(void **state)
{
    struct mirror *m = *state;
    size_t crossing = 0;

    for (size_t elements = 0; elements < CROWD; elements++) {
        give_crowded_store(m, elements);
        struct plan plan = plan_stores(m, NO_INDEX, NO_INDEX);
        assert_int_equal(plan.count, 1);
        const struct file_copy *item = &plan.actions[0].change->files.items[0];
        bool stays = names_lie_in_blocks(m, item->content);
        crossing += !stays;
        assert_int_equal(item->before.size, stays ? item->size : 0);
        if (stays)
            assert_ptr_equal(item->before.at, m->esps[1].store_file.at);
        /* It says that it was written after all logs that may lie beside it. */
        assert_true(ld_le32(item->content.at + 4) > ld_le32(m->esps[1].store_file.at + 4));
        assert_true(ld_le64(item->content.at + 12) > ld_le64(m->esps[1].store_file.at + 12));
        assert_true(regf_check(item->content) == REGF_GOOD);
    }
    assert_in_range(crossing, 1, CROWD - 1);
}

/* The old one has to stay until the new one is there, unless it stays where it lies. */
static void store_without_room_for_another_is_told_of(void **state)
{
    struct mirror *m = *state;
    size_t elements = 0;

    give_crowded_store(m, elements);
    m->esps[1].report.free_clusters = 0;
    assert_int_equal(plan_stores(m, NO_INDEX, NO_INDEX).count, 1);
    struct plan plan = plan_stores(m, NO_INDEX, NO_INDEX);
    while (plan.count == 1) {
        assert_true(++elements < CROWD);
        give_crowded_store(m, elements);
        plan = plan_stores(m, NO_INDEX, NO_INDEX);
    }
    assert_int_equal(plan.warning_count, 1);
    assert_non_null(strstr(plan.warnings[0], "Make room there"));
    uint64_t clusters = (m->esps[1].store_file.size - 1) / m->esps[1].volume.cluster_size + 1;
    m->esps[1].report.free_clusters = clusters - 1;
    assert_int_equal(plan_stores(m, NO_INDEX, NO_INDEX).count, 0);
    m->esps[1].report.free_clusters = clusters;
    assert_int_equal(plan_stores(m, NO_INDEX, NO_INDEX).count, 1);
}

static void store_that_is_brought_is_made_for_where_it_goes(void **state)
{
    struct mirror *m = *state;
    struct roles roles = mirror_roles(m);
    struct files_change files;
    struct plan plan;

    give_store(m, 0, MIRROR_DATA(0), MIRROR_DATA(0));
    mirror_drop_file(m, 1, MIRROR_STORE);
    m->esps[1].store_status = ST_ABSENT;
    plan_init(&plan, &m->arena, &m->machine);
    assert_int_equal(esp_files_update(&plan, 0, 1, "\\EFI\\Microsoft", &files), ST_OK);
    assert_int_equal(esp_files_plan(&plan, 1, &files), ST_OK);
    assert_int_equal(plan.count, 1);
    assert_int_equal(
        plan_boot_stores(&plan, &roles,
                         &(struct boot_stores_request){.disk = NO_INDEX, .left_out = NO_INDEX}),
        ST_OK);
    assert_int_equal(plan.count, 1);
    const struct file_copy *item = &plan.actions[0].change->files.items[0];
    assert_string_equal(item->path, MIRROR_STORE);
    assert_int_equal(loader_of(m, item->content, LOADER_GUID), MIRROR_DATA(1));
    /* The machine as it will be has just that store, and nothing more is to be done. */
    struct machine later;
    assert_int_equal(project_machine(&m->arena, &plan, &later), ST_OK);
    assert_int_equal(later.esps[1].store_status, ST_OK);
    assert_ptr_equal(later.esps[1].store_file.at, item->content.at);
    assert_int_equal(
        plan_boot_stores(&plan, &roles,
                         &(struct boot_stores_request){.disk = NO_INDEX, .left_out = NO_INDEX}),
        ST_OK);
    assert_int_equal(plan.warning_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(store_is_made_where_there_is_none, mirror_set_up,
                                        mirror_tear_down),
        cmocka_unit_test_setup_teardown(store_is_made_only_beside_windows, mirror_set_up,
                                        mirror_tear_down),
        cmocka_unit_test_setup_teardown(good_store_stays_unless_a_new_one_is_wished, mirror_set_up,
                                        mirror_tear_down),
        cmocka_unit_test_setup_teardown(store_of_the_own_disk_starts, mirror_set_up,
                                        mirror_tear_down),
        cmocka_unit_test_setup_teardown(store_of_another_disk_stops_with_that_disk, mirror_set_up,
                                        mirror_tear_down),
        cmocka_unit_test_setup_teardown(store_that_names_nothing_here_stops, mirror_set_up,
                                        mirror_tear_down),
        cmocka_unit_test_setup_teardown(store_of_another_windows_is_no_start_of_this_one,
                                        mirror_set_up, mirror_tear_down),
        cmocka_unit_test_setup_teardown(partition_that_nobody_looks_into_is_not_known,
                                        mirror_set_up, mirror_tear_down),
        cmocka_unit_test_setup_teardown(loader_of_another_name_is_not_known, mirror_set_up,
                                        mirror_tear_down),
        cmocka_unit_test_setup_teardown(entry_says_which_manager_of_the_store_it_is, mirror_set_up,
                                        mirror_tear_down),
        cmocka_unit_test_setup_teardown(store_that_may_lead_elsewhere_is_not_followed,
                                        mirror_set_up, mirror_tear_down),
        cmocka_unit_test_setup_teardown(stores_are_told_of, mirror_set_up, mirror_tear_down),
        cmocka_unit_test_setup_teardown(store_that_starts_nothing_is_told_of, mirror_set_up,
                                        mirror_tear_down),
        cmocka_unit_test_setup_teardown(store_without_boot_manager_is_not_told_of, mirror_set_up,
                                        mirror_tear_down),
        cmocka_unit_test_setup_teardown(stores_that_are_right_are_left_alone, mirror_set_up,
                                        mirror_tear_down),
        cmocka_unit_test_setup_teardown(store_of_the_other_disk_is_made_for_its_own, mirror_set_up,
                                        mirror_tear_down),
        cmocka_unit_test_setup_teardown(store_of_a_dead_disk_is_made_for_its_own, mirror_set_up,
                                        mirror_tear_down),
        cmocka_unit_test_setup_teardown(store_that_its_log_completes_is_written_so, mirror_set_up,
                                        mirror_tear_down),
        cmocka_unit_test_setup_teardown(loader_and_system_on_two_disks_are_brought_home,
                                        mirror_set_up, mirror_tear_down),
        cmocka_unit_test_setup_teardown(store_of_another_system_is_left_alone, mirror_set_up,
                                        mirror_tear_down),
        cmocka_unit_test_setup_teardown(only_what_is_asked_for_is_looked_at, mirror_set_up,
                                        mirror_tear_down),
        cmocka_unit_test_setup_teardown(store_that_cannot_be_written_is_told_of, mirror_set_up,
                                        mirror_tear_down),
        cmocka_unit_test_setup_teardown(store_stays_where_it_lies_unless_a_name_crosses_blocks,
                                        mirror_set_up, mirror_tear_down),
        cmocka_unit_test_setup_teardown(store_without_room_for_another_is_told_of, mirror_set_up,
                                        mirror_tear_down),
        cmocka_unit_test_setup_teardown(store_that_is_brought_is_made_for_where_it_goes,
                                        mirror_set_up, mirror_tear_down),
        cmocka_unit_test(every_finding_about_stores_was_met),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
