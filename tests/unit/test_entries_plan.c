/* Plans of `add`, `delete`, `order`, `default`, `next`, `timeout`, `import` and `prune`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "plan/edit.h"
#include "plan/entries.h"
#include "plan/place.h"
#include "unit/bytes_fixture.h"
#include "unit/plan_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void expect_refusal(const struct planning *p, const char *text)
{
    if (strstr(p->plan.refusal, text) == NULL)
        fail_msg("\"%s\" is not in: %s", text, p->plan.refusal);
    assert_int_equal(p->plan.count, 0);
}

static void set_order(struct planning *p, const void *bytes, size_t size)
{
    mem_vars_put(p->host->vars, NULL, "BootOrder", 7, bytes, size);
    planning_rescan(p);
}

/* --- add ------------------------------------------------------------------------------------ */

static struct add_request addition(void)
{
    struct add_request request = {.partition = fixture_guid(MODERN_ESP_1),
                                  .file = BOOTMGFW,
                                  .description = "Shadow",
                                  .position = ORDER_END};

    return request;
}

static struct fixture_entry added(void)
{
    struct fixture_entry entry = {.number = 4,
                                  .description = "Shadow",
                                  .form = FIXTURE_SHORT,
                                  .partition = fixture_partition_named(MODERN_ESP_1),
                                  .file = BOOTMGFW};

    return entry;
}

static void added_entry_goes_where_it_is_wanted(void **state)
{
    static const struct {
        size_t position;
        const char *order;
    } cases[] = {{ORDER_END, "0000,0001,0002,0003,000A,000B,0004"},
                 {0, "0004,0000,0001,0002,0003,000A,000B"},
                 {2, "0000,0001,0004,0002,0003,000A,000B"},
                 {6, "0000,0001,0002,0003,000A,000B,0004"},
                 {99, "0000,0001,0002,0003,000A,000B,0004"}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct planning *p = planning_begin(fixture_modern_machine());
        struct add_request request = addition();
        struct fixture_entry entry = added();
        request.position = cases[i].position;
        assert_int_equal(plan_add(&p->plan, &request), ST_OK);
        planning_apply(p, ST_OK);
        expect_entry(p->host, &entry);
        expect_order(p->host, cases[i].order);
        planning_end(p);
    }
}

static void added_entry_has_full_path_and_optional_data_on_request(void **state)
{
    struct planning *p = *state;
    struct add_request request = addition();
    struct fixture_entry entry = added();

    request.full_path = true;
    request.optional = "quiet";
    entry.form = FIXTURE_FULL;
    entry.optional = FIXTURE_TEXT;
    entry.options = "quiet";
    assert_int_equal(plan_add(&p->plan, &request), ST_OK);
    planning_apply(p, ST_OK);
    expect_entry(p->host, &entry);
}

static void adding_what_exists_says_so(void **state)
{
    struct planning *p = *state;
    struct add_request request = addition();

    request.partition = fixture_guid(MODERN_ESP_0);
    request.file = SHIMX64;
    assert_int_equal(plan_add(&p->plan, &request), ST_EXISTS);
    expect_refusal(p, "Boot0001 \"debian\"");
}

static void adding_what_exists_outside_boot_order_puts_it_there(void **state)
{
    struct planning *p = *state;
    struct add_request request = addition();
    struct fixture_entry entry = added();

    entry.number = 0x30;
    fixture_add_entry(p->host, &entry);
    planning_rescan(p);
    request.position = 1;
    assert_int_equal(plan_add(&p->plan, &request), ST_OK);
    planning_apply(p, ST_OK);
    expect_order(p->host, "0000,0030,0001,0002,0003,000A,000B");
    expect_no_variable(p->host, "Boot0004");
}

static void adding_on_an_unknown_partition_is_absent(void **state)
{
    struct planning *p = *state;
    struct add_request request = addition();

    request.partition = fixture_guid(ARTICLE_ESP_0);
    assert_int_equal(plan_add(&p->plan, &request), ST_ABSENT);
    expect_refusal(p, "No partition of this machine has the GUID");
}

static void adding_on_no_esp_is_warned_of(void **state)
{
    struct planning *p = *state;
    struct add_request request = addition();

    request.partition = fixture_guid(MODERN_DATA_1);
    assert_int_equal(plan_add(&p->plan, &request), ST_OK);
    assert_int_equal(p->plan.warning_count, 1);
    assert_non_null(strstr(p->plan.warnings[0], "is not an EFI system partition"));
}

static void adding_text_that_is_no_utf_8_is_usage(void **state)
{
    for (int i = 0; i < 3; i++) {
        struct planning *p = *state;
        struct add_request request = addition();
        const char **fields[] = {&request.file, &request.description, &request.optional};
        *fields[i] = "\\\xc3";
        planning_rescan(p);
        assert_int_equal(plan_add(&p->plan, &request), ST_USAGE);
        assert_int_equal(p->plan.count, 0);
    }
}

static void adding_to_an_unsound_boot_order_is_damaged(void **state)
{
    struct planning *p = *state;
    struct add_request request = addition();

    set_order(p, "\0\0\1", 3);
    assert_int_equal(plan_add(&p->plan, &request), ST_DAMAGED);
    expect_refusal(p, "Mend it first");
}

