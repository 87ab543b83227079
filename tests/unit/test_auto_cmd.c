/*
 * What an unattended start writes into the firmware's variables, counted: one that stays, two with a
 * reset, nothing where nothing is started; and when it stops trying.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "apply/run_log.h"
#include "apply/start_guard.h"
#include "base/arena.h"
#include "cmd/cmd.h"
#include "format/journal.h"
#include "host/host_alloc.h"
#include "unit/disk_machine_fixture.h"

#define ARENA_SIZE (32u << 20)
#define OWN        "\\EFI\\shadowboot\\shadowbootx64.efi"
#define SETTINGS   "\\EFI\\shadowboot\\shadowboot.conf"

struct night {
    struct host *host;
    uint8_t *memory;
    size_t esp; /* the volume that it is started from */
};

/* A healthy machine, started from the ESP of Disk 1. */
static int set_up(void **state)
{
    struct disk_machine_shape shape = disk_machine_usual();
    struct night *night = calloc(1, sizeof(*night));
    uint8_t path[HOST_PARTITION_PATH_SIZE];

    assert_non_null(night);
    shape.no_stick = true;
    night->host = disk_machine_new(&shape);
    night->memory = host_borrow(ARENA_SIZE);
    struct host_partition esp = disk_machine_place(night->host, 1, PART_ESP);
    size_t size = host_partition_path(night->host, &esp, path);
    (void)host_ports(night->host);
    night->esp = mem_files_volume_at(night->host->files, span_of(path, size));
    mem_files_set_self(night->host->files, night->esp);
    host_start_set_self(night->host->start, true, OWN);
    *state = night;
    return 0;
}

static int tear_down(void **state)
{
    struct night *night = *state;

    host_free(night->host);
    host_return(night->memory);
    free(night);
    return 0;
}

static void put_settings(struct night *night, const char *text)
{
    mem_files_put(night->host->files, night->esp, SETTINGS, text, strlen(text));
}

/* Gives the exit status, 0 when the machine was handed over. */
static unsigned run_on(struct night *night, const struct ports *ports, int count,
                       const char *const *words)
{
    struct arena arena;

    arena_init(&arena, night->memory, ARENA_SIZE);
    mem_vars_log_clear(night->host->vars);
    if (setjmp(*host_start_away(night->host->start)) != 0)
        return 0;
    return cmd_main(ports, &arena, count, words);
}

static unsigned run_words(struct night *night, int count, const char *const *words)
{
    return run_on(night, host_ports(night->host), count, words);
}

static unsigned run_night(struct night *night)
{
    const char *const words[] = {"shadowboot"};

    return run_words(night, 1, words);
}

/* The variables that were written and stay, as "NAME\n" each. */
static const char *stored(const struct night *night)
{
    static char text[512];

    text[0] = 0;
    for (size_t i = 0; i < mem_vars_log_count(night->host->vars); i++) {
        const struct mem_vars_op *op = mem_vars_log_at(night->host->vars, i);
        if (strcmp(op->name, "BootCurrent") == 0 || strcmp(op->name, "ShadowbootReport") == 0)
            continue; /* gone with the power */
        assert_int_equal(op->status, ST_OK);
        assert_in_range(op->size, 1, strncmp(op->name, "Boot0", 5) == 0 ? 512 : 8);
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\n", op->name);
    }
    return text;
}

static const struct host_start_event *last_event(const struct night *night)
{
    return host_start_at(night->host->start, host_start_count(night->host->start) - 1);
}

/* One start at that minute; true when it started something, false when it waits for a person. */
static bool starts_at(struct night *night, unsigned minute)
{
    size_t before = host_start_count(night->host->start);

    night->host->clock.time.hour = 3;
    night->host->clock.time.minute = (uint8_t)minute;
    unsigned status = run_night(night);
    bool started = host_start_count(night->host->start) > before;
    assert_int_equal(status, started ? 0 : 21); /* EFI_ABORTED: firmware looks further */
    return started;
}

/* It stands behind all others: whoever comes to it was not started by them, however healthy they look. */
static void each_start_is_counted_by_one_write(void **state)
{
    struct night *night = *state;

    assert_int_equal(run_night(night), 0);
    assert_int_equal(last_event(night)->kind, HOST_START_START);
    assert_string_equal(stored(night), START_GUARD_NAME "\n");
}

