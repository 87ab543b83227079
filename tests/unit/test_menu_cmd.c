/* The menu as a person uses it: what its lists offer on a machine, and that a choice does what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "format/devpath.h"
#include "unit/line_fixture.h"

#define KEYS_MOST 24
#define COLUMNS   100
#define ROWS      60
#define NO_DEVICE 7 /* exit status: EFI_DEVICE_ERROR (UEFI specification, appendix D) */

/* Keys that are pressed one after the other, divided by blanks; "-": none in time. */
static void press(struct host *host, const char *keys)
{
    static char words[KEYS_MOST][12];
    size_t count = 0;

    while (*keys != '\0') {
        size_t size = strcspn(keys, " ");
        assert_true(count < KEYS_MOST && size < sizeof(words[0]));
        memcpy(words[count], keys, size);
        words[count][size] = '\0';
        host_console_answer(host->console, strcmp(words[count], "-") == 0 ? "" : words[count]);
        count++;
        keys += size + strspn(keys + size, " ");
    }
}

/* --- What is on the screen ------------------------------------------------------------------ */

struct picture {
    char rows[ROWS][COLUMNS + 1]; /* '#' for what is not ASCII */
    size_t row;
    size_t column;
};

static void empty(struct picture *picture)
{
    memset(picture, 0, sizeof(*picture));
    for (size_t i = 0; i < ROWS; i++)
        memset(picture->rows[i], ' ', COLUMNS);
}

static void put(struct picture *picture, char letter)
{
    if (letter == '\n' && picture->row + 1 < ROWS)
        picture->row++;
    if (letter == '\n' || letter == '\r')
        picture->column = 0;
    else if (picture->row < ROWS && picture->column < COLUMNS)
        picture->rows[picture->row][picture->column++] = letter;
}

/* ESC [ numbers letter (ECMA-48, 5.4), of which H places the cursor and J empties the screen; gives
 * what is behind it. */
static const char *take_sequence(const char *at, struct picture *io_now, struct picture *io_before)
{
    unsigned numbers[2] = {1, 1};
    size_t count = 0;

    for (at += 2; *at == ';' || *at == '?' || (*at >= '0' && *at <= '9'); at++) {
        if (*at >= '0' && *at <= '9' && count < 2)
            numbers[count] =
                (at[-1] >= '0' && at[-1] <= '9' ? numbers[count] * 10 : 0) + (unsigned)(*at - '0');
        count += *at == ';';
    }
    if (*at == 'J') {
        *io_before = *io_now;
        empty(io_now);
    } else if (*at == 'H') {
        io_now->row = numbers[0] - 1;
        io_now->column = numbers[1] - 1;
    }
    return *at == '\0' ? at : at + 1;
}

/* The screen as it was before it was emptied for the last time, as one text. */
static const char *last_picture(struct host *host)
{
    static char text[ROWS * (COLUMNS + 1) + 1];
    struct picture now;
    struct picture before;

    empty(&now);
    before = now;
    for (const char *at = host_console_text(host->console); *at != '\0';) {
        if (at[0] == '\033' && at[1] == '[') {
            at = take_sequence(at, &now, &before);
        } else {
            if (((uint8_t)*at & 0xC0) != 0x80)
                put(&now, (uint8_t)*at < 0x80 ? *at : '#');
            at++;
        }
    }
    size_t size = 0;
    for (size_t i = 0; i < ROWS; i++) {
        memcpy(text + size, before.rows[i], COLUMNS);
        text[size + COLUMNS] = '\n';
        size += COLUMNS + 1;
    }
    text[size] = '\0';
    return text;
}

/* --- A person at the keyboard --------------------------------------------------------------- */

static int set_up(void **state)
{
    int done = line_set_up(state);
    struct host *host = *state;

    host_console_set_screen(host->console, (struct screen_size){.columns = COLUMNS, .rows = ROWS},
                            false);
    return done;
}