static void first_entry_of_a_machine_makes_boot_order(void **state)
{
    struct host *host = host_new();
    static const struct fixture_partition esp = {1, TYPE_ESP, MODERN_ESP_1, 2048, 204800, ""};
    struct add_request request = addition();

    (void)state;
    fixture_add_disk(host, DISK_NVME, 512, 300000, "b0b0b0b0-0001-4d01-8000-0123456789b1", &esp, 1);
    struct host_partition place = fixture_place(0, &esp);
    mem_files_set_self(host->files, host_add_volume(host, &place, 10u << 20));
    struct planning *p = planning_begin(host);
    assert_int_equal(plan_add(&p->plan, &request), ST_OK);
    planning_apply(p, ST_OK);
    expect_order(host, "0000");
    planning_end(p);
}

/* --- delete --------------------------------------------------------------------------------- */

static void deleted_entry_leaves_the_others_in_order(void **state)
{
    struct planning *p = *state;
    const size_t entries[] = {planning_entry(p, 2), planning_entry(p, 0)};

    assert_int_equal(plan_delete(&p->plan, entries, 2), ST_OK);
    planning_apply(p, ST_OK);
    expect_order(p->host, "0001,0003,000A,000B");
    expect_no_variable(p->host, "Boot0000");
    expect_no_variable(p->host, "Boot0002");
}

static void boot_next_goes_with_the_entry_it_names(void **state)
{
    struct planning *p = *state;

    fixture_set_u16(p->host, "BootNext", 0x0b);
    planning_rescan(p);
    const size_t other = planning_entry(p, 0x0a);
    assert_int_equal(plan_delete(&p->plan, &other, 1), ST_OK);
    planning_apply(p, ST_OK);
    assert_non_null(mem_vars_find(p->host->vars, NULL, "BootNext"));
    planning_rescan(p);
    const size_t named = planning_entry(p, 0x0b);
    assert_int_equal(plan_delete(&p->plan, &named, 1), ST_OK);
    planning_apply(p, ST_OK);
    expect_no_variable(p->host, "BootNext");
}

static void last_entry_takes_boot_order_with_it(void **state)
{
    struct planning *p = *state;
    size_t all[6];

    for (size_t i = 0; i < 6; i++)
        all[i] = i;
    assert_int_equal(plan_delete(&p->plan, all, 6), ST_OK);
    planning_apply(p, ST_OK);
    expect_no_variable(p->host, "BootOrder");
    expect_no_variable(p->host, "Boot000B");
}

static void entry_outside_boot_order_can_be_deleted(void **state)
{
    struct planning *p = *state;
    struct fixture_entry entry = added();

    fixture_add_entry(p->host, &entry);
    planning_rescan(p);
    const size_t index = planning_entry(p, 4);
    assert_int_equal(plan_delete(&p->plan, &index, 1), ST_OK);
    assert_int_equal(p->plan.count, 1);
    planning_apply(p, ST_OK);
    expect_order(p->host, "0000,0001,0002,0003,000A,000B");
}

static void damaged_entry_can_be_deleted(void **state)
{
    struct planning *p = *state;

    mem_vars_put(p->host->vars, NULL, "Boot0002", 7, "short", 5);
    planning_rescan(p);
    const size_t index = planning_entry(p, 2);
    assert_int_equal(plan_delete(&p->plan, &index, 1), ST_OK);
    planning_apply(p, ST_OK);
    expect_no_variable(p->host, "Boot0002");
}

static void unreadable_entry_is_not_deleted(void **state)
{
    struct planning *p = *state;

    mem_vars_make_huge(p->host->vars, "Boot0002");
    planning_rescan(p);
    const size_t index = planning_entry(p, 2);
    assert_int_equal(plan_delete(&p->plan, &index, 1), ST_REFUSED);
    assert_string_equal(p->plan.refusal,
                        "Boot0002 cannot be read (damaged), so its content could not be saved "
                        "before a change. Nothing was changed.");
}

static void broken_boot_order_does_not_keep_an_entry_from_being_deleted(void **state)
{
    struct planning *p = *state;

    set_order(p, "\0\0\1\0\1\0\x77\0\2\0\3", 11);
    const size_t index = planning_entry(p, 1);
    assert_int_equal(plan_delete(&p->plan, &index, 1), ST_OK);
    planning_apply(p, ST_OK);
    expect_order(p->host, "0000,0002");
}

/* --- order ---------------------------------------------------------------------------------- */

static void ordered_entries_come_first_and_the_others_follow_as_they_were(void **state)
{
    struct planning *p = *state;
    const size_t entries[] = {planning_entry(p, 0x0b), planning_entry(p, 2)};

    assert_int_equal(plan_order(&p->plan, entries, 2), ST_OK);
    assert_int_equal(p->plan.count, 1);
    planning_apply(p, ST_OK);
    expect_order(p->host, "000B,0002,0000,0001,0003,000A");
    planning_rescan(p);
    const size_t again[] = {planning_entry(p, 0x0b), planning_entry(p, 2)};
    assert_int_equal(plan_order(&p->plan, again, 2), ST_OK);
    assert_int_equal(p->plan.count, 0);
}

