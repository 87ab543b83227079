/* Plans of `clone`: which entries get a twin, what the twin looks like, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "plan/clone.h"
#include "unit/plan_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct clone_request between(const char *source, const char *target)
{
    struct clone_request request = {.has_source = source != NULL, .has_target = target != NULL};

    if (source != NULL)
        request.source = fixture_guid(source);
    if (target != NULL)
        request.target = fixture_guid(target);
    return request;
}

static void expect_refusal(struct planning *p, const struct clone_request *request,
                           enum status status, const char *text)
{
    assert_int_equal(plan_clone(&p->plan, request), status);
    if (strstr(p->plan.refusal, text) == NULL)
        fail_msg("\"%s\" is not in: %s", text, p->plan.refusal);
}

static struct fixture_entry article_clone(uint16_t number, const char *description,
                                          const char *system)
{
    struct fixture_entry entry = {.number = number,
                                  .description = description,
                                  .form = FIXTURE_SHORT,
                                  .partition = fixture_partition_named(ARTICLE_ESP_1),
                                  .file = IA64LDR,
                                  .optional = FIXTURE_WINDOWS,
                                  .os = fixture_partition_named(system),
                                  .directory = "\\WINDOWS"};

    return entry;
}

static struct fixture_entry modern_clone(uint16_t number, enum fixture_path form)
{
    struct fixture_entry entry = {.number = number,
                                  .description = "debian",
                                  .form = form,
                                  .partition = fixture_partition_named(MODERN_ESP_1),
                                  .file = SHIMX64};

    if (number == 4) {
        entry.description = "Windows Boot Manager";
        entry.file = BOOTMGFW;
        entry.optional = FIXTURE_BCD;
        entry.options = FIXTURE_BOOTMGR_OBJECT;
    }
    return entry;
}

/* --- What is cloned ------------------------------------------------------------------------- */

static void articles_entries_are_cloned_to_the_end_of_boot_order(void **state)
{
    struct planning *p = *state;
    struct clone_request request = between(ARTICLE_ESP_0, ARTICLE_ESP_1);
    struct fixture_entry first =
        article_clone(5, "Windows 2003 Server, Enterprise Cloned_Entry", ARTICLE_DATA_0);
    struct fixture_entry second =
        article_clone(6, "Boot Mirror C: - secondary plex Cloned_Entry", ARTICLE_DATA_1);

    request.description = "Cloned_Entry";
    request.append = true;
    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    assert_int_equal(p->plan.count, 3);
    assert_int_equal(p->plan.actions[0].source_entry, planning_entry(p, 3));
    assert_int_equal(p->plan.actions[1].source_entry, planning_entry(p, 4));
    planning_apply(p, ST_OK);
    expect_entry(p->host, &first);
    expect_entry(p->host, &second);
    expect_order(p->host, "0003,0000,0001,0002,0004,0005,0006");
}

static void description_is_kept_without_a_request(void **state)
{
    struct planning *p = *state;
    struct clone_request request = between(ARTICLE_ESP_0, ARTICLE_ESP_1);
    struct fixture_entry first =
        article_clone(5, "Windows 2003 Server, Enterprise", ARTICLE_DATA_0);

    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    planning_apply(p, ST_OK);
    expect_entry(p->host, &first);
}

static void description_can_be_replaced(void **state)
{
    struct planning *p = *state;
    struct clone_request request = between(ARTICLE_ESP_0, ARTICLE_ESP_1);
    struct fixture_entry first = article_clone(5, "Shadow", ARTICLE_DATA_0);

    request.description = "Shadow";
    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    planning_apply(p, ST_OK);
    expect_entry(p->host, &first);
}

static void disk_goes_behind_the_name_when_asked_for(void **state)
{
    struct planning *p = *state;
    struct clone_request request = between(ARTICLE_ESP_0, ARTICLE_ESP_1);
    struct fixture_entry first =
        article_clone(5, "Windows 2003 Server, Enterprise (Disk 1)", ARTICLE_DATA_0);

    request.disk_in_name = true;
    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    planning_apply(p, ST_OK);
    expect_entry(p->host, &first);
    planning_rescan(p);
    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    assert_int_equal(p->plan.count, 0);
}