/* The machine looks healthy, its system resets it by itself. */
static void start_loop_of_a_healthy_machine_ends_at_a_person(void **state)
{
    struct night *night = *state;

    for (unsigned minute = 0; minute < START_GUARD_MOST; minute++)
        assert_true(starts_at(night, minute));
    for (unsigned minute = 4; minute < 7;
         minute++) { /* nobody has come: as often as it is switched on */
        assert_false(starts_at(night, minute));
        assert_string_equal(stored(night), "");
    }
    assert_non_null(strstr(host_console_text(night->host->console), "started 3 times in a row"));
}

static void start_that_lasted_begins_the_count_anew(void **state)
{
    struct night *night = *state;

    assert_true(starts_at(night, 0));
    assert_true(starts_at(night, 1));
    assert_true(starts_at(night, 1 + START_GUARD_PAUSE));  /* long enough: the first again */
    assert_true(starts_at(night, START_GUARD_PAUSE + 15)); /* a minute less is not */
    assert_true(starts_at(night, START_GUARD_PAUSE + 16));
    assert_false(starts_at(night, START_GUARD_PAUSE + 17));
}

/* What a person does in the menu begins the count anew; that it was shown does not. */
static void person_at_the_menu_begins_the_count_anew(void **state)
{
    struct night *night = *state;

    for (unsigned minute = 0; minute < START_GUARD_MOST; minute++)
        assert_true(starts_at(night, minute));
    host_console_answer(night->host->console,
                        "x"); /* there is no screen for the menu: it goes on */
    assert_false(starts_at(night, 4));
    assert_string_equal(stored(night), START_GUARD_NAME "\n");
    assert_true(starts_at(night, 5));
}

static enum status no_key(void *ctx, uint32_t milliseconds, uint32_t *ret_key)
{
    (void)ctx;
    (void)milliseconds;
    (void)ret_key;
    return ST_IO;
}

/* Nobody can press a key: handing on to the firmware at once would be a loop by the firmware, waiting one for ever. */
static void without_a_keyboard_a_pause_is_waited_out(void **state)
{
    static const char *const words[] = {"shadowboot"};
    struct night *night = *state;
    struct host_clock *clock = &night->host->clock;

    for (unsigned minute = 0; minute < START_GUARD_MOST; minute++)
        assert_true(starts_at(night, minute));
    struct ports ports = *host_ports(night->host);
    ports.console.read_key = no_key;
    clock->time.minute = 3;
    assert_int_equal(run_on(night, &ports, 1, words), 21); /* without a counter nobody can wait */
    assert_string_equal(stored(night), "");
    clock->step = 100000;
    for (unsigned minute = 4; minute < 6; minute++) { /* one start a pause */
        uint64_t since = clock->microseconds;
        clock->time.minute = (uint8_t)minute;
        host_console_clear(night->host->console);
        assert_int_equal(run_on(night, &ports, 1, words), 0);
        assert_int_equal(last_event(night)->kind, HOST_START_START);
        assert_string_equal(stored(night), START_GUARD_NAME "\n");
        assert_in_range((clock->microseconds - since) / 60000000, START_GUARD_PAUSE,
                        START_GUARD_PAUSE * 3 / 2);
        assert_non_null(strstr(host_console_text(night->host->console),
                               "There is no keyboard, so after 15 minutes it tries once more."));
    }
}

/* Its battery is empty: after each night without power it is the same time again, and three good starts look like
 * a loop for ever. */
static void with_a_clock_that_stands_still_a_pause_is_waited_out(void **state)
{
    struct night *night = *state;

    for (unsigned start = 0; start < START_GUARD_MOST; start++)
        assert_true(starts_at(night, 0));
    assert_null(strstr(host_console_text(night->host->console), "tries once more"));
    assert_true(starts_at(night, 0));
    assert_non_null(strstr(host_console_text(night->host->console), "tries once more"));
    assert_non_null(strstr(host_console_text(night->host->console), "for the menu: 900 "));
    host_console_answer(night->host->console, "x"); /* a person is there meanwhile */
    assert_false(starts_at(night, 0));
    host_console_clear(night->host->console);
    assert_true(starts_at(night, 0)); /* ... and has begun the count anew */
    assert_null(strstr(host_console_text(night->host->console), "once more"));
}

