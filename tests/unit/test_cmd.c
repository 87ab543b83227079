/* The commands as a user meets them: lines typed, text printed, exit statuses, and what is left. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/cmd.h"
#include "cmd/command.h"
#include "unit/scan_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Exit statuses (UEFI Specification, appendix D; 20 and 21 as the UEFI Shell uses them). */
enum {
    DONE = 0,
    USAGE = 2,
    UNSUPPORTED = 3,
    DAMAGED = 10,
    NOT_FOUND = 14,
    REFUSED = 15,
    EXISTS = 20,
    ABORTED = 21
};

/* Runs words as they are, closed by NULL; the first is the program's name. */
static unsigned run_words(struct host *host, const char **ret_text, ...)
{
    const char *words[80];
    struct arena arena;
    void *memory = malloc(FIXTURE_ARENA);
    va_list rest;
    int count = 0;

    assert_non_null(memory);
    va_start(rest, ret_text);
    while ((words[count] = va_arg(rest, const char *)) != NULL)
        count++;
    va_end(rest);
    arena_init(&arena, memory, FIXTURE_ARENA);
    host_console_clear(host->console);
    unsigned code = cmd_main(host_ports(host), &arena, count, words);
    free(memory);
    *ret_text = host_console_text(host->console);
    return code;
}

static void assert_run(struct host *host, const char *line, unsigned wanted, const char *words)
{
    const char *text = NULL;
    unsigned code = run_line(host, line, &text);

    if (code != wanted)
        print_error("%s gave %u:\n%s\n", line, code, text);
    assert_int_equal(code, wanted);
    assert_says(text, words);
    assert_harmless(text);
}

/* The article's machine without its volume database, which takes most of the time of a scan. */
static struct host *quick_machine(void)
{
    struct host *host = fixture_article_machine();
    struct guid type = fixture_guid(TYPE_MSR);

    for (enum gpt_side side = PRIMARY; side <= BACKUP; side++) {
        patch_entry(host, 0, side, 3, 0, type.bytes, 16);
        patch_entry(host, 1, side, 2, 0, type.bytes, 16);
    }
    return host;
}

/* --- The command line ----------------------------------------------------------------------- */

static void wrong_command_lines_say_what_is_wrong_and_change_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *words;
    } lines[] = {
        {"frobnicate", "no command \"frobnicate\"|shadowboot help"},
        {"\"\"", "no command \"\""},
        {"clone -x", "-x|no option|shadowboot help clone|Nothing was changed."},
        {"clone --sg", "--sg|no option"},
        {"disks -sg", "-sg|no option"},
        {"delete -man", "-man|no option"},
        {"clone -sg", "-sg|needs a value|GUID|Nothing was changed."},
        {"clone -tg {476688c5-8ebf-47d2-80e7-cf9d065edb81} -d", "-d|needs a value|TEXT"},
        {"clone -n -n", "-n|given twice|Nothing was changed."},
        {"clone -short -SHORT", "-short|given twice"},
        {"clone -d a -d b", "-d|given twice"},
        {"clone extra", "goes like this: shadowboot clone"},
        {"disks 0 1", "goes like this: shadowboot disks [DISK]"},
        {"disks x", "named by its number"},
        {"disks -1", "-1|no option"},
        {"disks 99999999999999999999999", "named by its number"},
        {"entries 5", "goes like this: shadowboot entries\nNothing was changed."},
        {"delete", "goes like this: shadowboot delete ID...\nNothing was changed."},
        {"order", "goes like this: shadowboot order"},
        {"default 1 2", "goes like this: shadowboot default ID"},
        {"next", "goes like this: shadowboot next"},
        {"timeout", "goes like this: shadowboot timeout"},
        {"timeout x", "number of seconds"},
        {"timeout 65535", "0 to 65534"},
        {"timeout 1.5", "number of seconds"},
        {"mirror", "goes like this: shadowboot mirror GUID"},
        {"add 476688c5-8ebf-47d2-80e7-cf9d065edb81", "goes like this: shadowboot add"},
        {"add 476688c5-8ebf-47d2-80e7-cf9d065edb81 x.efi", "a name|-d"},
        {"add 476688c5-8ebf-47d2-80e7-cf9d065edb81 x.efi -d \"\"", "a name|-d"},
        {"add 476688c5-8ebf-47d2-80e7-cf9d065edb81 x.efi -d x -at 0", "-at|from 1"},
        {"add 476688c5-8ebf-47d2-80e7-cf9d065edb81 x.efi -d x -at x", "-at|from 1"},
        {"export", "goes like this: shadowboot export"},
        {"import", "goes like this: shadowboot import"},
        {"import FS0:\\x -sg {476688c5-8ebf-47d2-80e7-cf9d065edb81}", "-sg and -tg go together"},
        {"undo x", "named by its number"},
        {"undo 1 2", "goes like this: shadowboot undo"},
        {"help frobnicate", "no command \"frobnicate\""},
        {"help clone disks", "goes like this: shadowboot help"},
        {"clone -d a -d+ b", "-d and -d+"},
        {"clone -short -full", "-short and -full"},
    };
    struct host *host = fixture_article_machine();
    struct host *before = host_clone(host);

    for (size_t i = 0; i < COUNT_OF(lines); i++)
        assert_run(host, lines[i].line, USAGE, lines[i].words);
    assert_true(host_equal(host, before));
    assert_int_equal(mem_vars_log_count(host->vars), 0);
    host_free(before);
    host_free(host);
}

static void more_arguments_than_there_is_room_for_are_refused(void **state)
{
    (void)state;
    struct host *host = fixture_article_machine();
    struct arena arena;
    void *memory = malloc(FIXTURE_ARENA);
    const char *words[200];

    assert_non_null(memory);
    for (size_t i = 0; i < COUNT_OF(words); i++)
        words[i] = "1";
    words[1] = "delete";
    arena_init(&arena, memory, FIXTURE_ARENA);
    assert_int_equal(cmd_main(host_ports(host), &arena, COUNT_OF(words), words), USAGE);
    assert_says(host_console_text(host->console), "more than 64 arguments");
    words[1] = "bootcfg";
    arena_init(&arena, memory, FIXTURE_ARENA);
    assert_int_equal(cmd_main(host_ports(host), &arena, COUNT_OF(words), words), USAGE);
    assert_int_equal(mem_vars_log_count(host->vars), 0);
    free(memory);
    host_free(host);
}

static void options_stand_anywhere_and_in_any_case(void **state)
{
    (void)state;
    struct host *host = quick_machine();

    assert_run(host, "-n delete 2", USAGE, "no command");
    assert_run(host, "DELETE -N 2", DONE, "delete Boot0000|Nothing was changed (-n)");
    assert_run(host, "delete 2 -n", DONE, "delete Boot0000|Nothing was changed (-n)");
    assert_run(host, "delete 2 -v -n", DONE, "Disks:|reads|Variables:|Memory:");
    host_free(host);
}

/* Who leaves the plan at a page's end has not read it: neither the question nor -y goes on then. */
static void leaving_a_page_of_the_plan_changes_nothing(void **state)
{
    const struct screen_size size = {80, 3};
    const char *const lines[] = {"clone -b", "clone -b -y"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct host *host = fixture_article_machine();
        host_console_set_screen(host->console, size, false);
        host_console_answer(host->console, "q");
        host_console_answer(host->console, "y");
        assert_int_equal(fixture_run(host, lines[i]), 21);
        assert_says(host_console_text(host->console), "Plan:|Nothing was changed.");
        assert_int_equal(host_console_answers_left(host->console), 1);
        assert_int_equal(mem_vars_log_count(host->vars), 0);
        host_free(host);
    }
}

static void no_arguments_print_the_overview(void **state)
{
    (void)state;
    struct host *host = host_new();
    const char *text = NULL;

    assert_int_equal(run_words(host, &text, "shadowboot", NULL), DONE);
    assert_says(text, "disks|entries|clone|undo|Exit status");
    assert_int_equal(run_words(host, &text, NULL), DONE);
    assert_says(text, "Exit status");
    host_free(host);
}

static void help_is_found_by_the_words_people_try(void **state)
{
    (void)state;
    static const char *const words[] = {"help", "-h", "-help", "--help", "/?", "/h", "-?", "HELP"};
    struct host *host = host_new();

    for (size_t i = 0; i < COUNT_OF(words); i++)
        assert_run(host, words[i], DONE, "shadowboot COMMAND [options]");
    host_free(host);
}

static void assert_width(const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        if (length >= 80)
            print_error("%.*s\n", (int)length, text);
        assert_true(length < 80);
        text += length + (text[length] == '\n');
    }
}

static void every_command_has_help_with_all_its_options(void **state)
{
    (void)state;
    struct host *host = host_new();

    for (const struct command *command = command_table(); command->name != NULL; command++) {
        const char *text = NULL;
        char line[64];
        snprintf(line, sizeof(line), "help %s", command->name);
        assert_int_equal(run_line(host, line, &text), DONE);
        snprintf(line, sizeof(line), "shadowboot %s", command->name);
        assert_says(text, line);
        assert_width(text);
        assert_true(strlen(text) > 60);
        for (const struct option_spec *spec = command->options; spec != NULL && spec->name != NULL;
             spec++)
            assert_says(text, spec->name);
    }
    host_free(host);
}