/* From Disk 1 back to Disk 0, whose entries are gone. */
static void clone_of_a_clone_is_called_no_longer(void **state)
{
    struct planning *p = *state;
    struct clone_request request = between(ARTICLE_ESP_0, ARTICLE_ESP_1);

    request.disk_in_name = true;
    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    planning_apply(p, ST_OK);
    mem_vars_drop(p->host->vars, NULL, "Boot0003");
    mem_vars_drop(p->host->vars, NULL, "Boot0004");
    fixture_set_order(p->host, (const uint16_t[]){0, 1, 2, 5, 6}, 5);
    planning_rescan(p);
    request = between(ARTICLE_ESP_1, ARTICLE_ESP_0);
    request.disk_in_name = true;
    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    assert_non_null(
        strstr(planning_text(p), "\"Windows 2003 Server, Enterprise (Disk 0)\" from Boot0005"));
}

static void entries_of_the_firmwares_own_are_not_cloned(void **state)
{
    struct planning *p = *state;
    struct clone_request request = between(MODERN_ESP_0, MODERN_ESP_1);
    struct fixture_entry own = {.number = 4,
                                .description = "UEFI OS",
                                .form = FIXTURE_SHORT,
                                .partition = fixture_partition_named(MODERN_ESP_0),
                                .file = SHIMX64,
                                .optional = FIXTURE_AUTO_CREATED};

    mem_vars_drop(p->host->vars, NULL, "Boot0000");
    mem_vars_drop(p->host->vars, NULL, "Boot0001");
    fixture_add_entry(p->host, &own);
    fixture_set_order(p->host, (const uint16_t[]){4, 2, 3, 10, 11}, 5);
    planning_rescan(p);
    expect_refusal(p, &request, ST_ABSENT,
                   "those of the firmware's and of shadowboot's own left aside");
}

/* The system's partition is no part of what a clone between ESPs changes. */
static void optional_data_that_does_not_name_the_source_is_kept(void **state)
{
    struct planning *p = *state;
    struct clone_request request = between(MODERN_ESP_0, MODERN_ESP_1);
    struct fixture_entry clone = modern_clone(4, FIXTURE_SHORT);

    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    planning_apply(p, ST_OK);
    expect_entry(p->host, &clone);
}

/* Data partition to data partition: the boot path stays, the system's path changes. Entry 4 of the
 * article is just that already. */
static void system_partition_in_optional_data_is_replaced(void **state)
{
    struct planning *p = *state;
    struct clone_request request = between(ARTICLE_DATA_0, ARTICLE_DATA_1);
    struct fixture_entry entry =
        article_clone(4, "Windows 2003 Server, Enterprise", ARTICLE_DATA_1);

    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    assert_int_equal(p->plan.count, 0);
    mem_vars_drop(p->host->vars, NULL, "Boot0004");
    fixture_set_order(p->host, (const uint16_t[]){3, 0, 1, 2}, 4);
    fixture_set_u16(p->host, "BootCurrent", 3);
    planning_rescan(p);
    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    planning_apply(p, ST_OK);
    entry.partition = fixture_partition_named(ARTICLE_ESP_0);
    expect_entry(p->host, &entry);
    expect_order(p->host, "0003,0000,0001,0002,0004");
}

static void foreign_optional_data_is_copied_with_a_warning(void **state)
{
    struct planning *p = *state;
    struct clone_request request = between(MODERN_ESP_0, MODERN_ESP_1);
    struct fixture_entry entry = {.number = 0x10,
                                  .description = "Linux",
                                  .form = FIXTURE_SHORT,
                                  .partition = fixture_partition_named(MODERN_ESP_0),
                                  .file = "\\vmlinuz.efi",
                                  .optional = FIXTURE_TEXT,
                                  .options = "root=PARTUUID=" MODERN_ESP_0};

    fixture_add_entry(p->host, &entry);
    planning_rescan(p);
    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    assert_int_equal(p->plan.warning_count, 1);
    assert_non_null(strstr(p->plan.warnings[0], "Boot0010"));
    planning_apply(p, ST_OK);
    entry.number = 6;
    entry.partition = fixture_partition_named(MODERN_ESP_1);
    expect_entry(p->host, &entry);
}

