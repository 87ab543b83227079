/*
 * A program that has come over a network: settings from its server, the report to where they say, and not a byte that
 * is written to a disk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "apply/start_guard.h"
#include "base/arena.h"
#include "cmd/cmd.h"
#include "host/host_reports.h"
#include "unit/disk_machine_fixture.h"
#include "unit/json_fixture.h"

#define ARENA_SIZE (32u << 20)

static struct {
    struct host *host;
    uint8_t *memory;
    const char *settings; /* that the server has; NULL: none */
    enum status fetches;  /* what becomes of asking for others */
    unsigned hiccups;     /* so often the server gives no answer first */
    unsigned fetched;
    enum status takes; /* what becomes of sending */
    unsigned sent;
    struct net_address to;
    char *report;
    size_t report_size;
} site;

static enum status fetch(void *ctx, const char *name, void *ret_data, size_t size, size_t *ret_size)
{
    (void)ctx;
    assert_string_equal(name, "shadowboot.conf");
    if (++site.fetched <= site.hiccups)
        return ST_IO;
    if (site.settings == NULL)
        return site.fetches;
    size_t length = strlen(site.settings);
    assert_true(length <= size);
    memcpy(ret_data, site.settings, length);
    *ret_size = length;
    return ST_OK;
}

static enum status take(void *ctx, const struct net_address *to, struct span data)
{
    (void)ctx;
    host_reports_keep(data);
    site.sent++;
    site.to = *to;
    free(site.report);
    site.report = malloc(data.size);
    assert_non_null(site.report);
    memcpy(site.report, data.at, data.size);
    site.report_size = data.size;
    return site.takes;
}

/* A healthy machine whose firmware has loaded the program from a server. */
static int set_up(void **state)
{
    struct disk_machine_shape shape = disk_machine_usual();

    (void)state;
    memset(&site, 0, sizeof(site));
    shape.no_stick = true;
    site.fetches = ST_ABSENT;
    site.host = disk_machine_new(&shape);
    site.memory = malloc(ARENA_SIZE);
    assert_non_null(site.memory);
    (void)host_ports(site.host);
    mem_files_set_self(site.host->files, FILES_NO_VOLUME);
    host_start_set_self(site.host->start, true, "");
    site.host->ports.net = (struct net_port){NULL, true, "52-54-00-12-34-56", fetch, take};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    host_free(site.host);
    free(site.memory);
    free(site.report);
    return 0;
}

/* Gives the exit status. Nothing is ever written: neither to a disk nor to a variable that stays. */
static unsigned run(int count, const char *const *words)
{
    size_t logged[HOST_MAX_DISKS];
    struct arena arena;

    arena_init(&arena, site.memory, ARENA_SIZE);
    host_console_clear(site.host->console);
    mem_vars_log_clear(site.host->vars);
    for (size_t i = 0; i < site.host->disk_count; i++)
        logged[i] = mem_block_log_count(site.host->disks[i]);
    const struct ports *ports = host_ports(site.host);
    unsigned exit_status =
        setjmp(*host_start_away(site.host->start)) != 0 ? 0 : cmd_main(ports, &arena, count, words);
    for (size_t i = 0; i < mem_vars_log_count(site.host->vars); i++)
        assert_string_equal(mem_vars_log_at(site.host->vars, i)->name, "ShadowbootReport");
    for (size_t i = 0; i < site.host->disk_count; i++)
        assert_int_equal(mem_block_log_count(site.host->disks[i]), logged[i]);
    return exit_status;
}

static unsigned run_alone(void)
{
    const char *const words[] = {"shadowboot"};

    return run(1, words);
}

static bool says(const char *text)
{
    return strstr(host_console_text(site.host->console), text) != NULL;
}

static void report_goes_where_the_settings_say(void **state)
{
    (void)state;
    site.settings = "mode = report\ntimeout = 0\nsend = tftp:in/\n";
    assert_int_equal(run_alone(), 14); /* EFI_NOT_FOUND: firmware goes on with its next entry */
    assert_int_equal(site.sent, 1);
    assert_int_equal(site.to.scheme, NET_TFTP);
    assert_false(site.to.has_server);
    assert_string_equal(site.to.path, "in/52-54-00-12-34-56.json");
    assert_true(json_is_valid(site.report, site.report_size));
    assert_string_equal(json_at(site.report, site.report_size, "machine.networkCard"),
                        "\"52-54-00-12-34-56\"");
    assert_true(says("was sent to tftp:in/ as in/52-54-00-12-34-56.json"));
    assert_int_equal(host_start_count(site.host->start), 0);
}