static void manual_page_names_every_command(void **state)
{
    (void)state;
    struct host *host = host_new();
    const char *text = NULL;

    assert_int_equal(run_line(host, "help -man", &text), DONE);
    assert_int_equal(strncmp(text, ".TH shadowboot 0 \"", 18), 0);
    assert_says(text, ".SH NAME|.SH SYNOPSIS|.SH OPTIONS|.SH DESCRIPTION|.SH RETURNVALUES");
    assert_width(text);
    for (const struct command *command = command_table(); command->name != NULL; command++)
        assert_says(text, command->name);
    host_free(host);
}

/* --- GUIDs and ids -------------------------------------------------------------------------- */

static void malformed_guids_are_refused_by_every_command(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{}",
        "-",
        "x",
        "{476688c5-8ebf-47d2-80e7-cf9d065edb81",
        "476688c5-8ebf-47d2-80e7-cf9d065edb81}",
        "{{476688c5-8ebf-47d2-80e7-cf9d065edb81}}",
        "(476688c5-8ebf-47d2-80e7-cf9d065edb81)",
        "476688c5-8ebf-47d2-80e7-cf9d065edb8",
        "476688c5-8ebf-47d2-80e7-cf9d065edb811",
        "476688c58ebf47d280e7cf9d065edb81",
        "476688c5-8ebf-47d2-80e7-cf9d065edbg1",
        "476688c5-8ebf-47d2-80e7-cf9d06 5edb81",
        " 476688c5-8ebf-47d2-80e7-cf9d065edb81",
        "476688c5-8ebf-47d2-80e7-cf9d065edb81 ",
        "476688c5_8ebf_47d2_80e7_cf9d065edb81",
        "4766-88c58ebf-47d2-80e7-cf9d065edb81",
        "0x76688c-8ebf-47d2-80e7-cf9d065edb81",
        "476688c5-8ebf-47d2-80e7-cf9d065edb81{",
        "\x1b[2J\xe2\x80\xae",
        "\xff\xfe",
    };
    static const char good[] = ARTICLE_ESP_1;
    struct host *host = fixture_article_machine();
    struct host *before = host_clone(host);
    const char *text = NULL;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const char *guid = bad[i];
        unsigned codes[] = {
            run_words(host, &text, "s", "clone", "-y", "-sg", guid, "-tg", good, NULL),
            run_words(host, &text, "s", "clone", "-y", "-tg", guid, NULL),
            run_words(host, &text, "s", "import", "FS0:\\x", "-y", "-sg", guid, "-tg", good, NULL),
            run_words(host, &text, "s", "bootcfg", "/clone", "/sg", good, "/tg", guid, NULL),
            run_words(host, &text, "s", "bootcfg", "/mirror", "/add", guid, "/d", "x", NULL),
            guid[0] == '-' ? 2 : run_words(host, &text, "s", "mirror", "-y", guid, NULL),
            run_words(host, &text, "s", "add", guid, "x.efi", "-d", "x", "-y", NULL),
        };
        for (size_t j = 0; j < COUNT_OF(codes); j++)
            assert_int_equal(codes[j], USAGE);
        assert_harmless(text);
        assert_says(text, "is not a GUID|32 hexadecimal digits|Nothing was changed");
    }
    assert_true(host_equal(host, before));
    host_free(before);
    host_free(host);
}

static void guids_are_taken_with_and_without_braces_in_any_case(void **state)
{
    (void)state;
    static const char *const good[] = {"476688c5-8ebf-47d2-80e7-cf9d065edb81",
                                       "{476688c5-8ebf-47d2-80e7-cf9d065edb81}",
                                       "{476688C5-8EBF-47D2-80E7-CF9D065EDB81}"};
    struct host *host = fixture_article_machine();

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        char line[128];
        snprintf(line, sizeof(line), "clone -n -tg %s", good[i]);
        assert_run(host, line, DONE, "create Boot0005|create Boot0006");
    }
    host_free(host);
}

static void entries_are_named_by_id_or_variable(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned code;
        const char *words;
    } ids[] = {
        {"5", DONE, "Boot000A"},
        {"1", DONE, "Boot0000"},
        {"Boot000A", DONE, "Boot000A"},
        {"boot000a", DONE, "Boot000A"},
        {"BOOT000a", DONE, "Boot000A"},
        {"0", NOT_FOUND, "no boot entry 0"},
        {"7", NOT_FOUND, "no boot entry 7|shadowboot entries"},
        {"Boot0005", NOT_FOUND, "no boot entry Boot0005"},
        {"BootFFFF", NOT_FOUND, "no boot entry BootFFFF"},
        {"18446744073709551615", NOT_FOUND, "no boot entry 18446744073709551615"},
        {"0005", USAGE, "\"0005\"|Boot0005"},
        {"6x", USAGE, "\"6x\" is no boot entry"},
        {"x6", USAGE, "\"x6\" is no boot entry"},
        {"+5", USAGE, "\"+5\" is no boot entry"},
        {"5.0", USAGE, "\"5.0\" is no boot entry"},
        {"Boot4", USAGE, "\"Boot4\" is no boot entry"},
        {"Boot00004", USAGE, "\"Boot00004\" is no boot entry"},
        {"Boot000G", USAGE, "\"Boot000G\" is no boot entry"},
        {"BootOrder", USAGE, "\"BootOrder\" is no boot entry"},
        {"999999999999999999999", USAGE, "\"999999999999999999999\" is no boot entry"},
        {"\"\"", USAGE, "\"\" is no boot entry"},
        {"\x1b[31m5", USAGE, "is no boot entry"},
    };
    static const char *const commands[] = {"delete -n", "order -n", "default -n", "next -n",
                                           "export FS0:\\x -n"};
    struct host *host = fixture_modern_machine();
    struct host *before = host_clone(host);

    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        for (size_t j = 0; j < COUNT_OF(commands); j++) {
            char line[128];
            bool is_first = strcmp(ids[i].words, "Boot0000") == 0;
            snprintf(line, sizeof(line), "%s %s", commands[j], ids[i].text);
            /* A plan that only moves names the entry by its number alone; the first is first. */
            bool moves = ids[i].code == DONE && (j == 1 || j == 2);
            const char *words = moves ? ids[i].words + 4 : ids[i].words;
            assert_run(host, line, ids[i].code, moves && is_first ? "Nothing to do" : words);
        }
    }
    assert_true(host_equal(host, before));
    host_free(before);
    host_free(host);
}

static void one_bad_id_among_good_ones_stops_all(void **state)
{
    (void)state;
    struct host *host = fixture_article_machine();
    struct host *before = host_clone(host);

    assert_run(host, "delete -y 1 2 99", NOT_FOUND, "99|Nothing was changed");
    assert_run(host, "order -y 5 Boot0077", NOT_FOUND, "Boot0077|Nothing was changed");
    assert_true(host_equal(host, before));
    host_free(before);
    host_free(host);
}

static void several_ids_mean_the_list_as_it_is_now(void **state)
{
    (void)state;
    struct host *host = fixture_article_machine();

    assert_run(host, "delete -y 2 3 2 Boot0002", DONE,
               "Boot0000|Boot0001|Boot0002|Done: 4 changes");
    assert_null(mem_vars_find(host->vars, NULL, "Boot0000"));
    assert_null(mem_vars_find(host->vars, NULL, "Boot0001"));
    assert_null(mem_vars_find(host->vars, NULL, "Boot0002"));
    assert_non_null(mem_vars_find(host->vars, NULL, "Boot0003"));
    host_free(host);
}

/* --- Asking --------------------------------------------------------------------------------- */

static const char *const changes[] = {
    "clone",
    "clone -d Shadow",
    "clone -d+ Shadow -full",
    "clone -sg {68d298c0-1b6a-01c1-507b-9e5f8078f531} -tg {476688c5-8ebf-47d2-80e7-cf9d065edb81}",
    "mirror 68d298c0-1b6a-01c1-f1b3-12714f758821 -d Mirror -from 5",
    "add 476688c5-8ebf-47d2-80e7-cf9d065edb81 \\EFI\\x.efi -d X -at 1 -opt text -full",
    "delete 2",
    "delete 5 4 3 2 1",
    "order 5 1",
    "default Boot0004",
    "next 2",
    "timeout 5",
    "timeout none",
    "export FS1:\\saved",
    "export \"FS1:\\a b\\c\" 1 2",
};

static void dash_n_shows_the_plan_and_changes_nothing(void **state)
{
    (void)state;
    struct host *host = quick_machine();
    struct host *before = host_clone(host);

    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        char line[256];
        bool exists = strncmp(changes[i], "mirror", 6) == 0;
        snprintf(line, sizeof(line), "%s -n", changes[i]);
        if (!exists)
            assert_run(host, line, DONE, "Plan:|  1. |Nothing was changed (-n).");
        snprintf(line, sizeof(line), "%s -n -y", changes[i]);
        if (!exists)
            assert_run(host, line, DONE, "Plan:|Nothing was changed (-n).");
    }
    assert_true(host_equal(host, before));
    assert_int_equal(mem_vars_log_count(host->vars), 0);
    host_free(before);
    host_free(host);
}

