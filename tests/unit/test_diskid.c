/* diskid and diskpart's lines on machines in memory: what the harness' images do not show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "unit/cuts_fixture.h"
#include "unit/line_fixture.h"

#define WANTED "{11111111-2222-4333-8444-555555555555}"

static const uint8_t signature[] = {0x78, 0x56, 0x34, 0x12};
static const uint8_t signature_wanted[] = {0xcd, 0xde, 0xd9, 0x42};

/* A hard drive node with a signature: the first partition of an MBR, block 2048, 4096 of them. */
static void put_mbr_node(struct fixture_bytes *io_bytes, const uint8_t bytes[4])
{
    static const uint8_t head[] = {0x04, 0x01, 42, 0, 1, 0,    0, 0, 0, 0x08, 0, 0,
                                   0,    0,    0,  0, 0, 0x10, 0, 0, 0, 0,    0, 0};
    static const uint8_t tail[14] = {[12] = 1, [13] = 1};

    fixture_put(io_bytes, head, sizeof(head));
    fixture_put(io_bytes, bytes, 4);
    fixture_put(io_bytes, tail, sizeof(tail));
}

static struct fixture_bytes entry_for_mbr(const uint8_t bytes[4])
{
    struct fixture_bytes paths = {.size = 0};
    struct fixture_bytes value = {.size = 0};

    put_mbr_node(&paths, bytes);
    fixture_put_file(&paths, "\\EFI\\BOOT\\BOOTX64.EFI");
    fixture_put_end(&paths);
    fixture_put_load_option(&value, 1, "Shadow", &paths, &(struct fixture_bytes){.size = 0});
    return value;
}

/* Disk 1 has an MBR with an ESP, which Boot0001 names by its signature, 12345678. */
static struct host *machine_with_mbr(void)
{
    struct disk_machine_shape shape = disk_machine_usual();
    struct host *host = disk_machine_new(&shape);
    struct fixture_bytes value = entry_for_mbr(signature);

    disk_machine_blank(host, 1);
    put_mbr_record(host, 1, 0, 0, 0xef, 2048, 4096);
    mem_block_write(host->disks[1], 440, signature, sizeof(signature));
    mem_vars_put(host->vars, NULL, "Boot0001", VAR_BOOT_OPTION, value.at, value.size);
    disk_machine_restart(host);
    return host;
}

static void assert_signature(struct host *host, const uint8_t wanted[4])
{
    uint8_t got[4];

    mem_block_peek(host->disks[1], 440, got, sizeof(got));
    assert_memory_equal(got, wanted, 4);
}

static void entry_that_names_a_signature_follows_it(void **state)
{
    struct host *host = machine_with_mbr();
    struct host *before = host_clone(host);
    struct fixture_bytes value = entry_for_mbr(signature_wanted);

    (void)state;
    run_to_say(host, "diskid 1 -set 42D9DECD -y", 0,
               "the signature 42D9DECD in place of 12345678|Boot0001");
    assert_signature(host, signature_wanted);
    const struct mem_var *now = mem_vars_find(host->vars, NULL, "Boot0001");
    assert_non_null(now);
    assert_int_equal(now->size, value.size);
    assert_memory_equal(now->data, value.at, value.size);
    run_to_say(host, "undo -y", 0, "Done");
    assert_signature(host, signature);
    assert_true(mem_vars_equal(host->vars, before->vars));
    host_free(before);
    host_free(host);
}

/* As the article has them typed, one after another. */
static void lines_come_from_the_keyboard_until_exit(void **state)
{
    struct host *host = machine_with_mbr();

    (void)state;
    host_console_answer(host->console, "LIST DISK");
    host_console_answer(host->console, "uniqueid disk");
    host_console_answer(host->console, "SELECT DISK 1");
    host_console_answer(host->console, "UNIQUEID DISK");
    host_console_answer(host->console, "UNIQUEID DISK id=42D9DECD");
    host_console_answer(host->console, "y");
    host_console_answer(host->console, "UNIQUEID DISK");
    host_console_answer(host->console, "exit");
    host_console_answer(host->console, "SELECT DISK 0");
    run_to_say(host, "diskpart", 2,
               "Disk 1  |12345678|No disk is selected|Disk 1 is selected|Disk ID: 12345678|"
               "Disk ID: 42D9DECD");
    assert_int_equal(host_console_answers_left(host->console), 1);
    assert_signature(host, signature_wanted);
    host_free(host);
}