static void entry_outside_boot_order_can_be_ordered(void **state)
{
    struct planning *p = *state;
    struct fixture_entry entry = added();

    fixture_add_entry(p->host, &entry);
    planning_rescan(p);
    const size_t index = planning_entry(p, 4);
    assert_int_equal(plan_order(&p->plan, &index, 1), ST_OK);
    planning_apply(p, ST_OK);
    expect_order(p->host, "0004,0000,0001,0002,0003,000A,000B");
}

static void missing_boot_order_is_made_of_all_entries(void **state)
{
    struct planning *p = *state;

    mem_vars_drop(p->host->vars, NULL, "BootOrder");
    planning_rescan(p);
    const size_t index = planning_entry(p, 3);
    assert_int_equal(plan_order(&p->plan, &index, 1), ST_OK);
    planning_apply(p, ST_OK);
    expect_order(p->host, "0003,0000,0001,0002,000A,000B");
}

/* A BootOrder of 500 members keeps every one of them. */
static void long_boot_order_loses_no_member(void **state)
{
    struct planning *p = *state;
    uint16_t numbers[500];
    uint8_t expected[1000];

    for (unsigned i = 0; i < 500; i++) {
        struct fixture_entry entry = added();
        char file[32];
        snprintf(file, sizeof(file), "\\f%u.efi", i);
        entry.number = numbers[i] = (uint16_t)(i * 7 % 500 + 0x100);
        entry.file = file;
        fixture_add_entry(p->host, &entry);
    }
    fixture_set_order(p->host, numbers, 500);
    planning_rescan(p);
    const size_t index = planning_entry(p, numbers[499]);
    assert_int_equal(plan_order(&p->plan, &index, 1), ST_OK);
    planning_apply(p, ST_OK);
    st_le16(expected, numbers[499]);
    for (size_t i = 0; i < 499; i++)
        st_le16(expected + 2 + 2 * i, numbers[i]);
    const struct mem_var *order = mem_vars_find(p->host->vars, NULL, "BootOrder");
    assert_int_equal(order->size, 1000);
    assert_memory_equal(order->data, expected, 1000);
}

static void default_is_the_first_of_boot_order(void **state)
{
    struct host *host = ((struct planning *)*state)->host;

    assert_int_equal(fixture_run(host, "default -y Boot0003"), 0);
    expect_order(host, "0003,0000,0001,0002,000A,000B");
    expect_unchanged(host, "default -y 1", 0);
    expect_said(host, "Nothing to do");
}

/* --- next and timeout ----------------------------------------------------------------------- */

static void next_is_set_once_and_deleted(void **state)
{
    struct planning *p = *state;

    assert_int_equal(plan_next(&p->plan, planning_entry(p, 0x0a)), ST_OK);
    planning_apply(p, ST_OK);
    const struct mem_var *next = mem_vars_find(p->host->vars, NULL, "BootNext");
    assert_non_null(next);
    assert_int_equal(next->attributes, 7);
    assert_int_equal(next->size, 2);
    assert_memory_equal(next->data, "\x0a\x00", 2);
    planning_rescan(p);
    assert_int_equal(plan_next(&p->plan, planning_entry(p, 0x0a)), ST_OK);
    assert_int_equal(p->plan.count, 0);
    assert_int_equal(plan_next(&p->plan, NO_INDEX), ST_OK);
    planning_apply(p, ST_OK);
    expect_no_variable(p->host, "BootNext");
    planning_rescan(p);
    assert_int_equal(plan_next(&p->plan, NO_INDEX), ST_OK);
    assert_int_equal(p->plan.count, 0);
}

static void next_of_an_inactive_entry_is_warned_of(void **state)
{
    struct planning *p = *state;
    struct fixture_entry entry = added();

    entry.inactive = true;
    fixture_add_entry(p->host, &entry);
    planning_rescan(p);
    assert_int_equal(plan_next(&p->plan, planning_entry(p, 4)), ST_OK);
    assert_int_equal(p->plan.warning_count, 1);
    assert_int_equal(p->plan.count, 1);
}

static void unreadable_next_and_timeout_are_refused(void **state)
{
    struct planning *p = *state;

    fixture_set_u16(p->host, "BootNext", 0);
    mem_vars_make_huge(p->host->vars, "BootNext");
    mem_vars_make_huge(p->host->vars, "Timeout");
    planning_rescan(p);
    assert_int_equal(plan_next(&p->plan, planning_entry(p, 1)), ST_REFUSED);
    planning_rescan(p);
    assert_int_equal(plan_timeout(&p->plan, 4), ST_REFUSED);
    expect_refusal(p, "Timeout cannot be read");
}

static void timeout_is_two_bytes(void **state)
{
    struct planning *p = *state;

    assert_int_equal(plan_timeout(&p->plan, 0x1234), ST_OK);
    planning_apply(p, ST_OK);
    const struct mem_var *timeout = mem_vars_find(p->host->vars, NULL, "Timeout");
    assert_int_equal(timeout->size, 2);
    assert_memory_equal(timeout->data, "\x34\x12", 2);
    planning_rescan(p);
    assert_int_equal(plan_timeout(&p->plan, 0x1234), ST_OK);
    assert_int_equal(p->plan.count, 0);
}