static void only_yes_is_yes(void **state)
{
    (void)state;
    static const struct {
        const char *answer; /* NULL: Ctrl-C or Escape */
        unsigned code;
        const char *words;
    } answers[] = {
        {"y", DONE, "Done"},
        {"Y", DONE, "Done"},
        {"yes", DONE, "Done"},
        {"YES", DONE, "Done"},
        {"n", ABORTED, "Nothing was changed"},
        {"no", ABORTED, "Nothing was changed"},
        {"", ABORTED, "Nothing was changed"},
        {"yep", ABORTED, "Nothing was changed"},
        {"y ", ABORTED, "Nothing was changed"},
        {"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy", ABORTED, "Nothing was changed"},
        {NULL, ABORTED, "Nothing was changed"},
    };

    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        struct host *host = quick_machine();
        struct host *before = host_clone(host);
        host_console_answer(host->console, answers[i].answer);
        assert_run(host, "delete 2", answers[i].code, answers[i].words);
        assert_int_equal(host_equal(host, before), answers[i].code != DONE);
        host_free(before);
        host_free(host);
    }
}

static void without_a_keyboard_nothing_is_changed(void **state)
{
    (void)state;
    struct host *host = quick_machine();
    struct host *before = host_clone(host);

    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        if (strncmp(changes[i], "mirror", 6) != 0)
            assert_run(host, changes[i], REFUSED, "Plan:|no keyboard|-y|Nothing was changed");
    }
    assert_true(host_equal(host, before));
    host_free(before);
    host_free(host);
}

static void ctrl_c_after_the_question_still_stops(void **state)
{
    (void)state;
    struct host *host = quick_machine();
    struct host *before = host_clone(host);

    host_console_break_at(host->console, 1);
    assert_run(host, "delete 2 -y", ABORTED, "Ctrl-C|Nothing was changed");
    assert_true(host_equal(host, before));
    host_free(before);
    host_free(host);
}

static void every_change_is_made_undone_and_gone_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        struct host *host = quick_machine();
        struct host *before = host_clone(host);
        char line[256];
        bool writes_files = strncmp(changes[i], "export", 6) == 0;
        bool exists = strncmp(changes[i], "mirror", 6) == 0;
        snprintf(line, sizeof(line), "%s -y", changes[i]);
        if (exists) {
            assert_run(host, line, EXISTS, "Boot0003|already|Nothing was changed");
        } else {
            assert_run(host, line, DONE, "Done:");
            assert_int_equal(mem_vars_equal(host->vars, before->vars), writes_files);
        }
        if (!writes_files && !exists) {
            assert_run(host, "undo -y", DONE, "Done:");
            assert_run(host, "undo -y", NOT_FOUND, "nothing to take back");
        }
        assert_true(mem_vars_equal(host->vars, before->vars));
        host_free(before);
        host_free(host);
    }
}

static void second_run_has_nothing_to_do(void **state)
{
    (void)state;
    static const char *const idempotent[] = {"clone -y",  "order 5 1 -y", "default 5 -y",
                                             "next 2 -y", "timeout 7 -y", "prune -y"};

    for (size_t i = 0; i < COUNT_OF(idempotent); i++) {
        struct host *host = quick_machine();
        const char *text = NULL;
        assert_int_equal(run_line(host, idempotent[i], &text), DONE);
        /* Ids have moved, so the second line names the same entries by where they are now. */
        bool moved = strncmp(idempotent[i], "order", 5) == 0;
        bool first = strncmp(idempotent[i], "default", 7) == 0;
        const char *again = moved ? "order 1 2 -y" : first ? "default 1 -y" : idempotent[i];
        uint64_t made = mem_vars_changes(host->vars);
        assert_run(host, again, DONE, "Nothing to do");
        assert_int_equal(mem_vars_changes(host->vars), made);
        host_free(host);
    }
}

/* --- Typical runs --------------------------------------------------------------------------- */

static void disks_shows_what_the_issue_of_a_lost_disk_needs(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();

    assert_run(host, "disks", DONE,
               "Disk 0: Memory disk|PciRoot(0x0)/Pci(0x2,0x0)/NVMe(|blocks of 4096 bytes|Disk "
               "GUID:        {b0b0b0b0-0000-4d00-8000-0123456789b0}|started from it|Disk 1: Memory "
               "disk|Sata(0x1,|blocks of 512 bytes|Partition No:      3|Table entry:      "
               "5|Mounted as:       FS1:|Partition GUID:   "
               "{22222222-bbbb-4b03-8002-0123456789b1}|Basic data partition|Microsoft reserved "
               "partition|EFI system partition");
    const char *text = NULL;
    assert_int_equal(run_line(host, "disks 1", &text), DONE);
    assert_null(strstr(text, "Disk 0"));
    assert_run(host, "disks 2", NOT_FOUND, "no Disk 2|has 2|shadowboot disks");
    host_free(host);
}

static void machine_without_disks_says_so(void **state)
{
    (void)state;
    struct host *host = host_new();

    assert_run(host, "disks", NOT_FOUND, "no disk");
    assert_run(host, "disks 0", NOT_FOUND, "no Disk 0");
    assert_run(host, "bootcfg /list 0", NOT_FOUND, "no Disk 0");
    assert_run(host, "clone", NOT_FOUND, "no pair of EFI system partitions|Nothing was changed");
    host_free(host);
}

static void entries_shows_where_each_entry_leads(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();

    assert_run(host, "entries", DONE,
               "Timeout:             1|CurrentBootEntryID:  1|BootOrder:           "
               "0000,0001,0002,0003,000A,000B|Boot variable:    Boot0000, running|BCD "
               "object:       {9dea862c-5cdd-4e70-acc1-f32b344d4795}|Starts from:      Disk 0 "
               "Partition 1 {11111111-aaaa-4b01-8001-0123456789a0} FS0:|Boot file:        "
               "present|made by the firmware itself|Starts from:      Disk 1");
    mem_files_drop(host->files, 0, SHIMX64);
    assert_run(host, "entries", DAMAGED, "Boot file:        MISSING|[damage] Boot0001");
    host_free(host);
}

/* The verdict of status is the same "perhaps": firmware that does not know such a path starts
 * nothing. What is the firmware's own is said with the reason. */
static void entries_says_what_only_some_firmware_starts(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();

    assert_run(host, "entries", DONE,
               "Starts from:      perhaps any disk: some firmware looks for the file on all|"
               "Starts from:      no disk of this machine (the firmware's own: a legacy (BIOS) "
               "start)");
    host_free(host);
}

static void entries_tells_of_equal_names(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();
    struct fixture_entry twin = {.number = 1,
                                 .description = "Windows Boot Manager",
                                 .form = FIXTURE_SHORT,
                                 .partition = fixture_partition_named(MODERN_ESP_1),
                                 .file = BOOTMGFW};
    const char *text = NULL;

    run_line(host, "entries", &text);
    assert_null(strstr(text, "Same name"));
    fixture_add_entry(host, &twin);
    assert_run(host, "entries", DONE, "Same name:        Boot0001|Same name:        Boot0000");
    twin.inactive = true;
    fixture_add_entry(host, &twin);
    run_line(host, "entries", &text);
    assert_null(strstr(text, "Same name"));
    host_free(host);
}

static void disk_in_the_name_and_a_name_of_ones_own_exclude_each_other(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();

    assert_run(host, "clone -disk -d x -y", 2, "-disk and a name of your own");
    assert_run(host, "clone -disk -y -sg " MODERN_ESP_0 " -tg " MODERN_ESP_1, DONE,
               "\"Windows Boot Manager (Disk 1)\"|\"debian (Disk 1)\"");
    host_free(host);
}

static void entries_shows_attributes_and_next(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();
    static const uint16_t order[] = {0, 2, 3, 10, 11};
    uint8_t value[1024];
    const struct mem_var *var = mem_vars_find(host->vars, NULL, "Boot0001");
    size_t size = var->size;

    memcpy(value, var->data, size);
    st_le32(value, 0x108);
    put_var(host, "Boot0001", value, size);
    fixture_set_order(host, order, COUNT_OF(order));
    fixture_set_u16(host, "BootNext", 3);
    assert_run(host, "entries", DONE,
               "not active, hidden, application, not in BootOrder|BootNext:            Boot0003|"
               "Boot0003, next");
    host_free(host);
}

static void clone_finds_the_only_way_to_understand_the_machine(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();

    assert_run(host, "clone -y", DONE,
               "create Boot0004 \"Windows Boot Manager\" from Boot0000|Disk 1 Partition 1|"
               "create Boot0005 \"debian\" from Boot0001|BootOrder|Done: 3 changes|undo 1");
    assert_run(host, "entries", DONE, "Boot entry ID:    8");
    host_free(host);
}

static void clone_lists_the_choices_when_there_are_several(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();
    struct host *before = NULL;

    assert_run(host, "clone -y", DONE, "Done");
    before = host_clone(host);
    assert_run(host, "clone -full -y", REFUSED,
               "2 ways|shadowboot clone -sg {11111111-aaaa-4b01-8001-0123456789a0} -tg "
               "{22222222-bbbb-4b01-8002-0123456789b1} -full");
    assert_true(host_equal(host, before));
    host_free(before);
    host_free(host);
}

static void mirror_on_a_machine_with_a_boot_store_points_to_clone(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();

    assert_run(host, "mirror " MODERN_DATA_1 " -y", UNSUPPORTED,
               "boot store|shadowboot clone|Nothing was changed");
    host_free(host);
}

static void add_warns_of_a_file_that_is_not_there(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();

    assert_run(host, "add " MODERN_ESP_1 " EFI/none.efi -d \"Not there\" -at 1 -y", DONE,
               "\"Not there\"|\\EFI\\none.efi|[damage] Boot0004|Done");
    assert_run(host, "entries", DAMAGED, "BootOrder:           0004,0000");
    assert_run(host, "add " MODERN_ESP_1 " \\EFI\\none.efi -d Again -y", EXISTS,
               "Boot0004 \"Not there\"|already|Nothing was changed");
    assert_run(host, "add " MODERN_DATA_1 " \\x.efi -d Data -n", DONE,
               "Note:|not an EFI system partition");
    host_free(host);
}