static void start_that_something_is_wrong_with_is_counted_once(void **state)
{
    struct night *night = *state;

    /* Windows' own copy is no start of a disk alone, and there is nothing it could be mended by. */
    disk_machine_zero(night->host, 0, PART_DATA);
    assert_int_equal(run_night(night), 0);
    assert_string_equal(stored(night), START_GUARD_NAME "\n");
}

/* What is mended is written once and stays: the next start writes no more than any other. */
static void start_that_mends_an_entry_writes_entry_and_order_beside(void **state)
{
    struct night *night = *state;

    disk_machine_drop_entry(night->host, 0);
    assert_int_equal(run_night(night), 0);
    assert_string_equal(stored(night), "Boot0000\nBootOrder\n" START_GUARD_NAME "\n");
    assert_int_equal(run_night(night), 0);
    assert_string_equal(stored(night), START_GUARD_NAME "\n");
}

static uint8_t end_of_manager(const struct night *night, size_t disk)
{
    size_t size = 0;
    uint8_t *manager = disk_machine_file(night->host, disk, BOOTMGFW, &size);

    assert_non_null(manager);
    uint8_t end = manager[size - 1];
    free(manager);
    return end;
}

/* The disk whose files the others go by may be the one that firmware has just passed over. */
static void whole_boot_manager_gives_way_to_no_other_disks(void **state)
{
    struct night *night = *state;
    uint8_t end = end_of_manager(night, 0);

    disk_machine_change_end(night->host, 1, BOOTMGFW);
    disk_machine_drop_entry(night->host, 1);
    assert_int_equal(run_night(night), 0);
    assert_string_equal(stored(night), "Boot0001\nBootOrder\n" START_GUARD_NAME "\n");
    assert_int_equal(end_of_manager(night, 1), end ^ 1);
}

static void reset_takes_two_and_its_order_is_for_the_entry(void **state)
{
    struct night *night = *state;

    put_settings(night, "start = reset\n");
    assert_int_equal(run_night(night), 0);
    assert_string_equal(stored(night), START_GUARD_NAME "\nBootNext\n");
    assert_int_equal(last_event(night)->kind, HOST_START_RESET);
    const struct mem_var *next = mem_vars_find(night->host->vars, NULL, "BootNext");
    assert_int_equal(ld_le16(next->data), 0);
}

static void firmware_never_hears_of_success(void **state)
{
    struct night *night = *state;

    for (int i = 0; i < 8; i++)
        host_start_tell_start(night->host->start, (struct start_answer){ST_OK, 0});
    assert_int_equal(run_night(night), 21); /* EFI_ABORTED */
    assert_int_equal(host_start_left(night->host->start), 0);
    put_settings(night, "mode = report\n");
    assert_int_equal(run_night(night), 14); /* EFI_NOT_FOUND */
    assert_string_equal(stored(night), "");
}

static void security_violation_lets_go_of_the_image(void **state)
{
    struct night *night = *state;

    host_start_tell_load(night->host->start, (struct start_answer){ST_REFUSED, 26}, true);
    assert_int_equal(run_night(night), 0);
    assert_int_equal(host_start_at(night->host->start, 1)->kind, HOST_START_UNLOAD);
    assert_int_equal(last_event(night)->kind, HOST_START_START);
    assert_int_equal(host_start_left(night->host->start), 0);
}

/* One program is refused, or comes back, with that answer; then another is tried. */
static void answer_leads_to_the_next(struct night *night, struct start_answer answer, bool of_start)
{
    struct host_start *start = night->host->start;

    if (of_start)
        host_start_tell_start(start, answer);
    else
        host_start_tell_load(start, answer, answer.status == ST_REFUSED);
    assert_int_equal(run_night(night), 0);
    const struct host_start_event *last = last_event(night);
    const struct host_start_event *first = host_start_at(start, of_start ? 1 : 0);
    assert_int_equal(first->kind, of_start ? HOST_START_START : HOST_START_LOAD);
    assert_int_equal(first->answer.status, answer.status);
    assert_int_equal(last->kind, HOST_START_START);
    assert_true(last->went_away);
    assert_false(span_equal(first->path, last->path));
}