/* Four bytes that no other disk has, and not zero, which is no signature. */
static void fresh_signature_is_none_that_is_there(void **state)
{
    struct host *host = machine_with_mbr();
    uint8_t now[4];
    static const uint8_t none[4];

    (void)state;
    run_to_say(host, "diskid 1 -set new -y", 0, "in place of 12345678|Done: ");
    mem_block_peek(host->disks[1], 440, now, sizeof(now));
    assert_memory_not_equal(now, signature, sizeof(now));
    assert_memory_not_equal(now, none, sizeof(now));
    host_free(host);
}

static void nothing_is_written_unless_the_user_says_yes(void **state)
{
    struct host *host = machine_with_mbr();

    (void)state;
    host_console_answer(host->console, "n");
    run_to_say(host, "diskid 1 -set 42D9DECD", 21, "Nothing was changed");
    run_to_say(host, "diskid 1 -set 42D9DECD -n", 0, "in place of 12345678");
    assert_signature(host, signature);
    host_free(host);
}

static void partition_gets_a_guid_of_its_own_for_the_asking(void **state)
{
    struct host *host = *state;

    run_to_say(host, "diskid 1 -partition 1 -set new -y", 0, "give Disk 1 Partition 1 the GUID");
    run_to_say(host, "diskid 1 -partition 1 -set -y", 2, "is not a GUID");
    run_to(host, "status", 0);
}

/* Both stores name the partitions of their own disk. */
static struct host *machine_with_stores(void)
{
    struct disk_machine_shape shape = disk_machine_usual();

    shape.languages = 1;
    struct host *host = disk_machine_new(&shape);
    run_to(host, "bcd set {default} device partition=C: -y", DONE);
    run_to(host, "bcd set {default} osdevice partition=C: -y", DONE);
    mem_files_drop(host->files, host_ports(host)->files.self, "\\EFI\\shadowboot");
    return host;
}

/* --- Showing -------------------------------------------------------------------------------- */

/* The unique GUID of an entry of a disk's table (UEFI specification 5.3.3: at 16 of 128 bytes). */
#define ENTRY_UNIQUE 16u
#define DATA_SLOT    3u

static void identities_are_listed_with_what_the_stores_name(void **state)
{
    struct host *host = machine_with_stores();

    (void)state;
    run_to_say(host, "diskid", DONE,
               "Disk 0: |Disk GUID: |Partition 1: |EFI system|"
               "Its boot store on Partition 1 starts Windows from Disk 0 Partition 4 {|Disk 1: |"
               "Its boot store on Partition 1 starts Windows from Disk 1 Partition 4 {");
    expect_unsaid(host, "has too");
    expect_unsaid(host, "cannot be told apart");
    run_to_say(host, "diskid 1", DONE, "Disk 1: |from Disk 1 Partition 4 {");
    expect_unsaid(host, "Disk 0: ");
    host_free(host);
    host = machine_with_mbr();
    run_to_say(host, "diskid 1", DONE, "MBR signature:    12345678\n");
    host_free(host);
}

/* Disk 1 gets the GUIDs of Disk 0, its own and that of its data partition. */
static void repeat_identities(struct host *host)
{
    uint8_t guid[16];

    mem_block_peek(host->disks[0], header_offset(host, 0, PRIMARY) + 56, guid, sizeof(guid));
    for (int side = PRIMARY; side <= BACKUP; side++) {
        patch_header(host, 1, (enum gpt_side)side, 56, ld_le64(guid), 8);
        patch_header(host, 1, (enum gpt_side)side, 64, ld_le64(guid + 8), 8);
    }
    memcpy(guid, disk_machine_place(host, 0, PART_DATA).guid.bytes, sizeof(guid));
    patch_entries(host, 1, DATA_SLOT, ENTRY_UNIQUE, ld_le64(guid), 8);
    patch_entries(host, 1, DATA_SLOT, ENTRY_UNIQUE + 8, ld_le64(guid + 8), 8);
    disk_machine_restart(host);
}

static void who_else_has_an_identity_is_said_with_what_to_do(void **state)
{
    struct host *host = *state;

    repeat_identities(host);
    run_to_say(host, "diskid", DONE,
               "Disk GUID: |, which Disk 1 has too|, which Disk 1 Partition 4 has too|"
               ", which Disk 0 has too|, which Disk 0 Partition 4 has too|"
               "Two with one identity cannot be told apart.");
}

/* --- What stores expect ---------------------------------------------------------------------- */

/* The data partition of Disk 1 has lost its GUID, by which the store on Disk 1 names it. */
static struct host *machine_with_renamed_partition(void)
{
    struct host *host = machine_with_stores();

    patch_entries(host, 1, DATA_SLOT, ENTRY_UNIQUE, 0x1122334455667788, 8);
    disk_machine_restart(host);
    return host;
}