static void prune_shows_what_it_takes_and_why_to_think_twice(void **state)
{
    (void)state;
    struct host *host = fixture_recovery_machine();

    assert_run(host, "prune -y", DONE,
               "unplugged|delete Boot0003 \"Windows Server 2003, Enterprise Edition\"|"
               "delete Boot0004|Done: 3 changes");
    assert_null(mem_vars_find(host->vars, NULL, "Boot0003"));
    assert_non_null(mem_vars_find(host->vars, NULL, "Boot0002"));
    assert_run(host, "prune -y", DONE, "Nothing to do");
    host_free(host);
}

static void undo_lists_and_takes_back_by_number(void **state)
{
    (void)state;
    struct host *host = quick_machine();
    struct host *before = host_clone(host);

    assert_run(host, "undo -l", DONE, "There are no journals");
    assert_run(host, "undo", NOT_FOUND, "nothing to take back");
    assert_run(host, "timeout 9 -y", DONE, "Timeout");
    assert_run(host, "delete 2 -y", DONE, "undo 2");
    assert_run(host, "undo -l", DONE,
               "1  2026-01-02 03:04  done|shadowboot timeout 9 -y|2  2026-01-02 03:04|"
               "FS0:\\EFI\\shadowboot\\J0000002.SBJ");
    assert_run(host, "undo 7", NOT_FOUND, "no journal 7|undo -l");
    assert_run(host, "undo 2 -y", DONE, "restore Boot0000|Done");
    assert_run(host, "undo 1 -y", DONE, "restore Timeout|Done");
    assert_true(mem_vars_equal(host->vars, before->vars));
    assert_run(host, "undo -l", DONE, "taken back");
    host_free(before);
    host_free(host);
}

static void damaged_journal_is_listed_and_refused(void **state)
{
    (void)state;
    struct host *host = quick_machine();

    mem_files_put(host->files, 0, "\\EFI\\shadowboot\\J0000004.SBJ", "nonsense", 8);
    assert_run(host, "undo -l", DONE, "4  ");
    assert_run(host, "undo 4 -y", DAMAGED, "Journal 4|J0000004.SBJ|cannot be used|Nothing was");
    assert_run(host, "timeout 9 -y", DONE, "undo 5");
    host_free(host);
}

/* The last character of the first eight is the version of the format (format/journal.h). */
static void journal_of_another_version_is_not_called_damaged(void **state)
{
    static const struct {
        char version;
        int status;
        const char *said;
    } rows[] = {{'1', UNSUPPORTED, "Journal 4|of another version of shadowboot|Nothing was"},
                {'3', UNSUPPORTED, "Journal 4|take the change back with that one|Nothing was"},
                {'2', DAMAGED, "damaged and cannot be used"},
                {'/', DAMAGED, "damaged and cannot be used"},
                {':', DAMAGED, "damaged and cannot be used"}};
    char file[40] = "SBJOURN";

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct host *host = quick_machine();
        file[7] = rows[i].version;
        mem_files_put(host->files, 0, "\\EFI\\shadowboot\\J0000004.SBJ", file, sizeof(file));
        assert_run(host, "undo 4 -y", rows[i].status, rows[i].said);
        assert_run(host, "timeout 9 -y", DONE, "undo 5"); /* it is in nobody's way */
        host_free(host);
    }
}

/* --- Files ---------------------------------------------------------------------------------- */

static void export_delete_import_gives_the_same_bytes(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();
    struct host *before = host_clone(host);

    assert_run(host, "export FS1:\\saved -y", DONE, "FS1:\\saved\\Boot000A|Done: 6 changes");
    assert_run(host, "delete Boot0000 Boot0001 Boot000B -y", DONE, "Done");
    assert_run(host, "import FS1:\\saved -y", DONE, "left out|create Boot0001 \"Windows");
    /* New entries take the lowest free numbers, and 0000 is that of the entry running now. */
    static const char *const pairs[][2] = {
        {"Boot0000", "Boot0001"}, {"Boot0001", "Boot0004"}, {"Boot000B", "Boot0005"}};
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        const struct mem_var *old = mem_vars_find(before->vars, NULL, pairs[i][0]);
        const struct mem_var *now = mem_vars_find(host->vars, NULL, pairs[i][1]);
        assert_non_null(now);
        assert_int_equal(old->size, now->size);
        assert_memory_equal(old->data, now->data, old->size);
    }
    assert_run(host, "import FS1:\\saved -y", DONE, "Nothing to do");
    host_free(before);
    host_free(host);
}

static void import_takes_files_of_linux_efivarfs_and_retargets(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();
    const struct mem_var *var = mem_vars_find(host->vars, NULL, "Boot0000");
    uint8_t data[1024] = {7};

    memcpy(data + 4, var->data, var->size);
    mem_files_put(host->files, 0, "\\b.bin", data, var->size + 4);
    assert_run(host, "import FS0:\\b.bin -sg " MODERN_ESP_0 " -tg " MODERN_ESP_1 " -y", DONE,
               "create Boot0004 \"Windows Boot Manager\"");
    assert_run(host, "entries", DONE, "HD(2,GPT,22222222-bbbb-4b01-8002-0123456789b1");
    host_free(host);
}

static void import_takes_names_in_any_case_from_a_directory(void **state)
{
    (void)state;
    static const char *const names[] = {"boot00af", "BOOT00B0", "Boot00b1"};
    static const char *const sources[] = {"Boot0000", "Boot0001", "Boot000A"};
    static const char *const others[] = {"Boot00", "Boot00AG", "Boot00AF0", "Loot0001"};
    struct host *host = fixture_modern_machine();
    char path[32];

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct mem_var *var = mem_vars_find(host->vars, NULL, sources[i]);
        snprintf(path, sizeof(path), "\\saved\\%s", names[i]);
        mem_files_put(host->files, 0, path, var->data, var->size);
        mem_vars_drop(host->vars, NULL, sources[i]);
    }
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        snprintf(path, sizeof(path), "\\saved\\%s", others[i]);
        mem_files_put(host->files, 0, path, "nonsense", 8);
    }
    fixture_set_order(host, (const uint16_t[]){2, 3}, 2);
    assert_run(host, "import FS0:\\saved -y", DONE,
               "\"Windows Boot Manager\"|\"debian\"|\"Rescue\"|Done: 4 changes");
    host_free(host);
}

static void export_overwrites_nothing(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();

    mem_files_put(host->files, 1, "\\saved\\Boot0002", "mine", 4);
    struct host *before = host_clone(host);
    assert_run(host, "export FS1:\\saved -y", EXISTS,
               "FS1:\\saved\\Boot0002|there already|Nothing");
    assert_true(host_equal(host, before));
    host_free(before);
    host_free(host);
}

/* --- Firmware that makes entries while one is written --------------------------------------- */

static struct host *growing;
static const struct vars_port *sound_vars;
static size_t sets;

static enum status growing_set(void *ctx, const struct guid *vendor, const char *name,
                               uint32_t attributes, const void *data, size_t size)
{
    static const uint8_t junk[8192];

    for (unsigned i = 0; i < 64 && sets == 0; i++) {
        char own[16];
        snprintf(own, sizeof(own), "Boot%04X", 0x1000 + i);
        put_var(growing, own, junk, sizeof(junk));
    }
    sets++;
    return sound_vars->set(ctx, vendor, name, attributes, data, size);
}

/* With memory for looking again, and without. */
static void change_that_cannot_be_checked_again_is_not_denied(void **state)
{
    (void)state;
    size_t unchecked = 0;
    unsigned code = 1;

    for (size_t size = 256 * 1024; code != DONE; size += 32 * 1024) {
        struct host *host = fixture_modern_machine();
        struct ports ports = *host_ports(host);
        growing = host;
        mem_vars_set_total(host->vars, 4u << 20);
        sets = 0;
        sound_vars = &host_ports(host)->vars;
        ports.vars.set = growing_set;
        assert_true(size < FIXTURE_ARENA);
        code = fixture_run_in(&ports, "timeout -y 9", size);
        const char *text = host_console_text(host->console);
        if (sets > 0 && code != DONE) {
            assert_null(strstr(text, "Nothing was changed"));
            assert_says(text, "1 change was made, but could not be checked once more|undo 1|"
                              "J0000001.SBJ");
            unchecked++;
        }
        host_free(host);
    }
    assert_true(unchecked > 0);
}