static void timeout_replaces_one_that_is_malformed(void **state)
{
    struct planning *p = *state;

    mem_vars_put(p->host->vars, NULL, "Timeout", 7, "\5\0\0\0", 4);
    planning_rescan(p);
    assert_int_equal(plan_timeout(&p->plan, 5), ST_OK);
    planning_apply(p, ST_OK);
    assert_int_equal(mem_vars_find(p->host->vars, NULL, "Timeout")->size, 2);
}

/* --- import --------------------------------------------------------------------------------- */

static struct import_item saved(struct planning *p, const struct fixture_entry *entry,
                                struct fixture_bytes *value)
{
    struct import_item item = {{NULL, 0}, "FS0:\\saved"};

    fixture_entry_value(p->host, entry, value);
    item.value = span_of(value->at, value->size);
    return item;
}

static void imported_entry_is_what_was_saved(void **state)
{
    struct planning *p = *state;
    struct fixture_entry entry = added();
    struct fixture_bytes value;
    struct import_item item = saved(p, &entry, &value);

    assert_int_equal(plan_import(&p->plan, &item, 1, NULL), ST_OK);
    planning_apply(p, ST_OK);
    expect_entry(p->host, &entry);
    expect_order(p->host, "0000,0001,0002,0003,000A,000B,0004");
}

static void imported_entry_is_retargeted(void **state)
{
    struct planning *p = *state;
    struct fixture_entry entry = added();
    struct fixture_bytes value;
    const struct import_retarget how = {fixture_guid(ARTICLE_ESP_0), fixture_guid(MODERN_ESP_1)};

    entry.partition = fixture_partition_named(ARTICLE_ESP_0);
    struct import_item item = saved(p, &entry, &value);
    assert_int_equal(plan_import(&p->plan, &item, 1, &how), ST_OK);
    planning_apply(p, ST_OK);
    entry.partition = fixture_partition_named(MODERN_ESP_1);
    expect_entry(p->host, &entry);
}

static void importing_what_exists_leaves_it_out_with_a_warning(void **state)
{
    struct planning *p = *state;
    struct fixture_entry entry = added();
    struct fixture_bytes value;

    entry.partition = fixture_partition_named(MODERN_ESP_0);
    entry.file = SHIMX64;
    struct import_item items[2] = {saved(p, &entry, &value)};
    items[1] = items[0];
    items[1].file = "FS0:\\other";
    assert_int_equal(plan_import(&p->plan, items, 2, NULL), ST_OK);
    assert_int_equal(p->plan.count, 0);
    assert_int_equal(p->plan.warning_count, 2);
}

static void one_entry_in_two_files_is_imported_once(void **state)
{
    struct planning *p = *state;
    struct fixture_entry entry = added();
    struct fixture_bytes value;
    struct import_item items[2] = {saved(p, &entry, &value)};

    items[1] = items[0];
    assert_int_equal(plan_import(&p->plan, items, 2, NULL), ST_OK);
    assert_int_equal(p->plan.count, 2);
}

/* Cut at every byte: a load option says itself where its paths end, not where its data does. */
static void import_of_a_part_of_an_entry_is_damaged(void **state)
{
    struct planning *p = *state;
    struct fixture_entry entry = added();
    struct fixture_bytes value;
    struct import_item item = saved(p, &entry, &value);

    for (size_t size = 0; size < value.size; size++) {
        item.value = fixture_exact(value.at, size);
        planning_rescan(p);
        assert_int_equal(plan_import(&p->plan, &item, 1, NULL), ST_DAMAGED);
        expect_refusal(p, "FS0:\\saved does not hold a boot entry");
        fixture_drop(item.value);
    }
}

/* With its mark firmware would delete it again, and without it would make another. */
static void import_leaves_out_what_the_firmware_made(void **state)
{
    struct planning *p = *state;
    struct fixture_entry entry = {
        .description = "UEFI Disk 7", .form = FIXTURE_BBS, .optional = FIXTURE_AUTO_CREATED};
    struct fixture_bytes value;
    struct import_item item = saved(p, &entry, &value);

    assert_int_equal(plan_import(&p->plan, &item, 1, NULL), ST_OK);
    assert_int_equal(p->plan.count, 0);
    assert_int_equal(p->plan.warning_count, 1);
    assert_non_null(strstr(p->plan.warnings[0], "firmware makes itself"));
}

static void import_to_an_unknown_target_is_absent(void **state)
{
    struct planning *p = *state;
    struct fixture_entry entry = added();
    struct fixture_bytes value;
    struct import_item item = saved(p, &entry, &value);
    const struct import_retarget how = {fixture_guid(MODERN_ESP_1), fixture_guid(ARTICLE_ESP_0)};

    assert_int_equal(plan_import(&p->plan, &item, 1, &how), ST_ABSENT);
    assert_int_equal(p->plan.count, 0);
}

/* --- prune ---------------------------------------------------------------------------------- */

static void prune_finds_nothing_on_a_sound_machine(void **state)
{
    struct planning *p = *state;

    assert_int_equal(plan_prune(&p->plan), ST_OK);
    assert_int_equal(p->plan.count, 0);
}