static void each_answer_of_a_load_or_a_start_leads_to_the_next(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * ST_COUNT; i++) {
        struct start_answer answer = {(enum status)(i / 2), i / 2 == ST_OK ? 0 : 20};
        void *night = NULL;
        if (i == 0) /* a load that succeeds */
            continue;
        set_up(&night);
        answer_leads_to_the_next(night, answer, i % 2 == 1);
        tear_down(&night);
    }
}

/* BootCurrent is the started entry's, and the program's own again when that has come back. */
static void started_system_reads_the_entry_it_came_by(void **state)
{
    struct night *night = *state;

    fixture_set_u16(night->host, "BootCurrent", 7);
    assert_int_equal(run_night(night), 0);
    assert_int_equal(ld_le16(mem_vars_find(night->host->vars, NULL, "BootCurrent")->data), 0);
    fixture_set_u16(night->host, "BootCurrent", 7);
    for (int i = 0; i < 8; i++)
        host_start_tell_start(night->host->start, (struct start_answer){ST_ABSENT, 14});
    (void)run_night(night);
    assert_int_equal(ld_le16(mem_vars_find(night->host->vars, NULL, "BootCurrent")->data), 7);
}

/* A file of settings from elsewhere allows nothing: only the program's own volume counts. */
static void settings_of_another_volume_do_not_count(void **state)
{
    struct night *night = *state;
    size_t other = night->esp == 0 ? 1 : 0;
    static const char text[] = "mode = report\n";

    mem_files_put(night->host->files, other, SETTINGS, text, sizeof(text) - 1);
    assert_int_equal(run_night(night), 0);
}

/* Nothing is done, and who presses no key is not waited for. */
static void passes_on(struct night *night)
{
    struct host *before = host_clone(night->host);

    host_console_clear(night->host->console);
    assert_int_equal(run_night(night), 14); /* EFI_NOT_FOUND: the next boot entry */
    const char *text = host_console_text(night->host->console);
    assert_non_null(strstr(text, "or started unasked."));
    assert_non_null(strstr(text, "Press a key for the menu:   5"));
    assert_non_null(strstr(text, "The firmware goes on with its next boot entry."));
    host_console_answer(night->host->console, "x");
    assert_int_equal(run_night(night), 21); /* there is no screen for the menu */
    assert_int_equal(host_start_count(night->host->start), 0);
    assert_true(host_equal(night->host, before));
    host_free(before);
}

/* What somebody has written there may have been "menu" or "report". Perhaps nobody is there. */
static void settings_that_are_not_understood_change_nothing_and_hold_nothing(void **state)
{
    struct night *night = *state;

    disk_machine_delete(night->host, 1, "\\EFI\\Microsoft\\Boot\\bootmgfw.efi");
    put_settings(night, "mode = raport\n");
    passes_on(night);
    mem_files_spoil(night->host->files, night->esp, SETTINGS);
    passes_on(night);
}

/* From the Shell it was a person. */
static void without_settings_that_can_be_read_who_types_it_is_at_the_menu(void **state)
{
    static const char *const words[] = {"shadowboot", "auto"};
    struct night *night = *state;

    put_settings(night, "mode = start\n");
    mem_files_spoil(night->host->files, night->esp, SETTINGS);
    host_start_set_self(night->host->start, false, OWN);
    host_console_set_screen(night->host->console, (struct screen_size){80, 25}, false);
    host_console_answer(night->host->console, NULL); /* Ctrl-C: leaves, when y is said */
    host_console_answer(night->host->console, "y");
    assert_int_equal(run_words(night, 2, words), 0);
    const char *text = host_console_text(night->host->console);
    assert_non_null(strstr(text, "What to do"));
    assert_null(strstr(text, "Press a key for the menu"));
}

/* -n: neither disks nor variables nor files, and no start. */
static void plan_only_writes_and_starts_nothing(void **state)
{
    static const char *const words[] = {"shadowboot", "auto", "-n"};
    struct night *night = *state;

    disk_machine_drop_entry(night->host, 1);
    struct host *before = host_clone(night->host);
    assert_int_equal(run_words(night, 3, words), 0);
    assert_true(host_equal(night->host, before));
    assert_int_equal(host_start_count(night->host->start), 0);
    host_free(before);
}