static void paths_are_understood_as_the_shell_does(void **state)
{
    (void)state;
    static const struct {
        const char *typed;
        size_t volume;
        const char *file;
    } paths[] = {
        {"FS0:\\x", 0, "\\x\\Boot0000"},
        {"fs0:\\x", 0, "\\x\\Boot0000"},
        {"FS1:\\x\\", 1, "\\x\\Boot0000"},
        {"FS1:\\", 1, "\\Boot0000"},
        {"FS1:", 1, "\\Boot0000"},
        {"FS0:x", 0, "\\x\\Boot0000"},
        {"FS1:x", 1, "\\EFI\\BOOT\\x\\Boot0000"},
        {"FS1:/x/y", 1, "\\x\\y\\Boot0000"},
        {"\\x", 1, "\\x\\Boot0000"},
        {"/x", 1, "\\x\\Boot0000"},
        {"x", 1, "\\EFI\\BOOT\\x\\Boot0000"},
        {"x\\\\y", 1, "\\EFI\\BOOT\\x\\y\\Boot0000"},
        {"\\", 1, "\\Boot0000"},
        {"\"a b\"", 1, "\\EFI\\BOOT\\a b\\Boot0000"},
    };

    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct host *host = fixture_modern_machine();
        char line[64];
        mem_files_set_current(host->files, 1, "\\EFI\\BOOT");
        snprintf(line, sizeof(line), "export %s Boot0000 -y", paths[i].typed);
        if (strcmp(paths[i].typed, "FS1:") == 0)
            mem_files_set_current(host->files, 1, "\\");
        assert_run(host, line, DONE, "Done: 1 change");
        if (mem_files_find(host->files, paths[i].volume, paths[i].file).at == NULL)
            print_error("%s\n", paths[i].typed);
        assert_non_null(mem_files_find(host->files, paths[i].volume, paths[i].file).at);
        host_free(host);
    }
}

static void paths_that_lead_nowhere_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        unsigned code;
        const char *words;
    } lines[] = {
        {"export FS9:\\x -y", NOT_FOUND, "FS9:\\x: there is no such volume"},
        {"export :\\x -y", NOT_FOUND, "no such volume"},
        {"export x -y", NOT_FOUND, "x: it names no volume, and there is no current one|FS0:\\"},
        {"export \\x -y", NOT_FOUND, "no current one"},
        {"import FS9:\\x -y", NOT_FOUND, "no such volume"},
        {"import FS0:\\none -y", NOT_FOUND, "FS0:\\none: not found"},
        {"import FS0:\\none\\none -y", NOT_FOUND, "FS0:\\none\\none: not found"},
        {"import FS0:\\EFI -y", NOT_FOUND, "no file named Boot####"},
        {"import FS0:\\EFI\\Microsoft\\Boot\\BCD -y", DAMAGED, "BCD does not hold a boot entry"},
        {"import FS0:\\\x1b[2J -y", NOT_FOUND, "\\u001B[2J"},
        {"export \xe2\x80\xae:\\x -y", NOT_FOUND, "\\u202E"},
    };
    struct host *host = fixture_modern_machine();
    struct host *before = host_clone(host);

    for (size_t i = 0; i < COUNT_OF(lines); i++)
        assert_run(host, lines[i].line, lines[i].code, lines[i].words);
    assert_true(host_equal(host, before));
    host_free(before);
    host_free(host);
}

/* --- Text from outside ---------------------------------------------------------------------- */

/* ESC, bell, CR, C1, direction changes, zero width, byte order mark, unpaired surrogate, quotes. */
static const uint16_t nasty[] = {'A',    0x1b, '[',    '2',    'J',    7,      '\r',
                                 '\n',   0x9b, 0x202e, 0x2066, 0x200f, 0x200b, 0xfeff,
                                 0xd800, '"',  '^',    ',',    'Z'};

static void put_nasty(struct fixture_bytes *bytes)
{
    for (size_t i = 0; i < COUNT_OF(nasty); i++)
        fixture_put_le(bytes, nasty[i], 2);
}

/* Name, file and load options of Boot0001, and the name of a partition. */
static struct host *nasty_machine(void)
{
    struct host *host = fixture_modern_machine();
    struct fixture_bytes path = {.size = 0};
    struct fixture_bytes value = {.size = 0};
    struct host_partition esp = fixture_partition_named(MODERN_ESP_0);
    struct fixture_bytes text = {.size = 0};

    put_nasty(&text);
    fixture_put_hd(&path, &esp);
    fixture_put_le(&path, 0x0404, 2);
    fixture_put_le(&path, 4 + text.size + 2, 2);
    fixture_put(&path, text.at, text.size);
    fixture_put_le(&path, 0, 2);
    fixture_put_end(&path);
    fixture_put_le(&value, 1, 4);
    fixture_put_le(&value, path.size, 2);
    fixture_put(&value, text.at, text.size);
    fixture_put_le(&value, 0, 2);
    fixture_put(&value, path.at, path.size);
    put_var(host, "Boot0001", value.at, value.size);
    patch_entry(host, 0, PRIMARY, 0, 56, text.at, (unsigned)text.size);
    patch_entry(host, 0, BACKUP, 0, 56, text.at, (unsigned)text.size);
    return host;
}

static void text_from_outside_is_printed_harmlessly(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *words;
    } lines[] = {
        {"entries", "A\\u001B[2J\\u0007|\\u202E|\\uD800"},
        {"entries -sfo", "\\u001B"},
        {"disks", "A\\u001B[2J\\u0007|\\u2066"},
        {"disks -sfo", "\\u001B"},
        {"bootcfg", "\\u001B"},
        {"delete Boot0001 -n", "\\u001B"},
        {"delete Boot0001 -n -sfo", "\\u001B"},
        {"clone -n", "\\u001B"},
        {"next Boot0001 -n", "\\u001B"},
        {"export FS0:\\ Boot0001 -n", "\\u001B"},
        {"prune -n", "\\u001B"},
    };
    struct host *host = nasty_machine();

    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        const char *text = NULL;
        (void)run_line(host, lines[i].line, &text);
        assert_says(text, lines[i].words);
        assert_harmless(text);
    }
    host_free(host);
}

static void text_typed_is_printed_harmlessly_and_kept_as_it_is(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();
    const char *text = NULL;

    assert_int_equal(run_words(host, &text, "s", "add", MODERN_ESP_1, "\\a\x1b.efi", "-d",
                               "B\x1b[1m\xe2\x80\xae", "-y", NULL),
                     DONE);
    assert_harmless(text);
    assert_says(text, "B\\u001B[1m\\u202E|\\a\\u001B.efi");
    const struct mem_var *var = mem_vars_find(host->vars, NULL, "Boot0004");
    assert_non_null(var);
    assert_int_equal(ld_le16(var->data + 8), 0x1b);
    assert_run(host, "undo -l", DONE, "\\u001B");
    assert_run(host, "undo -l -sfo", DONE, "JournalInfo|\\u001B");
    assert_run(host, "\x1b]0;x", USAGE, "\\u001B");
    assert_run(host, "disks -\x1b", USAGE, "\\u001B");
    assert_run(host, "help \x1b", USAGE, "\\u001B");
    assert_run(host, "bootcfg /\x1b", USAGE, "\\u001B");
    host_free(host);
}

static void model_of_a_disk_is_printed_harmlessly(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();
    const struct ports *ports = host_ports(host);

    host->blocks[0].model = "QEMU\x1b[2J \xc2\x9b \xff";
    assert_int_equal(fixture_run_ports(ports, "disks"), DONE);
    assert_harmless(host_console_text(host->console));
    assert_says(host_console_text(host->console), "Disk 0: QEMU\\u001B[2J \\u009B \\xFF");
    host_free(host);
}

static void description_of_a_megabyte_is_cut_on_screen_and_whole_in_a_clone(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();
    size_t length = 15000; /* a value the store still takes */
    struct fixture_bytes path = {.size = 0};
    struct host_partition esp = fixture_partition_named(MODERN_ESP_0);
    const char *text = NULL;

    fixture_put_hd(&path, &esp);
    fixture_put_file(&path, SHIMX64);
    fixture_put_end(&path);
    for (int huge = 0; huge < 2; huge++) {
        size_t characters = huge ? 500000 : length;
        size_t size = 6 + 2 * characters + 2 + path.size;
        uint8_t *value = calloc(1, size);
        assert_non_null(value);
        value[0] = 1;
        st_le16(value + 4, (uint16_t)path.size);
        for (size_t i = 0; i < characters; i++)
            value[6 + 2 * i] = 'n';
        memcpy(value + 8 + 2 * characters, path.at, path.size);
        put_var(host, "Boot0001", value, size);
        free(value);
        assert_int_equal(run_line(host, "entries", &text), DONE);
        assert_true(strlen(text) < 10000);
        if (!huge) {
            assert_int_equal(run_line(host, "clone -y", &text), DONE);
            assert_int_equal(mem_vars_find(host->vars, NULL, "Boot0005")->size, size);
            assert_int_equal(run_line(host, "undo -y", &text), DONE);
        }
    }
    struct host *before = host_clone(host);
    assert_int_not_equal(run_line(host, "clone -y", &text), DONE);
    assert_says(text, "Boot0005");
    assert_true(mem_vars_equal(host->vars, before->vars));
    host_free(before);
    host_free(host);
}

/* --- Standard-format output ----------------------------------------------------------------- */

static char tables[16][32];
static size_t table_count;

static void note_table(const char *name, size_t length)
{
    assert_in_range(length, 1, sizeof(tables[0]) - 1);
    for (size_t i = 0; i < table_count; i++) {
        if (strlen(tables[i]) == length && memcmp(tables[i], name, length) == 0)
            return;
    }
    assert_true(table_count < COUNT_OF(tables));
    memcpy(tables[table_count], name, length);
    tables[table_count++][length] = '\0';
}

/* One row: NAME,"value","value",... with ^" and ^^ inside; gives the number of values. */
static size_t parse_row(const char *row, size_t length)
{
    size_t at = 0;
    size_t columns = 0;

    while (at < length && isalpha((unsigned char)row[at]))
        at++;
    note_table(row, at);
    while (at < length) {
        assert_int_equal(strncmp(row + at, ",\"", 2), 0);
        for (at += 2; at < length && row[at] != '"'; at++) {
            if (row[at] == '^') {
                at++;
                assert_true(row[at] == '"' || row[at] == '^');
            }
        }
        assert_true(at < length);
        at++;
        columns++;
    }
    return columns;
}