static void malformed_windows_data_is_copied_with_a_warning(void **state)
{
    struct planning *p = *state;
    struct clone_request request = between(MODERN_ESP_0, MODERN_ESP_1);
    struct host_partition esp = fixture_partition_named(MODERN_ESP_0);
    struct fixture_bytes path = {.size = 0};
    struct fixture_bytes optional = {.size = 0};
    struct fixture_bytes value = {.size = 0};

    fixture_put_hd(&path, &esp);
    fixture_put_file(&path, "\\broken.efi");
    fixture_put_end(&path);
    fixture_put_windows(&optional, "x", &esp, "\\WINDOWS");
    optional.size -= 10;
    fixture_put_load_option(&value, 1, "Broken", &path, &optional);
    mem_vars_put(p->host->vars, NULL, "Boot0010", 7, value.at, value.size);
    planning_rescan(p);
    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    assert_int_equal(p->plan.warning_count, 1);
    planning_apply(p, ST_OK);
    const struct mem_var *clone = mem_vars_find(p->host->vars, NULL, "Boot0006");
    assert_non_null(clone);
    assert_int_equal(clone->size, value.size);
    assert_memory_equal(clone->data + clone->size - optional.size, optional.at, optional.size);
}

/* Every hard drive node of the source, in every path of the list. */
static void further_paths_of_the_list_are_replaced(void **state)
{
    struct planning *p = *state;
    struct clone_request request = between(MODERN_ESP_0, MODERN_ESP_1);
    const char *const guids[] = {MODERN_ESP_0, MODERN_ESP_1};
    struct fixture_bytes values[2] = {{.size = 0}, {.size = 0}};

    for (size_t i = 0; i < 2; i++) {
        struct host_partition esp = fixture_partition_named(guids[i]);
        struct host_partition other = fixture_partition_named(MODERN_DATA_0);
        struct fixture_bytes paths = {.size = 0};
        struct fixture_bytes none = {.size = 0};
        fixture_put_hd(&paths, &esp);
        fixture_put_file(&paths, "\\two.efi");
        fixture_put_end(&paths);
        fixture_put_hd(&paths, &other);
        fixture_put_end(&paths);
        fixture_put_disk(&paths, p->host, esp.disk);
        fixture_put_hd(&paths, &esp);
        fixture_put_end(&paths);
        fixture_put_load_option(&values[i], 0x109, "Two", &paths, &none);
    }
    mem_vars_put(p->host->vars, NULL, "Boot0010", 7, values[0].at, values[0].size);
    planning_rescan(p);
    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    planning_apply(p, ST_OK);
    const struct mem_var *clone = mem_vars_find(p->host->vars, NULL, "Boot0006");
    assert_non_null(clone);
    assert_int_equal(clone->size, values[1].size);
    assert_memory_equal(clone->data, values[1].at, values[1].size);
}

/* --- Forms ---------------------------------------------------------------------------------- */

static void full_path_stays_full_with_the_targets_controller(void **state)
{
    struct planning *p = *state;
    struct clone_request request = between(MODERN_ESP_0, MODERN_ESP_1);
    struct fixture_entry shorty = modern_clone(4, FIXTURE_SHORT);
    struct fixture_entry full = modern_clone(5, FIXTURE_FULL);

    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    planning_apply(p, ST_OK);
    expect_entry(p->host, &shorty);
    expect_entry(p->host, &full);
}