/* mode = report leaves a change that was interrupted half done, and tells of it. */
static void report_takes_nothing_back(void **state)
{
    static const char *const words[] = {"shadowboot", "repair", "-y"};
    static const char journal[] = "\\EFI\\shadowboot\\J0000001.SBJ";
    struct night *night = *state;

    disk_machine_delete(night->host, 1, "\\EFI\\Microsoft\\Boot\\bootmgfw.efi");
    disk_machine_add_stick(night->host);
    night->esp = disk_machine_stick(night->host);
    assert_int_equal(run_words(night, 3, words), 0);
    struct span file = mem_files_find(night->host->files, night->esp, journal);
    assert_true(file.size > JOURNAL_MARK_SIZE);
    uint8_t *copy = host_copy(file.at, file.size);
    mem_files_put(night->host->files, night->esp, journal, copy, file.size - JOURNAL_MARK_SIZE);
    free(copy);
    put_settings(night, "mode = report\nreport = none\n");
    struct host *before = host_clone(night->host);
    host_console_clear(night->host->console);
    assert_int_equal(run_night(night), 14);
    assert_true(host_equal(night->host, before));
    assert_non_null(strstr(host_console_text(night->host->console), "Interrupted: journal 1"));
    host_free(before);
}

/* What a start waits for: 64 digits for each file of an ESP take longer than the rest of the night. */
static void start_waits_for_no_digest_in_its_report(void **state)
{
    static const char member[] = "\"sha256\": ";
    struct night *night = *state;
    size_t digests[2];

    for (int report = 0; report < 2; report++) {
        put_settings(night, report == 1 ? "mode = report\n" : "mode = start\n");
        (void)run_night(night);
        struct span json = mem_files_find(night->host->files, night->esp, RUN_LOG_JSON);
        assert_true(json.size > 1000);
        char *text = host_alloc(json.size + 1, 1);
        memcpy(text, json.at, json.size);
        digests[report] = 0;
        for (const char *at = text; (at = strstr(at, member)) != NULL; at++)
            digests[report]++;
        free(text);
    }
    assert_int_equal(digests[0], 0);
    assert_in_range(digests[1], 10, 1000);
}

static bool has_reports(const struct night *night)
{
    bool log = mem_files_find(night->host->files, night->esp, RUN_LOG_FILE).at != NULL;

    assert_int_equal(mem_files_find(night->host->files, night->esp, RUN_LOG_JSON).at != NULL, log);
    return log;
}

/* What a driver writes into a file system that is damaged may take other files with it. */
static void reports_go_onto_no_damaged_file_system(void **state)
{
    static const char file[] = "\\EFI\\Microsoft\\Boot\\bootmgfw.efi";
    struct night *night = *state;

    put_settings(night, "mode = report\n");
    disk_machine_break_fat(night->host, 1, file); /* its chain leads astray */
    (void)run_night(night);
    assert_false(has_reports(night));
    disk_machine_delete(night->host, 1, file);
    (void)run_night(night);
    assert_true(has_reports(night));
}

/* Where nothing is started, so that a reader of variables finds the last one. */
static void reports_are_those_that_the_settings_name(void **state)
{
    static const struct guid own_vendor = VAR_OWN_VENDOR;
    static const struct {
        const char *line;
        bool log, json, variable;
    } cases[] = {
        {"", true, true, true},
        {"report = log\n", true, false, false},
        {"report = json\n", false, true, false},
        {"report = variable\n", false, false, true},
        {"report = variable, log\n", true, false, true},
        {"report = none\n", false, false, false},
    };
    struct night *night = *state;
    struct host *host = night->host;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[64];
        snprintf(text, sizeof(text), "mode = report\n%s", cases[i].line);
        put_settings(night, text);
        assert_int_equal(run_night(night), 14);
        assert_int_equal(mem_files_find(host->files, night->esp, RUN_LOG_FILE).at != NULL,
                         cases[i].log);
        assert_int_equal(mem_files_find(host->files, night->esp, RUN_LOG_JSON).at != NULL,
                         cases[i].json);
        const struct mem_var *summary = mem_vars_find(host->vars, &own_vendor, "ShadowbootReport");
        assert_int_equal(summary != NULL, cases[i].variable);
        if (summary != NULL) { /* for running systems, and gone with the power */
            assert_int_equal(summary->attributes, VAR_BOOT_SERVICE | VAR_RUNTIME);
            mem_vars_drop(host->vars, &own_vendor, "ShadowbootReport");
        }
        if (cases[i].log)
            mem_files_drop(host->files, night->esp, RUN_LOG_FILE);
        if (cases[i].json)
            mem_files_drop(host->files, night->esp, RUN_LOG_JSON);
    }
}