/* Nothing more is pressed behind the keys, so the list that they lead to is what stays. */
static const char *list_behind(struct host *host, const char *keys)
{
    press(host, keys);
    run_to(host, "menu", NO_DEVICE);
    return last_picture(host);
}

static void lists_offer_what_the_machine_has(void **state)
{
    static const struct {
        const char *keys;
        const char *words;
    } lists[] = {
        {"home",
         "What to do|1  Start from Disk 0  |2  Start from Disk 1  |3  Repair: |4  Test: |"
         "5  Boot entries: |6  How Windows starts: |7  Undo|8  Everything that is known|9  Shell"},
        {"4 enter",
         "Test|1  Restart once from Disk 0|2  Restart once from Disk 1|3  Each disk in turn"},
        {"5 enter", "Boot entries, as they are tried|1  Boot0000 Windows Boot Manager, Disk 0  |"
                    "2  Boot0001 Boot Mirror, Disk 1  "},
        {"5 enter 1 enter", "Boot0000 Windows Boot Manager |1  Start it once|2  Make it the first|"
                            "3  Move it down|4  Delete it"},
        {"5 enter 2 enter", "Boot0001 Boot Mirror |1  Start it once|2  Make it the first|"
                            "3  Move it up|4  Delete it"},
        {"6 enter", "How Windows is to start|1  "},
        {"9 enter", "Leave|1  UEFI Shell|2  Restart|Power off|Leave the menu"},
    };
    struct host *host = *state;

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        assert_says(list_behind(host, lists[i].keys), lists[i].words);
}

/* OsIndicationsSupported (UEFI specification, 8.5.4): bit 0, the firmware can be asked for its setup. */
static void setup_is_offered_where_firmware_has_it(void **state)
{
    struct host *host = *state;
    const uint64_t able = 1;
    const uint64_t unable = 2;

    assert_null(strstr(list_behind(host, "9 enter"), "Restart into"));
    put_var(host, "OsIndicationsSupported", &unable, sizeof(unable));
    assert_null(strstr(list_behind(host, "9 enter"), "Restart into"));
    put_var(host, "OsIndicationsSupported", &able, sizeof(able));
    assert_says(list_behind(host, "9 enter"), "3  Restart into the firmware's setup|4  Power off");
}

static void damage_is_seen_in_what_is_offered(void **state)
{
    struct host *host = *state;

    disk_machine_zero(host, 1, PART_ESP);
    assert_says(list_behind(host, "home"),
                "1  Start from Disk 0  |2  Start from Disk 1: as it is now it may not start");
    fixture_set_order(host, (const uint16_t[]){1}, 1);
    assert_says(
        list_behind(host, "5 enter"),
        "1  Boot0001 Boot Mirror, Disk 1  |2  Boot0000 Windows Boot Manager, Disk 0, not in BootOrder");
    assert_null(strstr(list_behind(host, "5 enter 1 enter"), "Move it"));
    put_var(host, "Boot0000", "x", 1);
    assert_says(list_behind(host, "5 enter"), "2  Boot0000 (damaged)");
    assert_says(list_behind(host, "5 enter 2 enter"), "1  Start it once|3  Delete it");
}

static void entry_is_moved_and_the_list_shows_it(void **state)
{
    struct host *host = *state;

    assert_says(list_behind(host, "5 enter 2 enter 3 enter y x"),
                "Boot entries, as they are tried|1  Boot0001 Boot Mirror|2  Boot0000 Windows");
    expect_order(host, "0001,0000");
    (void)list_behind(host, "5 enter 1 enter 3 enter y x");
    expect_order(host, "0000,0001");
    (void)list_behind(host, "5 enter 2 enter 3 enter n x");
    expect_order(host, "0000,0001");
}

static void only_a_yes_leaves_the_menu(void **state)
{
    struct host *host = *state;

    press(host, "9 enter end enter");
    run_to(host, "menu", DONE);
    press(host, "esc - n esc - y");
    run_to(host, "menu", DONE);
    assert_int_equal(host_console_answers_left(host->console), 0);
}