/* Rows of `table` in the output; all rows of a table must have as many columns. */
static size_t parse_sfo(const char *text, const char *table)
{
    static const char first[] = "ShellCommand,\"shadowboot\"\n";
    size_t rows = 0;
    size_t columns = 0;

    assert_int_equal(strncmp(text, first, strlen(first)), 0);
    text += strlen(first);
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        size_t name = strcspn(text, ",");
        assert_int_equal(text[length], '\n');
        assert_true(length > 0);
        assert_int_not_equal(strncmp(text, "ShellCommand", 12), 0);
        size_t found = parse_row(text, length);
        assert_true(found > 0);
        if (name == strlen(table) && strncmp(text, table, name) == 0) {
            assert_true(columns == 0 || columns == found);
            columns = found;
            rows++;
        }
        text += length + 1;
    }
    return rows;
}

static void standard_format_output_can_be_parsed(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        unsigned code;
        const char *table;
        size_t rows;
    } lines[] = {
        {"disks -sfo", DONE, "DiskInfo", 2},
        {"disks -sfo", DONE, "PartitionInfo", 6},
        {"disks 1 -sfo", DONE, "PartitionInfo", 3},
        {"disks 9 -sfo", NOT_FOUND, "ErrorInfo", 1},
        {"entries -sfo", DONE, "EntryInfo", 6},
        {"entries -sfo", DONE, "OrderInfo", 6},
        {"entries -sfo", DONE, "SettingInfo", 2},
        {"clone -sfo -n", DONE, "ActionInfo", 2},
        {"clone -sfo", REFUSED, "ErrorInfo", 1},
        {"clone -sfo -y", DONE, "ActionInfo", 2},
        {"clone -sfo -y", DONE, "ActionInfo", 0},
        {"clone -full -sfo -y", REFUSED, "ErrorInfo", 1},
        {"prune -sfo -n", DONE, "FindingInfo", 0},
        {"undo -sfo -l", DONE, "JournalInfo", 1},
        {"undo -sfo -y", DONE, "ActionInfo", 2},
        {"delete 99 -sfo", NOT_FOUND, "ErrorInfo", 1},
        {"timeout x -sfo", USAGE, "ErrorInfo", 1},
        {"add " MODERN_ESP_0 " \\none.efi -d \"a^b\" -sfo -y", DONE, "FindingInfo", 1},
        {"entries -sfo", DAMAGED, "FindingInfo", 1},
    };
    struct host *host = nasty_machine();
    mem_files_put(host->files, 0, SHIMX64, "x", 1);
    struct fixture_entry debian = {
        .number = 1, .description = "De\"bi^an", .form = FIXTURE_DISK, .partition.disk = 0};

    fixture_add_entry(host, &debian);
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        const char *text = NULL;
        unsigned code = run_line(host, lines[i].line, &text);
        size_t rows = parse_sfo(text, lines[i].table);
        if (code != lines[i].code || rows != lines[i].rows)
            print_error("%s gave %u:\n%s\n", lines[i].line, code, text);
        assert_int_equal(code, lines[i].code);
        assert_int_equal(rows, lines[i].rows);
        assert_harmless(text);
    }
    for (size_t i = 0; i < table_count; i++) {
        for (size_t j = 0; j < table_count; j++)
            assert_true(i == j || strncmp(tables[i], tables[j], strlen(tables[i])) != 0);
    }
    assert_true(table_count >= 8);
    host_free(host);
}

static void values_are_quoted_with_carets(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();
    struct fixture_entry entry = {.number = 1, .description = "a\"b^c,d", .form = FIXTURE_BBS};
    const char *text = NULL;

    fixture_add_entry(host, &entry);
    assert_int_equal(run_line(host, "entries -sfo", &text), DONE);
    assert_says(text, ",\"a^\"b^^c,d\",");
    host_free(host);
}

/* --- bootcfg -------------------------------------------------------------------------------- */

#define DM_WINDOWS "\\Device\\HarddiskDmVolumes\\PhysicalDmVolumes\\BlockVolume1\\WINDOWS\n"

/* What KB 814070 shows, line by line. Its first listing cuts the Default line at the edge of the
 * page; the second has it whole. */
#define LISTING_BEFORE                                                                    \
    "Boot Options\n"                                                                      \
    "------------\n"                                                                      \
    "Timeout:             30\n"                                                           \
    "Default:             " DM_WINDOWS "CurrentBootEntryID:  5\n"                         \
    "\n"                                                                                  \
    "Boot Entries\n"                                                                      \
    "------------\n"                                                                      \
    "\n"                                                                                  \
    "Boot entry ID:    1\n"                                                               \
    "OS Friendly Name: Windows 2003 Server, Enterprise\n"                                 \
    "OsLoadOptions:    N/A\n"                                                             \
    "BootFilePath:     \\Device\\HarddiskVolume1\\EFI\\Microsoft\\WINNT50\\ia64ldr.efi\n" \
    "OsFilePath:       " DM_WINDOWS "\n"                                                  \
    "Boot entry ID:    2\n"                                                               \
    "OS Friendly Name: LS120\n"                                                           \
    "\n"                                                                                  \
    "Boot entry ID:    3\n"                                                               \
    "OS Friendly Name: CDROM\n"                                                           \
    "\n"                                                                                  \
    "Boot entry ID:    4\n"                                                               \
    "OS Friendly Name: EFI Shell\n"                                                       \
    "\n"                                                                                  \
    "Boot entry ID:    5\n"                                                               \
    "OS Friendly Name: Boot Mirror C: - secondary plex\n"                                 \
    "OsLoadOptions:    N/A\n"                                                             \
    "BootFilePath:     \\Device\\HarddiskVolume1\\EFI\\Microsoft\\WINNT50\\ia64ldr.efi\n" \
    "OsFilePath:       " DM_WINDOWS "\n"

#define LISTING_CLONES                                                                    \
    "Boot entry ID:    6\n"                                                               \
    "OS Friendly Name: Windows 2003 Server, Enterprise Cloned_Entry\n"                    \
    "OsLoadOptions:    N/A\n"                                                             \
    "BootFilePath:     \\Device\\HarddiskVolume3\\EFI\\Microsoft\\WINNT50\\ia64ldr.efi\n" \
    "OsFilePath:       " DM_WINDOWS "\n"                                                  \
    "Boot entry ID:    7\n"                                                               \
    "OS Friendly Name: Boot Mirror C: - secondary plex Cloned_Entry\n"                    \
    "OsLoadOptions:    N/A\n"                                                             \
    "BootFilePath:     \\Device\\HarddiskVolume3\\EFI\\Microsoft\\WINNT50\\ia64ldr.efi\n" \
    "OsFilePath:       " DM_WINDOWS "\n"

static const char list_0[] = "Partition table info for Disk: 0\n"
                             "---------------------------------\n"
                             "Partition No:      1\n"
                             "Partition Style:  GPT\n"
                             "Starting  offset: 32,256\n"
                             "Partition length: 213,825,024\n"
                             "Partition GUID:   {68d298c0-1b6a-01c1-507b-9e5f8078f531}\n"
                             "GUID type:        {c12a7328-f81f-11d2-ba4b-00a0c93ec93b}\n"
                             "Partition name:   EFI system partition\n"
                             "\n"
                             "Partition No:      2\n"
                             "Partition Style:  GPT\n"
                             "Starting  offset: 213,857,280\n"
                             "Partition length: 5,142,056,960\n"
                             "Partition GUID:   {68d298c0-1b6a-01c1-f1b3-12714f758821}\n"
                             "GUID type:        {af9b60a0-1431-4f62-bc68-3311714a69ad}\n"
                             "Partition name:   LDM data partition\n"
                             "\n"
                             "Partition No:      3\n"
                             "Partition Style:  GPT\n"
                             "Starting  offset: 9,153,031,680\n"
                             "Partition length: 1,048,576\n"
                             "Partition GUID:   {73e47280-0d38-11d7-b47f-806e6f6e6963}\n"
                             "GUID type:        {5808c8aa-7e8f-42e0-85d2-e1e90434cfb3}\n"
                             "Partition name:   LDM metadata partition\n"
                             "\n"
                             "Partition No:      4\n"
                             "Partition Style:  GPT\n"
                             "Starting  offset: 9,154,080,256\n"
                             "Partition length: 32,505,856\n"
                             "Partition GUID:   {1ca4672d-a37c-4e12-bacb-c5ae97924965}\n"
                             "GUID type:        {e3c9e316-0b5c-4db8-817d-f92df00215ae}\n"
                             "Partition name:   Microsoft reserved partition\n"
                             "\n";