static void identity_that_a_store_expects_is_given_back(void **state)
{
    struct host *host = machine_with_renamed_partition();
    struct host_partition data = disk_machine_place(host, 1, PART_DATA);
    uint8_t entry[128];

    (void)state;
    run_to_say(host, "diskid 1", DONE, "and no disk here has that partition");
    run_to_say(host, "diskid 1 -from-store -y", DONE, "give Disk 1 Partition 4 the GUID|Done: ");
    uint64_t table = 2 * 512; /* where the primary's entries are */
    mem_block_peek(host->disks[1], table + DATA_SLOT * sizeof(entry), entry, sizeof(entry));
    assert_memory_equal(entry + ENTRY_UNIQUE, data.guid.bytes, 16);
    run_to_say(host, "diskid 1", DONE, "starts Windows from Disk 1 Partition 4 {");
    run_to_say(host, "diskid 1 -from-store -y", NOT_FOUND,
               "No boot store on Disk 1 names a partition that is not here|Nothing was changed.");
    host_free(host);
}

/* --- What is not understood ------------------------------------------------------------------ */

static void lines_that_make_no_sense_change_nothing(void **state)
{
    static const struct {
        const char *line;
        unsigned code;
        const char *said;
    } rows[] = {
        {"diskid -set new -y", USAGE, "It goes like this: |Nothing was changed."},
        {"diskid 1 -set new -from-store -y", USAGE, "It goes like this: "},
        {"diskid 1 -partition 1 -y", USAGE, "It goes like this: "},
        {"diskid 1 -set 12345678 -y", USAGE,
         "its identity is a GUID, such as {|Nothing was changed."},
        {"diskid 1 -partition 5 -set new -y", NOT_FOUND,
         "Disk 1 has no Partition 5.|\"shadowboot diskid 1\"|Nothing was changed."},
        {"diskid 1 -partition 0 -set new -y", NOT_FOUND, "Disk 1 has no Partition 0."},
        {"diskid 7 -set new -y", NOT_FOUND, "There is no Disk 7."},
    };
    struct host *host = *state;
    struct host *before = host_clone(host);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        run_to_say(host, rows[i].line, rows[i].code, rows[i].said);
    for (size_t disk = 0; disk < 2; disk++)
        assert_int_equal(mem_block_difference(host->disks[disk], before->disks[disk], 0),
                         UINT64_MAX);
    host_free(before);
    host = machine_with_mbr();
    run_to_say(host, "diskid 1 -set 1234567 -y", USAGE, "eight hexadecimal digits");
    run_to_say(host, "diskid 1 -set 1234567g -y", USAGE, "eight hexadecimal digits");
    run_to_say(host, "diskid 1 -partition 1 -set new -y", REFUSED, "Disk 1 has no GPT");
    assert_signature(host, signature);
    host_free(host);
}

/* --- Power cuts ----------------------------------------------------------------------------- */

/* At each write; frees the host. */
static void try_cuts(struct host *host, const char *line, size_t disk)
{
    struct cuts *cuts = cuts_new(host, "identities", line);

    assert_int_equal(cuts_violations(cuts), 0);
    assert_true(cuts_has_changed(cuts));
    cuts_allow_gap(cuts, disk);
    assert_true(cuts_try(cuts, CUTS_POWER, &(struct cuts_range){.step = 1}));
    print_message("%s: %llu states, %llu of them different\n", line,
                  (unsigned long long)cuts_states(cuts), (unsigned long long)cuts_distinct(cuts));
    cuts_free(cuts);
    host_free(host);
}

/* Whatever the moment, the other disk starts as it did, and the change is finished or taken back. */
static void power_cut_while_an_identity_is_set_leaves_the_other_disk(void **state)
{
    (void)state;
    try_cuts(machine_with_stores(), "diskid 1 -partition 1 -set " WANTED " -y", 1);
    try_cuts(machine_with_stores(), "diskid 0 -partition 4 -set " WANTED " -y", 0);
    try_cuts(machine_with_mbr(), "diskid 1 -set 42D9DECD -y", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entry_that_names_a_signature_follows_it),
        cmocka_unit_test(lines_come_from_the_keyboard_until_exit),
        cmocka_unit_test(fresh_signature_is_none_that_is_there),
        cmocka_unit_test(nothing_is_written_unless_the_user_says_yes),
        LINE_TEST(partition_gets_a_guid_of_its_own_for_the_asking),
        cmocka_unit_test(identities_are_listed_with_what_the_stores_name),
        LINE_TEST(who_else_has_an_identity_is_said_with_what_to_do),
        cmocka_unit_test(identity_that_a_store_expects_is_given_back),
        LINE_TEST(lines_that_make_no_sense_change_nothing),
        cmocka_unit_test(power_cut_while_an_identity_is_set_leaves_the_other_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
