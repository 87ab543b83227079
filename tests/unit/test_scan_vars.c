/* Reading the boot variables, in every state firmware and other tools leave them in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/host_alloc.h"
#include "host/var_rules.h"
#include "unit/bytes_fixture.h"
#include "unit/scan_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct guid foreign = GUID_INIT(0x12345678, 0x1234, 0x1234, 0x1234, 0x123456789abc);

static const struct entry *entry_numbered(const struct scanned *scanned, uint16_t number)
{
    size_t index = machine_find_entry(&scanned->machine, number);

    return index == NO_INDEX ? NULL : &scanned->machine.entries[index];
}

/* "0003,0000,..." of all entries by id, a '*' behind those outside BootOrder. */
static void assert_ids(const struct scanned *scanned, const char *wanted)
{
    char text[512] = "";
    size_t used = 0;

    for (size_t i = 0; i < scanned->machine.entry_count; i++) {
        const struct entry *entry = &scanned->machine.entries[i];
        assert_int_equal(entry->id, i + 1);
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%04X%s", i > 0 ? "," : "",
                                 entry->number, entry->in_order ? "" : "*");
    }
    assert_string_equal(text, wanted);
}

static void ids_count_in_the_sequence_of_the_order(void **state)
{
    (void)state;
    struct host *host = fixture_article_machine();
    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);

    assert_ids(scanned, "0003,0000,0001,0002,0004");
    assert_int_equal(scanned->machine.order.status, ST_OK);
    assert_int_equal(scanned->machine.timeout.number, 30);
    assert_int_equal(scanned->machine.current.number, 4);
    assert_int_equal(scanned->machine.next.status, ST_ABSENT);
    scanned_free(scanned);
    host_free(host);
}

static void entries_outside_the_order_come_behind_by_number(void **state)
{
    (void)state;
    static const uint16_t order[] = {4, 1};
    struct host *host = fixture_article_machine();

    fixture_set_order(host, order, COUNT_OF(order));
    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
    assert_ids(scanned, "0004,0001,0000*,0002*,0003*");
    assert_non_null(find_finding(scanned, FINDING_ENTRY_NOT_IN_ORDER));
    scanned_free(scanned);
    host_free(host);
}

/* They are looked for by eights. */
static void entries_far_from_each_other_are_found(void **state)
{
    (void)state;
    static const uint16_t numbers[] = {7, 8, 0x1f0, 0xfff8, 0xffff};
    struct host *host = host_new();

    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        struct fixture_entry entry = {
            .number = numbers[i], .description = "x", .form = FIXTURE_FILE, .file = "\\x.efi"};
        fixture_add_entry(host, &entry);
    }
    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
    assert_ids(scanned, "0007*,0008*,01F0*,FFF8*,FFFF*");
    scanned_free(scanned);
    host_free(host);
}

static void order_of_odd_size_gives_its_whole_members(void **state)
{
    (void)state;
    static const uint8_t order[] = {3, 0, 0, 0, 1, 0, 2, 0, 4};
    struct host *host = fixture_article_machine();

    put_var(host, "BootOrder", order, sizeof(order));
    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
    assert_int_equal(scanned->machine.order.status, ST_DAMAGED);
    assert_int_equal(scanned->machine.order.count, 4);
    assert_int_equal(scanned->machine.order.value.size, 9);
    assert_ids(scanned, "0003,0000,0001,0002,0004*");
    assert_non_null(find_finding(scanned, FINDING_ORDER_ODD_SIZE));
    scanned_free(scanned);
    host_free(host);
}

static void order_of_one_byte_has_no_members(void **state)
{
    (void)state;
    struct host *host = fixture_article_machine();

    put_var(host, "BootOrder", "", 1);
    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
    assert_int_equal(scanned->machine.order.status, ST_DAMAGED);
    assert_int_equal(scanned->machine.order.count, 0);
    assert_int_equal(scanned->machine.entry_count, 5);
    scanned_free(scanned);
    host_free(host);
}

static void repeated_member_gives_one_entry(void **state)
{
    (void)state;
    static const uint16_t order[] = {3, 0, 3, 1, 2, 3, 4};
    struct host *host = fixture_article_machine();

    fixture_set_order(host, order, COUNT_OF(order));
    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
    assert_ids(scanned, "0003,0000,0001,0002,0004");
    assert_int_equal(scanned->machine.order.count, 7);
    assert_non_null(find_finding(scanned, FINDING_ORDER_REPEATS));
    scanned_free(scanned);
    host_free(host);
}