static const char list_1[] = "Partition table info for Disk: 1\n"
                             "---------------------------------\n"
                             "Partition No:      1\n"
                             "Partition Style:  GPT\n"
                             "Starting  offset: 17,408\n"
                             "Partition length: 213,909,504\n"
                             "Partition GUID:   {476688c5-8ebf-47d2-80e7-cf9d065edb81}\n"
                             "GUID type:        {c12a7328-f81f-11d2-ba4b-00a0c93ec93b}\n"
                             "Partition name:   EFI system partition\n"
                             "\n"
                             "Partition No:      2\n"
                             "Partition Style:  GPT\n"
                             "Starting  offset: 213,926,912\n"
                             "Partition length: 1,048,576\n"
                             "Partition GUID:   {b72d10f6-e94e-4a4d-bb8e-4da985cc1679}\n"
                             "GUID type:        {5808c8aa-7e8f-42e0-85d2-e1e90434cfb3}\n"
                             "Partition name:   LDM metadata partition\n"
                             "\n"
                             "Partition No:      3\n"
                             "Partition Style:  GPT\n"
                             "Starting  offset: 214,975,488\n"
                             "Partition length: 32,505,856\n"
                             "Partition GUID:   {824858f3-b8d5-4b4d-a3c7-18aac4442b7e}\n"
                             "GUID type:        {e3c9e316-0b5c-4db8-817d-f92df00215ae}\n"
                             "Partition name:   Microsoft reserved partition\n"
                             "\n"
                             "Partition No:      4\n"
                             "Partition Style:  GPT\n"
                             "Starting  offset: 247,481,344\n"
                             "Partition length: 5,142,056,960\n"
                             "Partition GUID:   {f3d11286-2582-4d76-889c-b82c346be44e}\n"
                             "GUID type:        {af9b60a0-1431-4f62-bc68-3311714a69ad}\n"
                             "Partition name:   LDM data partition\n"
                             "\n";

static void assert_exact(struct host *host, const char *line, const char *wanted)
{
    const char *text = NULL;

    assert_int_equal(run_line(host, line, &text), DONE);
    assert_string_equal(text, wanted);
}

static void bootcfg_prints_what_the_article_prints(void **state)
{
    (void)state;
    struct host *host = fixture_article_machine();

    assert_exact(host, "bootcfg", LISTING_BEFORE);
    assert_exact(host, "bootcfg /query", LISTING_BEFORE);
    assert_exact(host, "bootcfg /list 0", list_0);
    assert_exact(host, "bootcfg /list 1", list_1);
    assert_exact(host,
                 "bootcfg /clone /sg {68d298c0-1b6a-01c1-507b-9e5f8078f531} "
                 "/tg {476688c5-8ebf-47d2-80e7-cf9d065edb81} /d+ Cloned_Entry",
                 "INFO: Boot entry whose id is '1' successfully cloned.\n"
                 "INFO: Boot entry whose id is '5' successfully cloned.\n"
                 "SUCCESS: The operation completed successfully.\n");
    assert_exact(host, "bootcfg", LISTING_BEFORE LISTING_CLONES);
    assert_exact(host, "bootcfg /delete /ID 7",
                 "SUCCESS: Specified boot entry has been deleted.\n");
    assert_exact(host, "bootcfg /delete /ID 6",
                 "SUCCESS: Specified boot entry has been deleted.\n");
    assert_exact(host, "bootcfg", LISTING_BEFORE);
    host_free(host);
}

#define RECOVERY_LISTING                                                                  \
    "Boot Options\n"                                                                      \
    "------------\n"                                                                      \
    "Timeout:             5\n"                                                            \
    "Default:             \\Device\\HarddiskVolume3\\WINDOWS\n"                           \
    "CurrentBootEntryID:  1\n"                                                            \
    "\n"                                                                                  \
    "Boot Entries\n"                                                                      \
    "------------\n"                                                                      \
    "\n"                                                                                  \
    "Boot entry ID:    1\n"                                                               \
    "OS Friendly Name: Microsoft Windows Server 2003, Enterprise Edition\n"               \
    "OsLoadOptions:    N/A\n"                                                             \
    "BootFilePath:     \\Device\\HarddiskVolume1\\EFI\\Microsoft\\WINNT50\\ia64ldr.efi\n" \
    "OsFilePath:       \\Device\\HarddiskVolume3\\WINDOWS\n"                              \
    "\n"                                                                                  \
    "Boot entry ID:    2\n"                                                               \
    "OS Friendly Name: Windows Server 2003, Enterprise Edition\n"                         \
    "OsLoadOptions:    N/A\n"                                                             \
    "BootFilePath:     (null)\n"                                                          \
    "OsFilePath:       (null)\n"                                                          \
    "\n"                                                                                  \
    "Boot entry ID:    3\n"                                                               \
    "OS Friendly Name: LS120\n"                                                           \
    "\n"                                                                                  \
    "Boot entry ID:    4\n"                                                               \
    "OS Friendly Name: CDROM\n"                                                           \
    "\n"                                                                                  \
    "Boot entry ID:    5\n"                                                               \
    "OS Friendly Name: EFI Shell\n"                                                       \
    "\n"                                                                                  \
    "Boot entry ID:    6\n"                                                               \
    "OS Friendly Name: Boot Mirror C: - secondary plex\n"                                 \
    "OsLoadOptions:    N/A\n"                                                             \
    "BootFilePath:     (null)\n"                                                          \
    "OsFilePath:       (null)\n"                                                          \
    "\n"

static void bootcfg_recovers_the_shadow_as_in_the_article(void **state)
{
    (void)state;
    struct host *host = fixture_recovery_machine();

    assert_exact(host, "bootcfg", RECOVERY_LISTING);
    assert_run(host, "bootcfg /list 1", DONE,
               "Partition No:      3\nPartition Style:  GPT\nStarting  offset: 33,571,840\n"
               "Partition length: 3,142,056,960\n"
               "Partition GUID:   {9aee294a-fa7d-4d4a-8a47-51a1dd1f9867}\n"
               "GUID type:        {af9b60a0-1431-4f62-bc68-3311714a69ad}\n"
               "Partition name:   LDM data partition\n\nPartition No:      4\n");
    assert_exact(host,
                 "bootcfg /mirror /add {9aee294a-fa7d-4d4a-8a47-51a1dd1f9867} "
                 "/D \"Original Shadow drive\"",
                 "SUCCESS: The mirrored boot entry has been added.\n");
    assert_exact(
        host, "bootcfg",
        RECOVERY_LISTING
        "Boot entry ID:    7\n"
        "OS Friendly Name: Original Shadow drive\n"
        "OsLoadOptions:    N/A\n"
        "BootFilePath:     \\Device\\HarddiskVolume1\\EFI\\Microsoft\\WINNT50\\ia64ldr.efi\n"
        "OsFilePath:       (null)\n"
        "\n");
    host_free(host);
}

static void bootcfg_lists_what_the_order_names_and_can_be_read(void **state)
{
    (void)state;
    static const uint16_t order[] = {3, 0, 4};
    struct host *host = quick_machine();
    const char *text = NULL;

    fixture_set_order(host, order, COUNT_OF(order));
    put_var(host, "Boot0000", "bad", 3);
    assert_int_equal(run_line(host, "bootcfg", &text), DONE);
    assert_says(text, "Boot entry ID:    1|Boot entry ID:    3|secondary plex");
    assert_null(strstr(text, "Boot entry ID:    2"));
    assert_null(strstr(text, "CDROM"));
    assert_null(strstr(text, "EFI Shell"));
    host_free(host);
}

static void program_named_bootcfg_takes_bootcfg_lines(void **state)
{
    (void)state;
    static const char *const names[] = {"bootcfg", "bootcfg.efi", "FS0:\\EFI\\BOOTCFG.EFI",
                                        "/usr/bin/bootcfg"};
    struct host *host = fixture_article_machine();

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *text = NULL;
        assert_int_equal(run_words(host, &text, names[i], "/list", "0", NULL), DONE);
        assert_string_equal(text, list_0);
        assert_int_equal(run_words(host, &text, names[i], NULL), DONE);
        assert_string_equal(text, LISTING_BEFORE);
    }
    host_free(host);
}

static void bootcfg_takes_dashes_and_any_case_and_variable_names(void **state)
{
    (void)state;
    struct host *host = fixture_article_machine();

    assert_exact(host, "bootcfg -LIST 1", list_1);
    assert_exact(host, "BOOTCFG /Default /Id Boot0004",
                 "SUCCESS: Specified boot entry is the default now.\n");
    assert_exact(host, "bootcfg /timeout 7", "SUCCESS: The timeout value has been changed.\n");
    assert_run(host, "bootcfg", DONE, "Timeout:             7|CurrentBootEntryID:  1");
    assert_run(host, "bootcfg /?", DONE, "/clone /sg GUID /tg GUID|/mirror|/delete /id ID");
    host_free(host);
}