static void short_makes_all_clones_short(void **state)
{
    struct planning *p = *state;
    struct clone_request request = between(MODERN_ESP_0, MODERN_ESP_1);
    struct fixture_entry first = modern_clone(4, FIXTURE_SHORT);
    struct fixture_entry second = modern_clone(5, FIXTURE_SHORT);

    request.form = PATH_SHORT;
    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    planning_apply(p, ST_OK);
    expect_entry(p->host, &first);
    expect_entry(p->host, &second);
}

static void full_makes_all_clones_full(void **state)
{
    struct planning *p = *state;
    struct clone_request request = between(MODERN_ESP_0, MODERN_ESP_1);
    struct fixture_entry first = modern_clone(4, FIXTURE_FULL);
    struct fixture_entry second = modern_clone(5, FIXTURE_FULL);

    request.form = PATH_FULL;
    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    planning_apply(p, ST_OK);
    expect_entry(p->host, &first);
    expect_entry(p->host, &second);
}

/* --- Once only ------------------------------------------------------------------------------ */

static void second_run_finds_nothing_to_do(void **state)
{
    struct planning *p = *state;
    struct clone_request request = between(ARTICLE_ESP_0, ARTICLE_ESP_1);

    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    planning_apply(p, ST_OK);
    planning_rescan(p);
    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    assert_int_equal(p->plan.count, 0);
    request.description = "Another name";
    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    assert_int_equal(p->plan.count, 0);
}

/* The clone of a full path exists as a short one: it starts the same. */
static void equal_entry_of_another_form_is_enough(void **state)
{
    struct planning *p = *state;
    struct clone_request request = between(MODERN_ESP_0, MODERN_ESP_1);
    struct fixture_entry there = modern_clone(5, FIXTURE_SHORT);

    fixture_add_entry(p->host, &there);
    fixture_set_order(p->host, (const uint16_t[]){0, 1, 2, 3, 5}, 5);
    planning_rescan(p);
    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    assert_int_equal(p->plan.count, 2);
    assert_string_equal(p->plan.actions[0].name, "Boot0004");
    assert_string_equal(p->plan.actions[1].name, "BootOrder");
}

static void equal_entry_outside_boot_order_is_put_into_it(void **state)
{
    struct planning *p = *state;
    struct clone_request request = between(ARTICLE_ESP_0, ARTICLE_ESP_1);
    struct fixture_entry there = article_clone(9, "Left over", ARTICLE_DATA_0);

    fixture_add_entry(p->host, &there);
    planning_rescan(p);
    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    planning_apply(p, ST_OK);
    expect_order(p->host, "0003,0000,0001,0002,0004,0009,0005");
    expect_entry(p->host, &there);
}

static void two_entries_that_start_the_same_get_one_clone(void **state)
{
    struct planning *p = *state;
    struct clone_request request = between(ARTICLE_ESP_0, ARTICLE_ESP_1);
    struct fixture_entry twin = article_clone(9, "Twin", ARTICLE_DATA_0);

    twin.partition = fixture_partition_named(ARTICLE_ESP_0);
    fixture_add_entry(p->host, &twin);
    planning_rescan(p);
    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    assert_int_equal(p->plan.count, 3);
}

/* --- Source and target found by itself ------------------------------------------------------ */

static void only_way_to_understand_the_machine_is_taken(void **state)
{
    static const char *const given[][2] = {
        {NULL, NULL}, {ARTICLE_ESP_0, NULL}, {NULL, ARTICLE_ESP_1}};
    struct planning *p = *state;

    for (size_t i = 0; i < COUNT_OF(given); i++) {
        struct clone_request request = between(given[i][0], given[i][1]);
        planning_rescan(p);
        assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
        assert_int_equal(p->plan.count, 3);
        assert_non_null(strstr(planning_text(p), "{" ARTICLE_ESP_1 "}"));
    }
}

static void stick_is_neither_source_nor_target(void **state)
{
    struct planning *p = *state;
    struct clone_request request = between(NULL, NULL);

    fixture_add_stick(p->host);
    planning_rescan(p);
    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    assert_int_equal(p->plan.count, 3);
    assert_null(strstr(planning_text(p), STICK_GUID));
}