static void missing_order_lists_entries_by_number(void **state)
{
    (void)state;
    struct host *host = fixture_article_machine();

    mem_vars_drop(host->vars, NULL, "BootOrder");
    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
    assert_int_equal(scanned->machine.order.status, ST_ABSENT);
    assert_ids(scanned, "0000*,0001*,0002*,0003*,0004*");
    assert_non_null(find_finding(scanned, FINDING_ORDER_MISSING));
    scanned_free(scanned);
    host_free(host);
}

static void absent_members_take_no_id(void **state)
{
    (void)state;
    static const uint16_t order[] = {0x77, 3, 0xffff, 0, 1, 2, 4};
    struct host *host = fixture_article_machine();

    fixture_set_order(host, order, COUNT_OF(order));
    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
    assert_ids(scanned, "0003,0000,0001,0002,0004");
    assert_non_null(find_finding(scanned, FINDING_ORDER_NAMES_ABSENT));
    scanned_free(scanned);
    host_free(host);
}

static enum status names_nothing(void *ctx, bool restart, struct var_id *ret_id)
{
    (void)ctx;
    (void)restart;
    (void)ret_id;
    return ST_ABSENT;
}

static void order_is_followed_to_entries_the_enumeration_leaves_out(void **state)
{
    (void)state;
    struct host *host = fixture_article_machine();
    struct ports ports = *host_ports(host);
    struct machine machine;
    struct arena arena;
    void *memory = host_borrow(16u << 20);

    arena_init(&arena, memory, 16u << 20);
    ports.vars.next = names_nothing;
    assert_int_equal(scan_machine(&arena, &ports, SCAN_ENTRIES, &machine), ST_OK);
    assert_int_equal(machine.entry_count, 5);
    assert_int_equal(machine.entries[4].number, 4);
    host_return(memory);
    host_free(host);
}

static void two_byte_variables_of_another_size_are_damaged(void **state)
{
    (void)state;
    static const char *const names[] = {"BootNext", "Timeout", "BootCurrent"};
    static const size_t sizes[] = {1, 3, 4, 1000};
    static const uint8_t zeros[1000];

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        for (size_t j = 0; j < COUNT_OF(sizes); j++) {
            struct host *host = fixture_article_machine();
            put_var(host, names[i], zeros, sizes[j]);
            struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
            const struct machine *machine = &scanned->machine;
            const struct small_var *var = i == 0   ? &machine->next
                                          : i == 1 ? &machine->timeout
                                                   : &machine->current;
            assert_int_equal(var->status, ST_DAMAGED);
            assert_int_equal(var->value.size, sizes[j]);
            scanned_free(scanned);
            host_free(host);
        }
    }
}

static void damaged_small_variables_are_shown_as_damaged(void **state)
{
    (void)state;
    struct host *host = fixture_article_machine();
    const char *text = NULL;

    put_var(host, "BootNext", "abc", 3);
    put_var(host, "Timeout", "a", 1);
    (void)run_line(host, "entries", &text);
    assert_says(text, "Timeout:             damaged|BootNext:            damaged");
    host_free(host);
}

/* Whatever is cut off, the entry is either well formed for firmware too or shown as damaged. */
static void assert_truncations(struct host *host, const char *name)
{
    const struct mem_var *whole = mem_vars_find(host->vars, NULL, name);
    size_t size = whole->size;
    uint8_t *data = malloc(size);

    assert_non_null(data);
    memcpy(data, whole->data, size);
    for (size_t left = 0; left < size; left++) {
        struct host *cut = host_clone(host);
        struct span exact = fixture_exact(data, left);
        const char *text = NULL;
        put_var(cut, name, exact.at, left);
        struct scanned *scanned = scan_host(cut, SCAN_ENTRIES);
        const struct entry *entry = entry_numbered(scanned, (uint16_t)var_rules_boot_number(name));
        assert_non_null(entry);
        bool sound = var_rules_load_option(exact);
        assert_int_equal(entry->status, sound ? ST_OK : ST_DAMAGED);
        bool reported = find_finding(scanned, FINDING_ENTRY_DAMAGED) != NULL;
        assert_int_equal(reported, !sound);
        unsigned code = run_line(cut, "entries", &text);
        assert_harmless(text);
        if (!sound) {
            assert_int_equal(code, 10);
            assert_says(text, name);
            assert_says(text, "Damaged:|The boot entry is damaged");
        }
        scanned_free(scanned);
        fixture_drop(exact);
        host_free(cut);
    }
    free(data);
}

static void windows_entry_truncated_at_every_byte(void **state)
{
    (void)state;
    struct host *host = fixture_recovery_machine();

    assert_truncations(host, "Boot0005");
    host_free(host);
}