static void wrong_bootcfg_lines_begin_with_error_and_change_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        unsigned code;
        const char *words;
    } lines[] = {
        {"bootcfg /frob", USAGE, "/frob|/?"},
        {"bootcfg list", USAGE, "list|/?"},
        {"bootcfg 0", USAGE, "\"0\""},
        {"bootcfg /list", USAGE, "/list takes the number"},
        {"bootcfg /list x", USAGE, "/list takes the number"},
        {"bootcfg /list 0 1", USAGE, "/list takes the number"},
        {"bootcfg /list 2", NOT_FOUND, "no Disk 2"},
        {"bootcfg /query x", USAGE, "/query takes nothing"},
        /* As the article's page prints it, with a blank where the line was wrapped. */
        {"bootcfg /clone /sg {68d298c0-1b6a-01c1-507b-9e5f8078f531} "
         "/tg {476688c5-8ebf-47d2-80e7-cf9d06 5edb81} /d+ Cloned_Entry",
         USAGE, "5edb81}|without blanks"},
        {"bootcfg /clone", USAGE, "/sg|/tg"},
        {"bootcfg /clone /sg", USAGE, "value is missing behind \"/sg\""},
        {"bootcfg /clone /sg " ARTICLE_ESP_0, USAGE, "/tg"},
        {"bootcfg /clone /tg " ARTICLE_ESP_1, USAGE, "/sg"},
        {"bootcfg /clone /sg " ARTICLE_ESP_0 " /tg " ARTICLE_ESP_1 " /d+", USAGE, "missing|/d+"},
        {"bootcfg /clone /sg " ARTICLE_ESP_0 " /tg " ARTICLE_ESP_1 " /x y", USAGE, "/x"},
        {"bootcfg /clone /sg " ARTICLE_ESP_0 " /tg " ARTICLE_ESP_0, USAGE, "same partition"},
        {"bootcfg /clone /sg " MODERN_ESP_0 " /tg " ARTICLE_ESP_1, NOT_FOUND,
         "source|" MODERN_ESP_0},
        {"bootcfg /clone /sg " ARTICLE_ESP_0 " /tg " MODERN_ESP_0, NOT_FOUND, MODERN_ESP_0},
        {"bootcfg /clone /sg " ARTICLE_ESP_0 " /sg " ARTICLE_ESP_0 " /tg " ARTICLE_ESP_1, USAGE,
         "/sg|twice"},
        {"bootcfg /clone /sg " ARTICLE_ESP_0 " /tg " ARTICLE_ESP_1 " /d a /d+ b", USAGE, "/d"},
        {"bootcfg /mirror", USAGE, "/add|/d"},
        {"bootcfg /mirror /add " ARTICLE_DATA_1, USAGE, "/d"},
        {"bootcfg /mirror /add " ARTICLE_ESP_1 " /d x", REFUSED, "EFI system partition|data"},
        {"bootcfg /mirror /add " MODERN_ESP_1 " /d x", NOT_FOUND, MODERN_ESP_1},
        {"bootcfg /delete", USAGE, "/id"},
        {"bootcfg /delete /id", USAGE, "missing"},
        {"bootcfg /delete 6", USAGE, "\"6\""},
        {"bootcfg /delete /id 6", NOT_FOUND, "no boot entry 6"},
        {"bootcfg /delete /id x", USAGE, "\"x\""},
        {"bootcfg /default /id 9", NOT_FOUND, "no boot entry 9"},
        {"bootcfg /timeout", USAGE, "0 to 999"},
        {"bootcfg /timeout 1000", USAGE, "0 to 999"},
        {"bootcfg /timeout -1", USAGE, "0 to 999"},
    };
    struct host *host = quick_machine();
    struct host *before = host_clone(host);

    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        assert_run(host, lines[i].line, lines[i].code, lines[i].words);
        assert_int_equal(strncmp(host_console_text(host->console), "ERROR: ", 7), 0);
    }
    assert_true(host_equal(host, before));
    assert_int_equal(mem_vars_log_count(host->vars), 0);
    host_free(before);
    host_free(host);
}

static void bootcfg_reports_a_disk_without_a_good_table(void **state)
{
    (void)state;
    struct host *host = quick_machine();

    flip_byte(host, 1, header_offset(host, 1, PRIMARY) + 56);
    zero_block(host, 1, header_offset(host, 1, BACKUP) / 512);
    assert_run(host, "bootcfg /list 1", DAMAGED,
               "ERROR: |partition table of Disk 1|checksum is wrong|it is not there");
    assert_null(strstr(host_console_text(host->console), "Partition table info"));
    host_free(host);
}

static void bootcfg_takes_the_common_options(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "bootcfg -n /delete /id 2",
        "bootcfg /timeout -n 7",
        "bootcfg /default /id 2 -n",
        "bootcfg /clone -n /sg " ARTICLE_ESP_0 " /tg " ARTICLE_ESP_1,
    };
    struct host *host = quick_machine();
    struct host *before = host_clone(host);

    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        assert_run(host, lines[i], DONE, "Plan:|Nothing was changed (-n)");
        assert_null(strstr(host_console_text(host->console), "SUCCESS"));
        assert_null(strstr(host_console_text(host->console), "INFO"));
        assert_true(host_equal(host, before));
    }
    assert_run(host, "bootcfg -sfo", USAGE, "ERROR: |-sfo");
    assert_run(host, "bootcfg -n -n", USAGE, "ERROR: |-n|twice");
    assert_run(host, "bootcfg /n", USAGE, "ERROR: |/n");
    assert_true(host_equal(host, before));
    assert_run(host, "bootcfg -b -v /query", DONE, "Boot Entries|Memory: ");
    assert_run(host, "bootcfg /timeout 7 -y", DONE, "SUCCESS");
    assert_run(host, "bootcfg /?", DONE, "-n |-v |-b |-y ");
    host_free(before);
    host_free(host);
}

static void bootcfg_lines_are_journaled_like_all_others(void **state)
{
    (void)state;
    struct host *host = quick_machine();
    struct host *before = host_clone(host);

    assert_run(host, "bootcfg /delete /id 2", DONE, "SUCCESS");
    assert_run(host, "undo -y", DONE, "bootcfg /delete /id 2|Done");
    assert_true(mem_vars_equal(host->vars, before->vars));
    host_free(before);
    host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_command_lines_say_what_is_wrong_and_change_nothing),
        cmocka_unit_test(more_arguments_than_there_is_room_for_are_refused),
        cmocka_unit_test(options_stand_anywhere_and_in_any_case),
        cmocka_unit_test(leaving_a_page_of_the_plan_changes_nothing),
        cmocka_unit_test(no_arguments_print_the_overview),
        cmocka_unit_test(help_is_found_by_the_words_people_try),
        cmocka_unit_test(every_command_has_help_with_all_its_options),
        cmocka_unit_test(manual_page_names_every_command),
        cmocka_unit_test(malformed_guids_are_refused_by_every_command),
        cmocka_unit_test(guids_are_taken_with_and_without_braces_in_any_case),
        cmocka_unit_test(entries_are_named_by_id_or_variable),
        cmocka_unit_test(one_bad_id_among_good_ones_stops_all),
        cmocka_unit_test(several_ids_mean_the_list_as_it_is_now),
        cmocka_unit_test(dash_n_shows_the_plan_and_changes_nothing),
        cmocka_unit_test(only_yes_is_yes),
        cmocka_unit_test(without_a_keyboard_nothing_is_changed),
        cmocka_unit_test(ctrl_c_after_the_question_still_stops),
        cmocka_unit_test(every_change_is_made_undone_and_gone_again),
        cmocka_unit_test(second_run_has_nothing_to_do),
        cmocka_unit_test(disks_shows_what_the_issue_of_a_lost_disk_needs),
        cmocka_unit_test(machine_without_disks_says_so),
        cmocka_unit_test(entries_shows_where_each_entry_leads),
        cmocka_unit_test(entries_says_what_only_some_firmware_starts),
        cmocka_unit_test(entries_tells_of_equal_names),
        cmocka_unit_test(disk_in_the_name_and_a_name_of_ones_own_exclude_each_other),
        cmocka_unit_test(entries_shows_attributes_and_next),
        cmocka_unit_test(clone_finds_the_only_way_to_understand_the_machine),
        cmocka_unit_test(clone_lists_the_choices_when_there_are_several),
        cmocka_unit_test(mirror_on_a_machine_with_a_boot_store_points_to_clone),
        cmocka_unit_test(add_warns_of_a_file_that_is_not_there),
        cmocka_unit_test(prune_shows_what_it_takes_and_why_to_think_twice),
        cmocka_unit_test(undo_lists_and_takes_back_by_number),
        cmocka_unit_test(damaged_journal_is_listed_and_refused),
        cmocka_unit_test(journal_of_another_version_is_not_called_damaged),
        cmocka_unit_test(export_delete_import_gives_the_same_bytes),
        cmocka_unit_test(import_takes_files_of_linux_efivarfs_and_retargets),
        cmocka_unit_test(import_takes_names_in_any_case_from_a_directory),
        cmocka_unit_test(export_overwrites_nothing),
        cmocka_unit_test(change_that_cannot_be_checked_again_is_not_denied),
        cmocka_unit_test(paths_are_understood_as_the_shell_does),
        cmocka_unit_test(paths_that_lead_nowhere_are_refused),
        cmocka_unit_test(text_from_outside_is_printed_harmlessly),
        cmocka_unit_test(text_typed_is_printed_harmlessly_and_kept_as_it_is),
        cmocka_unit_test(model_of_a_disk_is_printed_harmlessly),
        cmocka_unit_test(description_of_a_megabyte_is_cut_on_screen_and_whole_in_a_clone),
        cmocka_unit_test(standard_format_output_can_be_parsed),
        cmocka_unit_test(values_are_quoted_with_carets),
        cmocka_unit_test(bootcfg_prints_what_the_article_prints),
        cmocka_unit_test(bootcfg_recovers_the_shadow_as_in_the_article),
        cmocka_unit_test(bootcfg_lists_what_the_order_names_and_can_be_read),
        cmocka_unit_test(program_named_bootcfg_takes_bootcfg_lines),
        cmocka_unit_test(bootcfg_takes_dashes_and_any_case_and_variable_names),
        cmocka_unit_test(wrong_bootcfg_lines_begin_with_error_and_change_nothing),
        cmocka_unit_test(bootcfg_lines_are_journaled_like_all_others),
        cmocka_unit_test(bootcfg_reports_a_disk_without_a_good_table),
        cmocka_unit_test(bootcfg_takes_the_common_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