/* A chain that is longer than its file does no harm to others. */
static void reports_go_where_files_can_be_changed(void **state)
{
    struct night *night = *state;

    put_settings(night, "mode = report\n");
    disk_machine_truncate(night->host, 1, "\\EFI\\Microsoft\\Boot\\bootmgfw.efi", 1);
    (void)run_night(night);
    assert_true(has_reports(night));
}

/* Where a key leads to: nothing of a boot entry goes on behind the Shell. */
static void words_tell_what_a_key_leads_to(void **state)
{
    static const char *const words[] = {"shadowboot", "auto"};
    struct night *night = *state;

    put_settings(night, "mode = menu\n");
    (void)run_night(night);
    assert_non_null(strstr(host_console_text(night->host->console), "firmware's next boot entry"));
    host_console_clear(night->host->console);
    host_start_set_self(night->host->start, false, OWN);
    (void)run_words(night, 2, words);
    assert_non_null(strstr(host_console_text(night->host->console), "go back to the Shell"));
    assert_null(strstr(host_console_text(night->host->console), "boot entry"));
}

/* Who leaves the menu has said so: in the Shell too nothing more is asked. */
static void who_leaves_the_menu_is_asked_nothing_more(void **state)
{
    static const char *const words[] = {"shadowboot", "auto"};
    struct night *night = *state;

    put_settings(night, "mode = menu\n");
    host_console_set_screen(night->host->console, (struct screen_size){80, 25}, false);
    host_start_set_self(night->host->start, false, OWN);
    host_console_answer(night->host->console, NULL); /* Ctrl-C: leaves, when y is said */
    host_console_answer(night->host->console, "y");
    assert_int_equal(run_words(night, 2, words), 0);
    assert_null(strstr(host_console_text(night->host->console), "Press a key to go"));
}

static unsigned begin_test_of_all(struct night *night)
{
    static const char *const words[] = {"shadowboot", "test", "-all", "-y"};

    return run_words(night, 4, words);
}

/* The firmware takes BootNext as it starts. */
static unsigned run_next_night(struct night *night)
{
    mem_vars_drop(night->host->vars, NULL, "BootNext");
    return run_night(night);
}

static void test_of_all_disks_goes_on_by_itself(void **state)
{
    static const struct guid own_vendor = VAR_OWN_VENDOR;
    struct night *night = *state;

    assert_int_equal(begin_test_of_all(night), 0);
    assert_int_equal(ld_le16(mem_vars_find(night->host->vars, NULL, "BootNext")->data), 0);
    assert_int_equal(run_next_night(night), 0);
    assert_int_equal(last_event(night)->kind, HOST_START_RESET);
    assert_int_equal(ld_le16(mem_vars_find(night->host->vars, NULL, "BootNext")->data), 1);
    host_console_clear(night->host->console);
    assert_int_equal(run_next_night(night), 0);
    const char *text = host_console_text(night->host->console);
    assert_non_null(strstr(text, "Test of Disk 0"));
    assert_non_null(strstr(text, "Test of Disk 1"));
    assert_non_null(strstr(text, "Each disk of the mirror was tried once."));
    assert_int_equal(last_event(night)->kind, HOST_START_START);
    assert_null(mem_vars_find(night->host->vars, &own_vendor, "ShadowbootTests"));
}

/* Firmware that takes no BootNext would be reset for ever; a day later nobody thinks of it. */
static void forgotten_test_keeps_no_machine_from_starting(void **state)
{
    struct night *night = *state;

    assert_int_equal(begin_test_of_all(night), 0);
    assert_int_equal(run_night(night), 0); /* BootNext is still there */
    assert_int_equal(last_event(night)->kind, HOST_START_START);
    night->host->clock.time.day++;
    assert_int_equal(run_next_night(night), 0);
    assert_int_equal(last_event(night)->kind, HOST_START_START);
    night->host->clock.time.day--;
    disk_machine_zero(night->host, 0, PART_DATA); /* there is other work to do */
    assert_int_equal(run_next_night(night), 0);
    assert_int_equal(last_event(night)->kind, HOST_START_START);
}