static void several_ways_are_listed_as_commands(void **state)
{
    static const struct fixture_partition third[] = {
        {1, TYPE_ESP, "44444444-dddd-4b01-8004-0123456789d3", 2048, 204800, "ESP"}};
    struct planning *p = *state;
    struct clone_request request = between(NULL, NULL);

    fixture_add_disk(p->host, DISK_AHCI, 512, 1000000, "d0d0d0d0-0000-4d00-8000-0123456789d0",
                     third, 1);
    planning_rescan(p);
    expect_refusal(p, &request, ST_REFUSED, "There are 2 ways to understand this machine.");
    assert_non_null(
        strstr(p->plan.refusal, "clone -sg {" ARTICLE_ESP_0 "} -tg {" ARTICLE_ESP_1 "}"));
    assert_non_null(strstr(p->plan.refusal, "-tg {44444444-dddd-4b01-8004-0123456789d3}"));
    assert_int_equal(p->plan.count, 0);
    request = between(NULL, ARTICLE_ESP_1);
    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
}

static void without_a_second_esp_there_is_nothing_to_choose(void **state)
{
    struct planning *p = planning_begin(fixture_recovery_machine());
    struct clone_request request = between(RECOVERY_ESP, NULL);

    (void)state;
    expect_refusal(p, &request, ST_ABSENT, "There is no pair of EFI system partitions");
    planning_end(p);
}

/* After the first clone both ESPs have entries; the way back is nothing new. */
static void finished_machine_leaves_nothing_to_do(void **state)
{
    struct planning *p = *state;
    struct clone_request request = between(NULL, NULL);

    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    planning_apply(p, ST_OK);
    planning_rescan(p);
    assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
    assert_int_equal(p->plan.count, 0);
}

/* --- Refused -------------------------------------------------------------------------------- */

static void source_equal_to_target_is_usage(void **state)
{
    struct clone_request request = between(ARTICLE_ESP_0, ARTICLE_ESP_0);

    expect_refusal(*state, &request, ST_USAGE, "Source and target are the same partition.");
}

static void unknown_target_is_absent(void **state)
{
    struct clone_request request = between(ARTICLE_ESP_0, MODERN_ESP_1);

    expect_refusal(*state, &request, ST_ABSENT,
                   "No partition of this machine has the GUID {" MODERN_ESP_1 "}");
}

static void unknown_source_is_absent(void **state)
{
    struct clone_request request = between(MODERN_ESP_0, ARTICLE_ESP_1);

    expect_refusal(*state, &request, ST_ABSENT, "The source GUID {" MODERN_ESP_0 "} is unknown");
}

static void source_that_no_entry_names_is_absent(void **state)
{
    struct clone_request request = between(ARTICLE_ESP_1, ARTICLE_ESP_0);

    expect_refusal(*state, &request, ST_ABSENT, "No boot entry refers to the source");
}

static void target_of_another_type_is_refused(void **state)
{
    struct clone_request to_data = between(ARTICLE_ESP_0, ARTICLE_DATA_1);
    struct clone_request to_esp = between(ARTICLE_DATA_0, ARTICLE_ESP_1);

    expect_refusal(*state, &to_data, ST_REFUSED, "\"LDM data partition\"");
    expect_refusal(*state, &to_esp, ST_REFUSED, "\"EFI system partition\"");
}