static void full_path_entry_truncated_at_every_byte(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();

    assert_truncations(host, "Boot0001");
    host_free(host);
}

static void bcd_entry_truncated_at_every_byte(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();

    assert_truncations(host, "Boot0000");
    host_free(host);
}

/* Offsets in Boot0001 of the modern machine: 6 + "debian" and its NUL, then the nodes. */
static void device_path_of_impossible_lengths_is_damaged(void **state)
{
    (void)state;
    static const uint16_t lengths[] = {0, 1, 2, 3, 5, 0x00ff, 0x7fff, 0xffff};

    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        struct host *host = fixture_modern_machine();
        const char *text = NULL;
        const struct mem_var *var = mem_vars_find(host->vars, NULL, "Boot0001");
        size_t size = var->size;
        uint8_t *data = malloc(size);
        assert_non_null(data);
        memcpy(data, var->data, size);
        st_le16(data + 6 + 14 + 2, lengths[i]);
        put_var(host, "Boot0001", data, size);
        struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
        assert_int_equal(entry_numbered(scanned, 1)->status, ST_DAMAGED);
        scanned_free(scanned);
        assert_int_equal(run_line(host, "entries", &text), 10);
        assert_says(text, "Boot0001");
        free(data);
        host_free(host);
    }
}

static void variable_that_claims_4_gib_is_damaged_and_costs_nothing(void **state)
{
    (void)state;
    struct host *host = fixture_article_machine();
    const char *text = NULL;

    mem_vars_make_huge(host->vars, "Boot0003");
    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
    const struct entry *entry = entry_numbered(scanned, 3);
    assert_non_null(entry);
    assert_int_equal(entry->status, ST_DAMAGED);
    assert_int_equal(entry->value.size, 0);
    assert_true(entry->claimed_size >= UINT32_MAX);
    assert_ids(scanned, "0003,0000,0001,0002,0004");
    scanned_free(scanned);
    assert_int_equal(run_line(host, "entries", &text), 10);
    assert_says(text, "Boot0003|Damaged:|4,294,967,29");
    host_free(host);
}

static void order_that_claims_4_gib_is_unreadable_not_empty(void **state)
{
    (void)state;
    struct host *host = fixture_article_machine();
    const char *text = NULL;

    mem_vars_make_huge(host->vars, "BootOrder");
    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
    assert_int_equal(scanned->machine.order.status, ST_IO);
    assert_int_equal(scanned->machine.order.count, 0);
    assert_non_null(find_finding(scanned, FINDING_ORDER_UNREADABLE));
    assert_null(find_finding(scanned, FINDING_ORDER_ODD_SIZE));
    scanned_free(scanned);
    assert_int_equal(run_line(host, "entries", &text), 10);
    assert_says(text, "BootOrder cannot be read");
    host_free(host);
}

static void names_the_firmware_repeats_give_one_entry_each(void **state)
{
    (void)state;
    struct host *host = fixture_article_machine();

    mem_vars_list_twice(host->vars, "Boot0004");
    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
    assert_ids(scanned, "0003,0000,0001,0002,0004");
    assert_true(scanned->machine.variables_repeated);
    assert_non_null(find_finding(scanned, FINDING_VARIABLES_REPEATED));
    scanned_free(scanned);
    host_free(host);
}

static void endless_enumeration_ends(void **state)
{
    (void)state;
    struct host *host = fixture_article_machine();

    mem_vars_set_endless(host->vars, true);
    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
    assert_ids(scanned, "0003,0000,0001,0002,0004");
    assert_true(scanned->machine.variables_repeated);
    assert_true(scanned->counts.var_calls < 100);
    scanned_free(scanned);
    host_free(host);
}

static void lower_case_and_odd_names_are_not_entries(void **state)
{
    (void)state;
    static const char *const names[] = {"boot0003", "BOOT0003", "Boot001a",   "boot0009",
                                        "BOOT0009", "Boot9",    "Boot00009",  "Boot000G",
                                        "Boot 009", "Boot-009", "Boot0x09",   "Boot",
                                        "Boot+009", "BootOrde", "Driver0000", "SysPrep0001"};
    struct host *host = fixture_article_machine();
    const struct mem_var *sound = mem_vars_find(host->vars, NULL, "Boot0003");

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        uint8_t data[1024];
        size_t size = sound->size;
        memcpy(data, sound->data, size);
        put_var(host, names[i], data, size);
        sound = mem_vars_find(host->vars, NULL, "Boot0003");
    }
    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
    assert_ids(scanned, "0003,0000,0001,0002,0004");
    assert_false(scanned->machine.variables_repeated);
    scanned_free(scanned);
    host_free(host);
}