static void menu_begins_with_the_next_disk_of_a_test(void **state)
{
    struct night *night = *state;

    put_settings(night, "mode = menu\n");
    host_console_set_screen(night->host->console, (struct screen_size){80, 25}, false);
    host_console_answer(night->host->console, NULL);
    host_console_answer(night->host->console, "y");
    (void)run_night(night);
    assert_null(strstr(host_console_text(night->host->console), "test of all disks"));
    assert_int_equal(begin_test_of_all(night), 0);
    host_console_answer(night->host->console, "enter");
    host_console_answer(night->host->console, "y");
    mem_vars_drop(night->host->vars, NULL, "BootNext");
    assert_int_equal(run_night(night), 0);
    assert_non_null(
        strstr(host_console_text(night->host->console), "1  Go on with the test of all"));
    assert_int_equal(last_event(night)->kind, HOST_START_RESET);
    assert_int_equal(ld_le16(mem_vars_find(night->host->vars, NULL, "BootNext")->data), 1);
}

/* Who comes in the morning reads why the machine waits. */
static void waiting_is_in_the_log(void **state)
{
    struct night *night = *state;

    for (unsigned minute = 0; minute < START_GUARD_MOST; minute++)
        assert_true(starts_at(night, minute));
    assert_false(starts_at(night, 4));
    struct span log = mem_files_find(night->host->files, night->esp, RUN_LOG_FILE);
    char *text = host_alloc(log.size + 1, 1);
    memcpy(text, log.at, log.size);
    assert_non_null(strstr(text, "so it waits for you now"));
    free(text);
}

/* A person who presses Ctrl-C is there, and decides what comes next. */
static void stopped_mending_starts_nothing(void **state)
{
    struct night *night = *state;

    put_settings(night, "mode = repair\n");
    disk_machine_drop_entry(night->host, 1);
    host_console_break_at(night->host->console, 1);
    assert_int_equal(run_night(night), 21);
    assert_int_equal(host_start_count(night->host->start), 0);
    assert_null(mem_vars_find(night->host->vars, NULL, "Boot0001"));
    assert_null(strstr(host_console_text(night->host->console), "Nothing could be started"));
}

/* The disk that the settings name is tried before the primary. */
static void preferred_disk_is_started_first(void **state)
{
    struct night *night = *state;

    put_settings(night, "disk = 1\n");
    assert_int_equal(run_night(night), 0);
    assert_int_equal(ld_le16(mem_vars_find(night->host->vars, NULL, "BootCurrent")->data), 1);
    put_settings(night, "disk = 7\n"); /* not here: as without */
    host_console_clear(night->host->console);
    start_guard_clear(host_ports(night->host));
    assert_int_equal(run_night(night), 0);
    assert_int_equal(ld_le16(mem_vars_find(night->host->vars, NULL, "BootCurrent")->data), 0);
}

/* What keeps no disk from starting is mended where the settings want everything mended, and only there. */
static void mode_repair_mends_what_keeps_no_disk_from_starting(void **state)
{
    static const char file[] = "\\EFI\\BOOT\\BOOTX64.EFI";
    struct night *night = *state;

    disk_machine_delete(night->host, 0, file);
    for (int repair = 0; repair < 2; repair++) {
        size_t size = 0;
        put_settings(night, repair == 1 ? "mode = repair\n" : "mode = start\n");
        assert_int_equal(run_night(night), 0);
        assert_int_equal(last_event(night)->kind, HOST_START_START);
        uint8_t *found = disk_machine_file(night->host, 0, file, &size);
        assert_int_equal(found != NULL, repair == 1);
        free(found);
    }
}