static void prune_deletes_what_starts_nothing_more(void **state)
{
    struct planning *p = *state;
    struct fixture_entry gone = added();
    struct fixture_entry no_file = added();
    struct fixture_entry twin = added();

    gone.number = 4;
    gone.partition = fixture_partition_named(ARTICLE_ESP_0);
    no_file.number = 5;
    no_file.file = "\\EFI\\none.efi";
    twin.number = 6;
    twin.form = FIXTURE_FULL;
    twin.partition = fixture_partition_named(MODERN_ESP_0);
    twin.file = SHIMX64;
    fixture_add_entry(p->host, &gone);
    fixture_add_entry(p->host, &no_file);
    fixture_add_entry(p->host, &twin);
    fixture_set_order(p->host, (const uint16_t[]){4, 0, 5, 1, 6, 2, 3, 10, 11}, 9);
    planning_rescan(p);
    assert_int_equal(plan_prune(&p->plan), ST_OK);
    assert_int_equal(p->plan.count, 4);
    planning_apply(p, ST_OK);
    expect_order(p->host, "0000,0001,0002,0003,000A,000B");
    expect_no_variable(p->host, "Boot0004");
    expect_no_variable(p->host, "Boot0005");
    expect_no_variable(p->host, "Boot0006");
    planning_rescan(p);
    assert_int_equal(plan_prune(&p->plan), ST_OK);
    assert_int_equal(p->plan.count, 0);
}

/* A read that failed once does not say what will be there when it does not fail. */
static void prune_keeps_what_an_esp_that_cannot_be_read_may_have(void **state)
{
    struct planning *p = *state;
    struct fixture_entry no_file = added();
    struct esp esp = {.status = ST_IO};
    size_t at = 0;

    no_file.number = 5;
    no_file.file = "\\EFI\\none.efi";
    fixture_add_entry(p->host, &no_file);
    planning_rescan(p);
    while (p->machine.entries[at].number != 5)
        at++;
    esp.partition = p->machine.entries[at].boot.partition;
    p->machine.esps = &esp;
    p->machine.esp_count = 1;
    assert_int_equal(plan_prune(&p->plan), ST_OK);
    assert_int_equal(p->plan.count, 0);
    assert_string_equal(p->plan.warnings[0], "Boot0005 is kept: its ESP cannot be read.");
    esp.status = ST_OK;
    esp.report.problems[FAT_UNREADABLE] = 1; /* of a directory, for instance */
    assert_int_equal(plan_prune(&p->plan), ST_OK);
    assert_int_equal(p->plan.count, 0);
    esp.report.problems[FAT_UNREADABLE] = 0;
    assert_int_equal(plan_prune(&p->plan), ST_OK);
    assert_int_not_equal(p->plan.count, 0);
    p->machine.esp_count = 0;
}

/* An entry before another one of the modern machine's order, and the plan of prune for both. */
static size_t pruned_with(struct planning *p, struct fixture_entry *first,
                          struct fixture_entry *second)
{
    first->number = 4;
    second->number = 5;
    fixture_add_entry(p->host, first);
    fixture_add_entry(p->host, second);
    fixture_set_order(p->host, (const uint16_t[]){4, 5, 0, 1, 2, 3, 10, 11}, 8);
    planning_rescan(p);
    assert_int_equal(plan_prune(&p->plan), ST_OK);
    return p->plan.count;
}

static struct fixture_entry shim_on_esp_0(void)
{
    struct fixture_entry entry = added();

    entry.partition = fixture_partition_named(MODERN_ESP_0);
    entry.file = SHIMX64;
    return entry;
}

/* Nothing that is tried starts the shim that the entry of the dead disk tells of. */
static void prune_keeps_the_last_record_of_a_loader(void **state)
{
    struct planning *p = *state;
    struct fixture_entry gone = shim_on_esp_0();

    gone.number = 4;
    gone.partition = fixture_partition_named(ARTICLE_ESP_0);
    fixture_add_entry(p->host, &gone);
    mem_vars_drop(p->host->vars, NULL, "Boot0001");
    fixture_set_order(p->host, (const uint16_t[]){4, 0, 2, 3, 10, 11}, 6);
    planning_rescan_to(p, SCAN_LISTED);
    p->machine.entries[1].boot.file_status = ST_ABSENT; /* Boot0000 */
    assert_int_equal(plan_prune(&p->plan), ST_OK);
    assert_null(strstr(planning_text(p), "delete Boot0004"));
    assert_null(strstr(planning_text(p), "BootOrder"));
    bool said = false;
    for (size_t i = 0; i < p->plan.warning_count; i++)
        said |= strstr(p->plan.warnings[i], "Boot0004 \"Shadow\" is kept") != NULL &&
                strstr(p->plan.warnings[i], "clone -sg {" ARTICLE_ESP_0 "} -tg {") != NULL;
    assert_true(said);
    assert_true(p->plan.left_out);
}

/* Of two that tell the same, one is enough. */
static void prune_deletes_the_twin_of_a_last_record(void **state)
{
    struct fixture_entry first = shim_on_esp_0();
    struct fixture_entry second = shim_on_esp_0();
    struct planning *p = *state;

    first.partition = fixture_partition_named(ARTICLE_ESP_0);
    second.partition = first.partition;
    mem_vars_drop(p->host->vars, NULL, "Boot0000");
    mem_vars_drop(p->host->vars, NULL, "Boot0001");
    first.number = 4;
    second.number = 5;
    fixture_add_entry(p->host, &first);
    fixture_add_entry(p->host, &second);
    fixture_set_order(p->host, (const uint16_t[]){4, 5, 2, 3, 10, 11}, 6);
    planning_rescan(p);
    assert_int_equal(plan_prune(&p->plan), ST_OK);
    assert_null(strstr(planning_text(p), "delete Boot0004"));
    assert_non_null(strstr(planning_text(p), "delete Boot0005"));
}