static void report_is_that_of_status(void **state)
{
    const char *const words[] = {"shadowboot", "status", "-json", "FS0:\\report.json"};

    (void)state;
    site.settings = "mode = report\nsend = http://10.0.0.1/in";
    (void)run_alone();
    host_start_set_self(site.host->start, false, "");
    assert_string_equal(site.to.path, "/in");
    struct arena arena;
    arena_init(&arena, site.memory, ARENA_SIZE);
    (void)cmd_main(host_ports(site.host), &arena, 4, words);
    struct span file = mem_files_find(site.host->files, 0, "\\report.json");
    assert_int_equal(file.size, site.report_size);
    assert_memory_equal(file.at, site.report, file.size);
}

static void report_that_is_not_taken_is_told(void **state)
{
    (void)state;
    site.settings = "mode = report\nsend = http://10.0.0.1/in";
    site.takes = ST_REFUSED;
    assert_int_equal(run_alone(), 14);
    assert_int_equal(site.sent, 1);
    assert_true(says("could not be sent to http://10.0.0.1/in: "));
}

/* Whoever has started it from a server that has no settings may be there, or not. */
static void without_settings_nobody_is_waited_for(void **state)
{
    (void)state;
    assert_int_equal(run_alone(), 14); /* EFI_NOT_FOUND: firmware goes on with its next entry */
    assert_true(says("No settings say what to do"));
    assert_true(says("Press a key for the menu:   5"));
    assert_true(says("The firmware goes on with its next boot entry."));
    host_console_answer(site.host->console, "x");
    assert_int_equal(run_alone(), 21); /* a person: there is no screen for the menu */
    assert_false(says("The firmware goes on with its next boot entry."));
    assert_int_equal(site.sent, 0);
    assert_int_equal(host_start_count(site.host->start), 0);
}

/* The menu asks the server no second time. */
static void server_is_asked_once(void **state)
{
    (void)state;
    host_console_answer(site.host->console, "q");
    site.settings = "mode = menu\nserial = ascii\n";
    (void)run_alone();
    assert_int_equal(site.fetched, 1);
}

static void server_that_is_busy_is_asked_again(void **state)
{
    (void)state;
    site.hiccups = 2;
    site.settings = "mode = report\ntimeout = 0\nsend = tftp:in/\n";
    assert_int_equal(run_alone(), 14);
    assert_int_equal(site.fetched, 3);
    assert_int_equal(site.sent, 1);
}

/* Nobody may be there to see the menu, and the machine has a next boot entry. */
static void server_that_never_answers_holds_no_machine(void **state)
{
    static const enum status never[] = {ST_IO, ST_REFUSED, ST_UNSUPPORTED, ST_NO_SPACE};

    (void)state;
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        site.fetches = never[i];
        assert_int_equal(run_alone(), 14); /* EFI_NOT_FOUND */
        assert_true(says("the server's shadowboot.conf cannot be read"));
        assert_true(says("The firmware goes on with its next boot entry."));
        assert_int_equal(site.sent, 0);
        assert_int_equal(host_start_count(site.host->start), 0);
    }
}

/* Load options are no consent: a network loader hands on what its server says. */
static void command_of_the_network_is_not_carried_out(void **state)
{
    static const char *const lines[][4] = {
        {"shadowboot", "repair", "-y", "-format"},
        {"shadowboot", "delete", "1", "-y"},
        {"bootcfg", "/delete", "/ID", "1"},
        {"bcdedit", "/timeout", "1", ""},
    };

    (void)state;
    disk_machine_delete(site.host, 1, "\\EFI\\Microsoft\\Boot\\bootmgfw.efi");
    site.settings = "mode = report\ntimeout = 0\nsend = tftp:in/\n";
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_int_equal(run(4, lines[i]), 14);
        assert_true(says("A command that came over the network is not carried out: "));
        assert_true(says(lines[i][1]));
        assert_int_equal(site.sent, i + 1);
    }
}