/* `serial` alone decides about the menu's frame; without it the firmware's ConOut does. */
static void settings_choose_the_frame_of_the_menu(void **state)
{
    /* A UART (UEFI 2.10, 10.3.4.14) and the terminal at it, EFI_VT_100_PLUS; the end. */
    static const uint8_t serial_line[] = {
        3,    14,   19,   0,    0,    0,    0,    0,    0,    0xc2, 1,    0,    0,    0,    0,
        0,    8,    1,    1,    3,    10,   20,   0,    0xce, 0x7b, 0x65, 0x88, 0x4a, 0x5c, 0xd1,
        0x11, 0x9a, 0x0b, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d, 0x7f, 0xff, 4,    0};
    static const struct {
        const char *line;
        bool serial;
        bool boxes;
    } cases[] = {
        {"", false, true},
        {"serial = ascii\n", false, false},
        {"", true, false},
        {"serial = boxes\n", true, true},
    };
    struct night *night = *state;

    host_console_set_screen(night->host->console, (struct screen_size){80, 25}, false);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[64];
        if (cases[i].serial)
            mem_vars_put(night->host->vars, NULL, "ConOut", VAR_BOOT_OPTION, serial_line,
                         sizeof(serial_line));
        snprintf(text, sizeof(text), "mode = menu\n%s", cases[i].line);
        put_settings(night, text);
        host_console_clear(night->host->console);
        host_console_answer(night->host->console, NULL);
        host_console_answer(night->host->console, "y");
        (void)run_night(night);
        const char *shown = host_console_text(night->host->console);
        assert_int_equal(strstr(shown, "\xe2\x94\x8c\xe2\x94\x80 shadowboot") != NULL,
                         cases[i].boxes);
        assert_int_equal(strstr(shown, "+- shadowboot") != NULL, !cases[i].boxes);
    }
}

/* What is in force, and why: by default, by which line, and which line is none. */
static void config_says_why(void **state)
{
    static const char *const words[] = {"shadowboot", "config"};
    struct night *night = *state;

    assert_int_equal(run_words(night, 2, words), 0);
    const char *text = host_console_text(night->host->console);
    assert_non_null(strstr(text, "timeout      5                    by default\n"));
    assert_non_null(strstr(text, "There is no \\EFI\\shadowboot\\shadowboot.conf on the volume"));
    put_settings(night, "mode = start\ntimeout = 9\nallow-format = maybe\n");
    host_console_clear(night->host->console);
    assert_int_equal(run_words(night, 2, words), 10);
    text = host_console_text(night->host->console);
    assert_non_null(strstr(text, "timeout      9                    line 2\n"));
    assert_non_null(strstr(text, "allow-format no                   by default\n"));
    assert_non_null(strstr(text, "Line 3 of \\EFI\\shadowboot\\shadowboot.conf: "));
    assert_non_null(strstr(text, "\"maybe\""));
    assert_string_equal(stored(night), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_start_is_counted_by_one_write),
        TEST(start_loop_of_a_healthy_machine_ends_at_a_person),
        TEST(start_that_lasted_begins_the_count_anew),
        TEST(person_at_the_menu_begins_the_count_anew),
        TEST(without_a_keyboard_a_pause_is_waited_out),
        TEST(with_a_clock_that_stands_still_a_pause_is_waited_out),
        TEST(start_that_something_is_wrong_with_is_counted_once),
        TEST(start_that_mends_an_entry_writes_entry_and_order_beside),
        TEST(whole_boot_manager_gives_way_to_no_other_disks),
        TEST(reset_takes_two_and_its_order_is_for_the_entry),
        TEST(firmware_never_hears_of_success),
        TEST(security_violation_lets_go_of_the_image),
        TEST(started_system_reads_the_entry_it_came_by),
        TEST(each_answer_of_a_load_or_a_start_leads_to_the_next),
        TEST(settings_of_another_volume_do_not_count),
        TEST(preferred_disk_is_started_first),
        TEST(mode_repair_mends_what_keeps_no_disk_from_starting),
        TEST(settings_choose_the_frame_of_the_menu),
        TEST(config_says_why),
        TEST(settings_that_are_not_understood_change_nothing_and_hold_nothing),
        TEST(without_settings_that_can_be_read_who_types_it_is_at_the_menu),
        TEST(plan_only_writes_and_starts_nothing),
        TEST(report_takes_nothing_back),
        TEST(stopped_mending_starts_nothing),
        TEST(start_waits_for_no_digest_in_its_report),
        TEST(reports_go_onto_no_damaged_file_system),
        TEST(reports_go_where_files_can_be_changed),
        TEST(reports_are_those_that_the_settings_name),
        TEST(words_tell_what_a_key_leads_to),
        TEST(who_leaves_the_menu_is_asked_nothing_more),
        TEST(waiting_is_in_the_log),
        TEST(test_of_all_disks_goes_on_by_itself),
        TEST(forgotten_test_keeps_no_machine_from_starting),
        TEST(menu_begins_with_the_next_disk_of_a_test),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