static void prune_keeps_twins_whose_guid_is_zero(void **state)
{
    struct fixture_entry first = shim_on_esp_0();
    struct fixture_entry second = shim_on_esp_0();

    memset(&first.partition.guid, 0, sizeof(first.partition.guid));
    memset(&second.partition.guid, 0, sizeof(second.partition.guid));
    assert_int_equal(pruned_with(*state, &first, &second), 0);
}

static void prune_keeps_twins_of_a_file_on_any_disk(void **state)
{
    struct fixture_entry first = {.description = "x", .form = FIXTURE_FILE, .file = SHIMX64};
    struct fixture_entry second = first;

    assert_int_equal(pruned_with(*state, &first, &second), 0);
}

static void prune_keeps_twins_with_a_mark(void **state)
{
    struct fixture_entry first = shim_on_esp_0();
    struct fixture_entry second = shim_on_esp_0();

    first.optional = FIXTURE_AUTO_CREATED;
    second.optional = FIXTURE_AUTO_CREATED;
    assert_int_equal(pruned_with(*state, &first, &second), 0);
}

/* A disk that is here and cannot be read is not gone. */
static void prune_keeps_the_entries_of_an_unreadable_disk(void **state)
{
    struct planning *p = *state;

    mem_block_spoil(p->host->disks[0], 0, 2100000);
    planning_rescan(p);
    assert_int_equal(plan_prune(&p->plan), ST_OK);
    assert_int_equal(p->plan.count, 0);
    assert_int_equal(p->plan.warning_count, 1);
    assert_non_null(strstr(p->plan.warnings[0], "Disk 0"));
}

static void prune_keeps_the_entries_of_a_disk_with_a_damaged_table(void **state)
{
    static const uint8_t bad[8] = "EFI BART";
    struct planning *p = *state;

    mem_block_write(p->host->disks[0], 4096, bad, 8);
    mem_block_write(p->host->disks[0], 2099999ull * 4096, bad, 8);
    planning_rescan(p);
    assert_int_equal(plan_prune(&p->plan), ST_OK);
    assert_int_equal(p->plan.count, 0);
    assert_int_equal(p->plan.warning_count, 1);
}

/* The same twice is the case in which one goes; each difference below keeps both. */
static void prune_deletes_the_second_of_two_equal_entries(void **state)
{
    struct fixture_entry first = shim_on_esp_0();
    struct fixture_entry second = shim_on_esp_0();

    assert_int_equal(pruned_with(*state, &first, &second), 2);
    assert_non_null(strstr(planning_text(*state), "delete Boot0005"));
}

static void prune_keeps_the_good_one_behind_one_with_a_wrong_size(void **state)
{
    struct fixture_entry first = shim_on_esp_0();
    struct fixture_entry second = shim_on_esp_0();

    first.partition.size -= 8;
    assert_int_equal(pruned_with(*state, &first, &second), 0);
}

static void prune_keeps_the_active_one_behind_an_inactive_one(void **state)
{
    struct fixture_entry first = shim_on_esp_0();
    struct fixture_entry second = shim_on_esp_0();

    first.inactive = true;
    assert_int_equal(pruned_with(*state, &first, &second), 0);
}

static void prune_leaves_twins_that_the_firmware_made(void **state)
{
    struct fixture_entry first = {.description = "UEFI Disk 1",
                                  .form = FIXTURE_DISK,
                                  .partition = fixture_partition_named(MODERN_ESP_1),
                                  .optional = FIXTURE_AUTO_CREATED};
    struct fixture_entry second = first;

    assert_int_equal(pruned_with(*state, &first, &second), 0);
}

/* Firmware may mean the other partition with that GUID, and the file may be there. */
static void prune_keeps_entries_of_a_guid_that_two_disks_have(void **state)
{
    static const struct fixture_partition copy[] = {
        {1, TYPE_ESP, MODERN_ESP_0, 2048, 204800, "raw copy"}};
    struct planning *p = *state;

    fixture_add_disk(p->host, DISK_AHCI, 512, 1000000, "d0d0d0d0-0000-4d00-8000-0123456789d0", copy,
                     1);
    mem_files_drop(p->host->files, 0, SHIMX64);
    planning_rescan(p);
    assert_int_equal(plan_prune(&p->plan), ST_OK);
    assert_int_equal(p->plan.count, 0);
}