static void variables_of_other_vendors_are_ignored(void **state)
{
    (void)state;
    static const uint8_t order[] = {0, 0};
    struct host *host = fixture_article_machine();
    const struct mem_var *sound = mem_vars_find(host->vars, NULL, "Boot0003");
    uint8_t data[1024];
    size_t size = sound->size;

    memcpy(data, sound->data, size);
    mem_vars_put(host->vars, &foreign, "Boot0009", VAR_BOOT_OPTION, data, size);
    mem_vars_put(host->vars, &foreign, "Boot0003", VAR_BOOT_OPTION, "x", 1);
    mem_vars_put(host->vars, &foreign, "BootOrder", VAR_BOOT_OPTION, order, 2);
    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
    assert_ids(scanned, "0003,0000,0001,0002,0004");
    assert_int_equal(entry_numbered(scanned, 3)->status, ST_OK);
    assert_false(scanned->machine.variables_repeated);
    scanned_free(scanned);
    host_free(host);
}

static void names_longer_than_any_of_ours_disturb_nothing(void **state)
{
    (void)state;
    struct host *host = fixture_article_machine();
    char name[400];

    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    memcpy(name, "Boot0009", 8);
    put_var(host, name, "x", 1);
    name[398] = 'y';
    put_var(host, name, "x", 1);
    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
    assert_ids(scanned, "0003,0000,0001,0002,0004");
    assert_false(scanned->machine.variables_repeated);
    scanned_free(scanned);
    host_free(host);
}

static void machine_without_variables_has_no_entries_and_no_findings_about_them(void **state)
{
    (void)state;
    struct host *host = host_new();
    const char *text = NULL;

    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
    assert_int_equal(scanned->machine.entry_count, 0);
    assert_int_equal(scanned->entries.count, 0);
    scanned_free(scanned);
    assert_int_equal(run_line(host, "entries", &text), 0);
    assert_says(text, "(missing)|waits for ever");
    host_free(host);
}

static void every_number_can_be_an_entry(void **state)
{
    (void)state;
    static const uint16_t order[] = {0xffff, 0xabcd, 0};
    struct host *host = host_new();

    for (size_t i = 0; i < COUNT_OF(order); i++) {
        struct fixture_entry entry = {
            .number = order[i], .description = "x", .form = FIXTURE_FILE, .file = "\\x.efi"};
        fixture_add_entry(host, &entry);
    }
    fixture_set_order(host, order, COUNT_OF(order));
    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
    assert_ids(scanned, "FFFF,ABCD,0000");
    scanned_free(scanned);
    host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_count_in_the_sequence_of_the_order),
        cmocka_unit_test(entries_outside_the_order_come_behind_by_number),
        cmocka_unit_test(entries_far_from_each_other_are_found),
        cmocka_unit_test(order_of_odd_size_gives_its_whole_members),
        cmocka_unit_test(order_of_one_byte_has_no_members),
        cmocka_unit_test(repeated_member_gives_one_entry),
        cmocka_unit_test(missing_order_lists_entries_by_number),
        cmocka_unit_test(absent_members_take_no_id),
        cmocka_unit_test(order_is_followed_to_entries_the_enumeration_leaves_out),
        cmocka_unit_test(two_byte_variables_of_another_size_are_damaged),
        cmocka_unit_test(damaged_small_variables_are_shown_as_damaged),
        cmocka_unit_test(windows_entry_truncated_at_every_byte),
        cmocka_unit_test(full_path_entry_truncated_at_every_byte),
        cmocka_unit_test(bcd_entry_truncated_at_every_byte),
        cmocka_unit_test(device_path_of_impossible_lengths_is_damaged),
        cmocka_unit_test(variable_that_claims_4_gib_is_damaged_and_costs_nothing),
        cmocka_unit_test(order_that_claims_4_gib_is_unreadable_not_empty),
        cmocka_unit_test(names_the_firmware_repeats_give_one_entry_each),
        cmocka_unit_test(endless_enumeration_ends),
        cmocka_unit_test(lower_case_and_odd_names_are_not_entries),
        cmocka_unit_test(variables_of_other_vendors_are_ignored),
        cmocka_unit_test(names_longer_than_any_of_ours_disturb_nothing),
        cmocka_unit_test(machine_without_variables_has_no_entries_and_no_findings_about_them),
        cmocka_unit_test(every_number_can_be_an_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