/* An equal entry that firmware may not start protects nobody: a good one is made beside it. */
static void equal_entry_that_starts_less_surely_is_not_enough(void **state)
{
    struct planning *p = *state;
    struct clone_request request = between(MODERN_ESP_0, MODERN_ESP_1);
    struct fixture_entry inactive = modern_clone(5, FIXTURE_SHORT);
    struct fixture_entry misplaced = modern_clone(5, FIXTURE_SHORT);

    inactive.inactive = true;
    misplaced.partition.size += 8;
    for (int i = 0; i < 2; i++) {
        fixture_add_entry(p->host, i == 0 ? &inactive : &misplaced);
        fixture_set_order(p->host, (const uint16_t[]){0, 1, 2, 3, 5}, 5);
        planning_rescan(p);
        assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
        assert_int_equal(p->plan.count, 3);
        planning_apply(p, ST_OK);
        planning_rescan(p);
        assert_int_equal(plan_clone(&p->plan, &request), ST_OK);
        assert_int_equal(p->plan.count, 0);
        mem_vars_drop(p->host->vars, NULL, "Boot0004");
        mem_vars_drop(p->host->vars, NULL, "Boot0006");
    }
}

/* Disk 1 of the modern machine has blocks of 512 bytes. */
static void target_on_a_disk_whose_table_firmware_may_not_see_is_refused(void **state)
{
    static const uint8_t zeros[512];
    struct planning *p = *state;
    struct clone_request request = between(MODERN_ESP_0, MODERN_ESP_1);
    uint8_t mbr[512];

    mem_block_peek(p->host->disks[1], 0, mbr, sizeof(mbr));
    mem_block_write(p->host->disks[1], 0, zeros, sizeof(zeros));
    planning_rescan(p);
    expect_refusal(p, &request, ST_REFUSED, "its protective MBR is missing");
    mem_block_write(p->host->disks[1], 0, mbr, sizeof(mbr));
    mem_block_write(p->host->disks[1], 512, zeros, sizeof(zeros));
    planning_rescan(p);
    expect_refusal(p, &request, ST_REFUSED, "its primary partition table is damaged");
    assert_int_equal(p->plan.count, 0);
}

static void target_outside_its_disk_is_refused(void **state)
{
    static const struct fixture_partition bad[] = {
        {1, TYPE_ESP, "44444444-dddd-4b01-8004-0123456789d3", 999000, 204800, "ESP"}};
    struct planning *p = *state;
    struct clone_request request = between(ARTICLE_ESP_0, bad[0].unique);

    fixture_add_disk(p->host, DISK_AHCI, 512, 1000000, "d0d0d0d0-0000-4d00-8000-0123456789d0", bad,
                     1);
    planning_rescan(p);
    expect_refusal(p, &request, ST_REFUSED, "lies outside the usable part of its disk");
    assert_int_equal(p->plan.count, 0);
}

static void target_guid_on_two_disks_is_refused(void **state)
{
    static const struct fixture_partition twin[] = {{1, TYPE_ESP, ARTICLE_ESP_1, 34, 417792, ""}};
    struct planning *p = *state;
    struct clone_request request = between(ARTICLE_ESP_0, ARTICLE_ESP_1);

    fixture_add_disk(p->host, DISK_AHCI, 512, 1000000, "d0d0d0d0-0000-4d00-8000-0123456789d0", twin,
                     1);
    planning_rescan(p);
    expect_refusal(p, &request, ST_REFUSED, "2 partitions of this machine have the GUID");
}

/* What edit_begin says of a BootOrder that is not sound. */
static void unsound_boot_order_is_damaged(void **state)
{
    static const uint8_t orders[][12] = {
        {3, 0, 0, 0, 1, 0, 2, 0, 4, 0, 3},    /* odd */
        {3, 0, 0, 0, 1, 0, 2, 0, 4, 0, 0, 0}, /* repeated */
        {3, 0, 0, 0, 1, 0, 2, 0, 4, 0, 9, 0}, /* absent */
    };
    struct planning *p = *state;
    struct clone_request request = between(ARTICLE_ESP_0, ARTICLE_ESP_1);

    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        mem_vars_put(p->host->vars, NULL, "BootOrder", 7, orders[i], i == 0 ? 11 : 12);
        planning_rescan(p);
        expect_refusal(p, &request, ST_DAMAGED, "Nothing was changed. Mend it first: ");
    }
    mem_vars_drop(p->host->vars, NULL, "BootOrder");
    planning_rescan(p);
    expect_refusal(p, &request, ST_DAMAGED, "Nothing was changed. Mend it first: ");
}