static void prune_mends_boot_order(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *order;
    } cases[] = {
        {"\3\0\2\0\1\0\0\0\x0a\0\x0b\0\1", 13, "0003,0002,0001,0000,000A,000B"},
        {"\3\0\2\0\3\0\1\0\0\0\x0a\0\x0b\0", 14, "0003,0002,0001,0000,000A,000B"},
        {"\3\0\2\0\x44\0\1\0\0\0\x0a\0\x0b\0", 14, "0003,0002,0001,0000,000A,000B"},
    };
    struct planning *p = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        set_order(p, cases[i].bytes, cases[i].size);
        assert_int_equal(plan_prune(&p->plan), ST_OK);
        planning_apply(p, ST_OK);
        expect_order(p->host, cases[i].order);
    }
    mem_vars_drop(p->host->vars, NULL, "BootOrder");
    planning_rescan(p);
    assert_int_equal(plan_prune(&p->plan), ST_OK);
    planning_apply(p, ST_OK);
    expect_order(p->host, "0000,0001,0002,0003,000A,000B");
}

static void expect_no_edit(struct planning *p)
{
    struct add_request request = addition();
    const size_t first = 0;

    assert_int_equal(plan_add(&p->plan, &request), ST_IO);
    assert_int_equal(plan_delete(&p->plan, &first, 1), ST_IO);
    assert_int_equal(plan_order(&p->plan, &first, 1), ST_IO);
    assert_int_equal(plan_prune(&p->plan), ST_IO);
    expect_refusal(p, "The firmware's boot variables cannot be read");
}

static void unreadable_boot_variables_are_never_edited(void **state)
{
    struct planning *p = *state;
    enum status *const statuses[] = {&p->machine.entries_status, &p->machine.order.status,
                                     &p->machine.next.status, &p->machine.current.status};

    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        planning_rescan(p);
        *statuses[i] = ST_IO;
        expect_no_edit(p);
    }
}

static void boot_order_of_an_absurd_size_is_never_edited(void **state)
{
    struct planning *p = *state;

    mem_vars_make_huge(p->host->vars, "BootOrder");
    planning_rescan(p);
    expect_no_edit(p);
}

/* --- Parts of all these --------------------------------------------------------------------- */

static void highest_number_is_given_and_then_there_is_none(void **state)
{
    static uint16_t numbers[65536];
    struct planning *p = *state;
    struct boot_edit edit;
    uint16_t number = 0;

    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        numbers[i] = (uint16_t)(0xffff - i);
    assert_int_equal(edit_begin(&p->plan, 2, &edit), ST_OK);
    /* All are named but FFFF. Those below FF00 are not asked for one by one: that takes long. */
    p->machine.order.numbers = numbers + 1;
    p->machine.order.count = COUNT_OF(numbers) - 1;
    edit.next_free = 0xff00;
    assert_int_equal(edit_create(&edit, span_of("a", 1), ORDER_END, "", NO_INDEX, &number), ST_OK);
    assert_int_equal(number, 0xffff);
    assert_string_equal(p->plan.actions[0].name, "BootFFFF");
    number = 7;
    assert_int_equal(edit_create(&edit, span_of("b", 1), ORDER_END, "", NO_INDEX, &number),
                     ST_NO_SPACE);
    assert_non_null(strstr(p->plan.refusal, "All 65,536 numbers for boot entries are in use."));
    assert_int_equal(number, 7);
    assert_int_equal(p->plan.count, 1);
}

static void edit_that_loses_a_member_of_boot_order_is_refused(void **state)
{
    struct planning *p = *state;
    struct boot_edit edit;

    assert_int_equal(edit_begin(&p->plan, 0, &edit), ST_OK);
    edit.count--;
    assert_int_equal(edit_finish(&edit), ST_REFUSED);
    expect_refusal(p, "would drop an entry from BootOrder that was not named");
    assert_int_equal(p->plan.count, 0);
}

static void edit_without_memory_is_reported(void **state)
{
    struct planning *p = *state;
    struct arena none = fixture_scratch_of(0);
    struct boot_edit edit = {.room = 77};

    p->plan.arena = &none;
    assert_int_equal(edit_begin(&p->plan, 1, &edit), ST_NO_MEMORY);
    assert_int_equal(edit_begin_mending(&p->plan, 1, &edit), ST_NO_MEMORY);
    assert_int_equal(edit.room, 77);
    planning_rescan(p);
    assert_int_equal(edit_begin(&p->plan, 1, &edit), ST_OK);
    p->plan.arena = &none;
    assert_int_equal(edit_create(&edit, span_of("a", 1), ORDER_END, "", NO_INDEX, NULL),
                     ST_NO_MEMORY);
    planning_rescan(p);
    assert_int_equal(edit_begin(&p->plan, 0, &edit), ST_OK);
    edit_place(&edit, 0, ORDER_END);
    p->plan.arena = &none;
    assert_int_equal(edit_finish(&edit), ST_NO_MEMORY);
}

static void partition_that_overlaps_another_is_refused(void **state)
{
    static const struct fixture_partition bad[] = {
        {1, TYPE_ESP, "44444444-dddd-4b01-8004-0123456789d3", 2048, 4096, "ESP"},
        {2, TYPE_BASIC_DATA, "44444444-dddd-4b02-8004-0123456789d3", 6143, 4096, "data"}};
    struct planning *p = *state;
    struct guid guid = fixture_guid(bad[0].unique);
    size_t partition = 77;

    fixture_add_disk(p->host, DISK_AHCI, 512, 1000000, "d0d0d0d0-0000-4d00-8000-0123456789d0", bad,
                     COUNT_OF(bad));
    planning_rescan(p);
    assert_int_equal(place_find(&p->plan, &guid, &partition), ST_REFUSED);
    expect_refusal(p, "overlaps another partition. \"shadowboot disks 2\" shows it.");
    assert_int_equal(partition, 77);
    assert_true(p->plan.target_disk == NO_INDEX);
}