static void screen_that_is_too_small_is_refused(void **state)
{
    struct host *host = *state;

    host_console_set_screen(host->console, (struct screen_size){.columns = 70, .rows = 19}, false);
    run_to_say(host, "menu", UNSUPPORTED, "needs a screen of 70 columns and 20 rows");
    host_console_set_screen(host->console, (struct screen_size){.columns = 69, .rows = 20}, false);
    run_to_say(host, "menu", UNSUPPORTED, "help\" lists the commands that do the same.");
}

/* --- What takes the machine away ------------------------------------------------------------ */

/* Chooses by these keys; the machine is gone then. Gives the last that was asked for. */
static const struct host_start_event *go_away(struct host *host, const char *keys)
{
    press(host, keys);
    if (setjmp(*host_start_away(host->start)) == 0) {
        (void)run_line(host, "menu", NULL);
        fail_msg("%s: the machine is still there", keys);
    }
    return host_start_at(host->start, host_start_count(host->start) - 1);
}

static void machine_is_restarted_and_switched_off(void **state)
{
    struct host *host = *state;
    const struct host_start_event *last = go_away(host, "9 enter 2 enter");

    assert_int_equal(last->kind, HOST_START_RESET);
    assert_int_equal(last->reset, START_RESET_COLD);
    last = go_away(host, "9 enter 3 enter");
    assert_int_equal(last->kind, HOST_START_RESET);
    assert_int_equal(last->reset, START_POWER_OFF);
}

/* OsIndications (UEFI specification, 8.5.4): bit 0 asks for the setup at the next start. */
static void setup_comes_with_the_next_start(void **state)
{
    struct host *host = *state;
    const uint64_t able = 1;

    put_var(host, "OsIndicationsSupported", &able, sizeof(able));
    const struct host_start_event *last = go_away(host, "9 enter 3 enter");
    assert_int_equal(last->kind, HOST_START_RESET);
    const struct mem_var *asked = mem_vars_find(host->vars, NULL, "OsIndications");
    assert_non_null(asked);
    assert_int_equal(asked->size, 8);
    assert_int_equal(asked->data[0] & 1, 1);
}

/* The device path ends with the GUID of the partition and the file. */
static void disk_is_started_by_its_own_boot_manager(void **state)
{
    struct host *host = *state;

    for (size_t disk = 0; disk < 2; disk++) {
        struct guid esp = disk_machine_place(host, disk, PART_ESP).guid;
        const struct host_start_event *last = go_away(host, disk == 0 ? "1 enter" : "2 enter");
        assert_int_equal(last->kind, HOST_START_START);
        assert_true(devpath_mentions_guid(last->path, &esp));
    }
}

static void shell_beside_the_program_is_started(void **state)
{
    struct host *host = *state;

    host_start_tell_load(host->start, (struct start_answer){ST_ABSENT, 0}, false);
    assert_says(list_behind(host, "9 enter 1 enter x"), "Leave|1  UEFI Shell");
    assert_says(host_console_text(host->console),
                "shellx64.efi is not on the volume that this program was started from");
    host_start_tell_load(host->start, (struct start_answer){ST_REFUSED, 26}, false);
    (void)list_behind(host, "9 enter 1 enter x");
    assert_says(host_console_text(host->console), "Secure Boot refuses |shellx64.efi.");
    const struct host_start_event *last = go_away(host, "9 enter 1 enter");
    assert_int_equal(last->kind, HOST_START_START);
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, line_tear_down)
    const struct CMUnitTest tests[] = {
        ROW(lists_offer_what_the_machine_has),
        ROW(setup_is_offered_where_firmware_has_it),
        ROW(damage_is_seen_in_what_is_offered),
        ROW(entry_is_moved_and_the_list_shows_it),
        ROW(only_a_yes_leaves_the_menu),
        ROW(screen_that_is_too_small_is_refused),
        ROW(machine_is_restarted_and_switched_off),
        ROW(setup_comes_with_the_next_start),
        ROW(disk_is_started_by_its_own_boot_manager),
        ROW(shell_beside_the_program_is_started),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