static void description_that_is_no_utf_8_is_usage(void **state)
{
    struct planning *p = *state;
    struct clone_request request = between(ARTICLE_ESP_0, ARTICLE_ESP_1);

    request.description = "\xff";
    assert_int_equal(plan_clone(&p->plan, &request), ST_USAGE);
    assert_int_equal(p->plan.count, 0);
}

/* The list's length field has 16 bits: a full path for each of many nodes does not fit. */
static void clone_that_becomes_too_long_is_refused(void **state)
{
    struct planning *p = *state;
    struct clone_request request = between(MODERN_ESP_0, MODERN_ESP_1);
    struct host_partition esp = fixture_partition_named(MODERN_ESP_0);
    size_t size = 4 + 2 + 4;
    uint8_t *value = calloc(1, 70000);
    struct fixture_bytes node = {.size = 0};

    fixture_put_hd(&node, &esp);
    fixture_put_end(&node);
    value[0] = 1;
    value[6] = 'X';
    while (size - 10 + node.size <= 65535) {
        memcpy(value + size, node.at, node.size);
        size += node.size;
    }
    st_le16(value + 4, (uint16_t)(size - 10));
    mem_vars_put(p->host->vars, NULL, "Boot0010", 7, value, size);
    free(value);
    planning_rescan(p);
    request.form = PATH_FULL;
    expect_refusal(p, &request, ST_REFUSED, "The clone of Boot0010 would be longer");
}

#define ARTICLE(test) \
    cmocka_unit_test_setup_teardown(test, planning_set_up_article, planning_tear_down)
#define MODERN(test) \
    cmocka_unit_test_setup_teardown(test, planning_set_up_modern, planning_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARTICLE(articles_entries_are_cloned_to_the_end_of_boot_order),
        ARTICLE(description_is_kept_without_a_request),
        ARTICLE(description_can_be_replaced),
        ARTICLE(disk_goes_behind_the_name_when_asked_for),
        ARTICLE(clone_of_a_clone_is_called_no_longer),
        MODERN(entries_of_the_firmwares_own_are_not_cloned),
        MODERN(optional_data_that_does_not_name_the_source_is_kept),
        ARTICLE(system_partition_in_optional_data_is_replaced),
        MODERN(foreign_optional_data_is_copied_with_a_warning),
        MODERN(malformed_windows_data_is_copied_with_a_warning),
        MODERN(further_paths_of_the_list_are_replaced),
        MODERN(full_path_stays_full_with_the_targets_controller),
        MODERN(short_makes_all_clones_short),
        MODERN(full_makes_all_clones_full),
        ARTICLE(second_run_finds_nothing_to_do),
        MODERN(equal_entry_of_another_form_is_enough),
        ARTICLE(equal_entry_outside_boot_order_is_put_into_it),
        ARTICLE(two_entries_that_start_the_same_get_one_clone),
        ARTICLE(only_way_to_understand_the_machine_is_taken),
        ARTICLE(stick_is_neither_source_nor_target),
        ARTICLE(several_ways_are_listed_as_commands),
        cmocka_unit_test(without_a_second_esp_there_is_nothing_to_choose),
        ARTICLE(finished_machine_leaves_nothing_to_do),
        ARTICLE(source_equal_to_target_is_usage),
        ARTICLE(unknown_target_is_absent),
        ARTICLE(unknown_source_is_absent),
        ARTICLE(source_that_no_entry_names_is_absent),
        ARTICLE(target_of_another_type_is_refused),
        MODERN(equal_entry_that_starts_less_surely_is_not_enough),
        MODERN(target_on_a_disk_whose_table_firmware_may_not_see_is_refused),
        ARTICLE(target_outside_its_disk_is_refused),
        ARTICLE(target_guid_on_two_disks_is_refused),
        ARTICLE(unsound_boot_order_is_damaged),
        ARTICLE(description_that_is_no_utf_8_is_usage),
        MODERN(clone_that_becomes_too_long_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