/* Of a stick's image that was loaded by HTTP the Shell was started, and there somebody typed. */
static void command_that_a_person_has_typed_is_carried_out(void **state)
{
    const char *const words[] = {"shadowboot", "status", "-quick"};

    (void)state;
    host_start_set_self(site.host->start, false, "");
    assert_int_equal(run(3, words), 0);
    assert_true(says("This machine starts from each of its boot disks alone."));
}

/* Anybody may play the server: a machine that would have to be mended is not. */
static void server_cannot_make_it_write_or_start(void **state)
{
    (void)state;
    site.settings = "mode = repair\ntimeout = 0\nallow-format = yes\nsend = tftp:x";
    disk_machine_delete(site.host, 1, "\\EFI\\Microsoft\\Boot\\bootmgfw.efi");
    assert_int_equal(run_alone(), 14);
    assert_true(says("not to be had from a server"));
    assert_int_equal(site.sent, 0);
    assert_int_equal(host_start_count(site.host->start), 0);
}

static void config_says_where_its_settings_come_from(void **state)
{
    const char *const words[] = {"shadowboot", "config"};

    (void)state;
    host_start_set_self(site.host->start, false, "");
    site.settings = "mode = report\nsend = tftp:in/\n";
    assert_int_equal(run(2, words), 0);
    assert_true(says("tftp:in/"));
    site.settings = "mode = start\n";
    assert_int_equal(run(2, words), 10);
    assert_true(says("Line 1 of the server's shadowboot.conf"));
    site.settings = NULL;
    assert_int_equal(run(2, words), 0);
    assert_true(says("There is no shadowboot.conf on the server"));
}

/* A machine that starts again and again is one that its owner wants a report of. */
static void reports_are_sent_though_no_start_would_be_tried(void **state)
{
    static const struct guid own = VAR_OWN_VENDOR;
    static const uint8_t thrice[8] = {3};

    (void)state;
    mem_vars_put(site.host->vars, &own, START_GUARD_NAME, VAR_NON_VOLATILE | VAR_BOOT_SERVICE,
                 thrice, sizeof(thrice));
    site.settings = "mode = report\nsend = tftp:in/\n";
    assert_int_equal(run_alone(), 14);
    assert_int_equal(site.sent, 1);
}

/* Nobody knows who has put it there. */
static void what_came_from_nowhere_starts_nothing(void **state)
{
    (void)state;
    site.host->ports.net = (struct net_port){.hardware = ""};
    assert_int_equal(run_alone(), 14);
    assert_int_equal(host_start_count(site.host->start), 0);
}

/* The machine's own disks can have a "send" too, and no network. */
static void what_came_from_a_disk_sends_nothing(void **state)
{
    static const char text[] = "mode = report\nsend = tftp:in/\n";

    (void)state;
    site.host->ports.net = (struct net_port){.hardware = ""};
    mem_files_set_self(site.host->files, 0);
    mem_files_put(site.host->files, 0, "\\EFI\\shadowboot\\shadowboot.conf", text,
                  sizeof(text) - 1);
    struct arena arena;
    const char *const words[] = {"shadowboot"};
    arena_init(&arena, site.memory, ARENA_SIZE);
    assert_int_equal(cmd_main(host_ports(site.host), &arena, 1, words), 14);
    assert_int_equal(site.sent, 0);
    assert_true(says("was not started from a network"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(report_goes_where_the_settings_say),
        TEST(report_is_that_of_status),
        TEST(report_that_is_not_taken_is_told),
        TEST(without_settings_nobody_is_waited_for),
        TEST(server_is_asked_once),
        TEST(server_that_is_busy_is_asked_again),
        TEST(server_that_never_answers_holds_no_machine),
        TEST(command_of_the_network_is_not_carried_out),
        TEST(command_that_a_person_has_typed_is_carried_out),
        TEST(server_cannot_make_it_write_or_start),
        TEST(config_says_where_its_settings_come_from),
        TEST(reports_are_sent_though_no_start_would_be_tried),
        TEST(what_came_from_nowhere_starts_nothing),
        TEST(what_came_from_a_disk_sends_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