/* Boot0001 has a full path; the value here is like it but for the description. */
static void equal_entry_is_found_when_its_form_counts(void **state)
{
    struct planning *p = *state;
    struct fixture_entry entry = {.description = "Another name",
                                  .form = FIXTURE_FULL,
                                  .partition = fixture_partition_named(MODERN_ESP_0),
                                  .file = SHIMX64};
    struct fixture_bytes bytes;
    size_t found = NO_INDEX;

    fixture_entry_value(p->host, &entry, &bytes);
    struct span value = span_of(bytes.at, bytes.size);
    assert_int_equal(place_find_equal(&p->plan, value, DEVPATH_FORM_EMPTY, &found), ST_OK);
    assert_int_equal(found, planning_entry(p, 1));
    found = 77;
    assert_int_equal(place_find_equal(&p->plan, value, DEVPATH_FORM_HD, &found), ST_ABSENT);
    assert_int_equal(place_find_equal(&p->plan, span_of(bytes.at, 5), DEVPATH_FORM_EMPTY, &found),
                     ST_DAMAGED);
    struct arena none = fixture_scratch_of(0);
    p->plan.arena = &none;
    assert_int_equal(place_find_equal(&p->plan, value, DEVPATH_FORM_EMPTY, &found), ST_NO_MEMORY);
    assert_int_equal(found, 77);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, planning_set_up_modern, planning_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(added_entry_goes_where_it_is_wanted),
        CASE(added_entry_has_full_path_and_optional_data_on_request),
        CASE(adding_what_exists_says_so),
        CASE(adding_what_exists_outside_boot_order_puts_it_there),
        CASE(adding_on_an_unknown_partition_is_absent),
        CASE(adding_on_no_esp_is_warned_of),
        CASE(adding_text_that_is_no_utf_8_is_usage),
        CASE(adding_to_an_unsound_boot_order_is_damaged),
        CASE(first_entry_of_a_machine_makes_boot_order),
        CASE(deleted_entry_leaves_the_others_in_order),
        CASE(boot_next_goes_with_the_entry_it_names),
        CASE(last_entry_takes_boot_order_with_it),
        CASE(entry_outside_boot_order_can_be_deleted),
        CASE(damaged_entry_can_be_deleted),
        CASE(unreadable_entry_is_not_deleted),
        CASE(broken_boot_order_does_not_keep_an_entry_from_being_deleted),
        CASE(ordered_entries_come_first_and_the_others_follow_as_they_were),
        CASE(entry_outside_boot_order_can_be_ordered),
        CASE(missing_boot_order_is_made_of_all_entries),
        CASE(long_boot_order_loses_no_member),
        CASE(default_is_the_first_of_boot_order),
        CASE(next_is_set_once_and_deleted),
        CASE(next_of_an_inactive_entry_is_warned_of),
        CASE(unreadable_next_and_timeout_are_refused),
        CASE(timeout_is_two_bytes),
        CASE(timeout_replaces_one_that_is_malformed),
        CASE(imported_entry_is_what_was_saved),
        CASE(imported_entry_is_retargeted),
        CASE(importing_what_exists_leaves_it_out_with_a_warning),
        CASE(one_entry_in_two_files_is_imported_once),
        CASE(import_of_a_part_of_an_entry_is_damaged),
        CASE(import_leaves_out_what_the_firmware_made),
        CASE(import_to_an_unknown_target_is_absent),
        CASE(prune_finds_nothing_on_a_sound_machine),
        CASE(prune_deletes_what_starts_nothing_more),
        CASE(prune_keeps_what_an_esp_that_cannot_be_read_may_have),
        CASE(prune_keeps_the_entries_of_an_unreadable_disk),
        CASE(prune_keeps_the_entries_of_a_disk_with_a_damaged_table),
        CASE(prune_deletes_the_second_of_two_equal_entries),
        CASE(prune_keeps_the_good_one_behind_one_with_a_wrong_size),
        CASE(prune_keeps_the_active_one_behind_an_inactive_one),
        CASE(prune_leaves_twins_that_the_firmware_made),
        CASE(prune_keeps_the_last_record_of_a_loader),
        CASE(prune_deletes_the_twin_of_a_last_record),
        CASE(prune_keeps_twins_whose_guid_is_zero),
        CASE(prune_keeps_twins_of_a_file_on_any_disk),
        CASE(prune_keeps_twins_with_a_mark),
        CASE(prune_keeps_entries_of_a_guid_that_two_disks_have),
        CASE(prune_mends_boot_order),
        CASE(unreadable_boot_variables_are_never_edited),
        CASE(boot_order_of_an_absurd_size_is_never_edited),
        CASE(highest_number_is_given_and_then_there_is_none),
        CASE(edit_that_loses_a_member_of_boot_order_is_refused),
        CASE(edit_without_memory_is_reported),
        CASE(partition_that_overlaps_another_is_refused),
        CASE(equal_entry_is_found_when_its_form_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
