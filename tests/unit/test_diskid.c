/* diskid and diskpart's lines on machines in memory: what the harness' images do not show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "unit/line_fixture.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entry_that_names_a_signature_follows_it),
        cmocka_unit_test(lines_come_from_the_keyboard_until_exit),
        cmocka_unit_test(nothing_is_written_unless_the_user_says_yes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
