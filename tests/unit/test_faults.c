/*
 * Trouble at every single step of the commands that change boot entries: each write fails, lies, or
 * is cut short by a power failure, every call fails once, memory ends, the store is full, somebody
 * else changes the variables. Whatever happens, the machine keeps the entries it had. And trouble
 * at every step of `status`, which then promises nothing that is not so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cmd/cmd.h"
#include "host/fault.h"
#include "host/host_alloc.h"
#include "unit/json_fixture.h"
#include "unit/machine_fixture.h"
#include "unit/sample.h"
#include "unit/windows_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static unsigned states; /* tried so far */

/* --- Machines and commands ------------------------------------------------------------------ */

/* The article's machine without its LDM database, which costs most of the time and is not
 * written. */
static struct host *quick_machine(void)
{
    static const char *const guids[] = {ARTICLE_METADATA_0, ARTICLE_METADATA_1};
    struct host *host = fixture_article_machine();
    struct host_partition place;
    uint8_t *zeros = host_alloc(1, 1u << 20);

    for (size_t i = 0; i < COUNT_OF(guids); i++) {
        place = fixture_partition_named(guids[i]);
        mem_block_write(host->disks[i], place.start * 512, zeros, 1u << 20);
    }
    free(zeros);
    return host;
}

static void save_for_import(struct host *host, const char *path, const char *description,
                            const char *file)
{
    struct fixture_entry entry = {.description = description,
                                  .form = FIXTURE_SHORT,
                                  .partition = fixture_partition_named(ARTICLE_ESP_1),
                                  .file = file};
    struct fixture_bytes value;

    fixture_entry_value(host, &entry, &value);
    mem_files_put(host->files, 0, path, value.at, value.size);
}

static void prepare_import(struct host *host)
{
    save_for_import(host, "\\saved\\Boot0001", "First", "\\EFI\\first.efi");
    save_for_import(host, "\\saved\\Boot0002", "Second", "\\EFI\\second.efi");
}

static void prepare_undo(struct host *host)
{
    assert_int_equal(fixture_run(host, "clone -y"), 0);
}

static void prepare_next(struct host *host)
{
    fixture_set_u16(host, "BootNext", 4);
}

/* The mirror's entry is gone; so its partition can get one. */
static void prepare_mirror(struct host *host)
{
    static const uint16_t order[] = {3, 0, 1, 2};

    mem_vars_drop(host->vars, NULL, "Boot0004");
    fixture_set_order(host, order, COUNT_OF(order));
}

/* BootOrder with a number that has no variable, and an entry twice. */
static void prepare_prune(struct host *host)
{
    static const uint16_t order[] = {3, 0, 9, 1, 2, 4, 0};

    fixture_set_order(host, order, COUNT_OF(order));
}

static const struct scenario {
    const char *line;
    void (*prepare)(struct host *host);
    unsigned repeat_code; /* what the second run says */
    const char *rest;     /* finishes the job where a second run finds a named entry gone */
} scenarios[] = {
    {"clone -y", NULL, 0, NULL},
    {"delete -y Boot0004", NULL, 14, NULL},
    {"delete -y Boot0004 Boot0003", prepare_next, 14, "delete -y Boot0004"},
    {"order -y Boot0004 Boot0002", NULL, 0, NULL},
    {"import -y FS0:\\saved", prepare_import, 0, NULL},
    {"undo -y 1", prepare_undo, 0, NULL},
    {"mirror -y " ARTICLE_DATA_1 " -d New", prepare_mirror, 20, NULL},
    {"add -y " ARTICLE_ESP_1 " " IA64LDR " -d New", NULL, 20, NULL},
    {"next -y Boot0002", NULL, 0, NULL},
    {"timeout -y 7", NULL, 0, NULL},
    {"prune -y", prepare_prune, 0, NULL},
    {"bootcfg /clone /sg {" ARTICLE_ESP_0 "} /tg {" ARTICLE_ESP_1 "} /d+ Cloned_Entry", NULL, 0,
     NULL},
};

/* One scenario: the machine before, and what the undisturbed command makes of its variables. */
struct trial {
    const struct scenario *scenario;
    struct host *before;
    struct host *after;
    uint64_t calls[FAULT_KIND_COUNT];
};

static struct trial trial_begin(const struct scenario *scenario, struct host *machine)
{
    struct trial trial = {.scenario = scenario, .before = machine};

    if (scenario->prepare != NULL)
        scenario->prepare(machine);
    trial.after = host_clone(machine);
    struct fault *fault = fault_new(host_ports(trial.after));
    assert_int_equal(fixture_run_ports(fault_ports(fault), scenario->line), 0);
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++)
        trial.calls[kind] = fault_calls(fault, (enum fault_kind)kind);
    fault_free(fault);
    if (scenario->prepare != prepare_undo)
        assert_false(mem_vars_equal(trial.before->vars, trial.after->vars));
    return trial;
}

static void trial_end(struct trial *trial)
{
    host_free(trial->after);
    host_free(trial->before);
}

static bool says(struct host *host, const char *text)
{
    return strstr(host_console_text(host->console), text) != NULL;
}

/* True when the message admits that the machine is not as it was. */
static bool says_changed(struct host *host)
{
    return says(host, "could not all be taken back") || says(host, "now reads differently") ||
           says(host, "The change is taken back, but") || says(host, "is done and checked, but");
}

/* Shows where and on which screen the test failed. */
static void expect(bool ok, const struct trial *trial, struct host *host, const char *what,
                   uint64_t n, const char *expected)
{
    if (ok)
        return;
    print_message("%s\n", host_console_text(host->console));
    fail_msg("%s, %s at %llu: not %s", trial->scenario->line, what, (unsigned long long)n,
             expected);
}

#define ASSERT_THAT(condition, host, what, n) \
    expect(condition, trial, host, what, (uint64_t)(n), #condition)
#define ASSERT_SAME_VARS(host, expected, what, n)                                            \
    expect(mem_vars_equal((host)->vars, (expected)->vars), trial, host, what, (uint64_t)(n), \
           "the variables of " #expected)

static bool is_entry(const struct mem_var *var)
{
    return strncmp(var->name, "Boot0", 5) == 0 && strlen(var->name) == 8;
}

/* Every entry that is there both before and after the command is there meanwhile, unchanged. */
static void check_entries_kept(const struct trial *trial, struct host *host, uint64_t nth)
{
    for (size_t i = 0; i < mem_vars_count(trial->before->vars); i++) {
        const struct mem_var *old = mem_vars_at(trial->before->vars, i);
        if (!is_entry(old) || mem_vars_find(trial->after->vars, NULL, old->name) == NULL)
            continue;
        const struct mem_var *now = mem_vars_find(host->vars, NULL, old->name);
        ASSERT_THAT(now != NULL && now->size == old->size &&
                        memcmp(now->data, old->data, old->size) == 0,
                    host, "entries kept", nth);
    }
}

/* Calls `test` for every scenario. */
static void for_all(void (*test)(const struct trial *trial))
{
    for (size_t i = 0; i < COUNT_OF(scenarios); i++) {
        struct trial trial = trial_begin(&scenarios[i], quick_machine());
        test(&trial);
        trial_end(&trial);
    }
}

/* --- Writes that fail ----------------------------------------------------------------------- */

static void try_failing_set(const struct trial *trial, uint64_t nth, enum status status,
                            bool carried_out)
{
    struct host *host = host_clone(trial->before);
    struct fault *fault = fault_new(host_ports(host));

    if (carried_out)
        fault_fail_after(fault, FAULT_VAR_SET, nth, status);
    else
        fault_fail(fault, FAULT_VAR_SET, nth, status, false);
    unsigned code = fixture_run_ports(fault_ports(fault), trial->scenario->line);
    ASSERT_THAT(fault_tripped(fault), host, "failing set", nth);
    ASSERT_THAT(code != 0, host, "failing set", nth);
    ASSERT_SAME_VARS(host, trial->before, "failing set", nth);
    states++;
    ASSERT_THAT(says(host, "Everything is again as it was before."), host, "failing set", nth);
    fault_free(fault);
    host_free(host);
}

static void try_failing_sets(const struct trial *trial)
{
    static const enum status statuses[] = {ST_NO_SPACE, ST_IO, ST_REFUSED, ST_READ_ONLY, ST_OK};

    for (uint64_t nth = 1; nth <= trial->calls[FAULT_VAR_SET]; nth++) {
        for (size_t i = 0; i < COUNT_OF(statuses); i++)
            try_failing_set(trial, nth, statuses[i], false);
        try_failing_set(trial, nth, ST_IO, true);
    }
}

static void a_failing_variable_write_leaves_everything_as_it_was(void **state)
{
    (void)state;
    for_all(try_failing_sets);
}

/* From the n-th on nothing can be written, so nothing can be taken back either. */
static void try_sets_failing_for_good(const struct trial *trial)
{
    for (uint64_t nth = 1; nth <= trial->calls[FAULT_VAR_SET]; nth++) {
        struct host *host = host_clone(trial->before);
        struct fault *fault = fault_new(host_ports(host));
        fault_fail(fault, FAULT_VAR_SET, nth, ST_READ_ONLY, true);
        unsigned code = fixture_run_ports(fault_ports(fault), trial->scenario->line);
        ASSERT_THAT(code != 0, host, "sets failing for good", nth);
        fault_free(fault);
        if (nth == 1)
            ASSERT_SAME_VARS(host, trial->before, "sets failing for good", nth);
        bool same = mem_vars_equal(host->vars, trial->before->vars);
        ASSERT_THAT(same == says(host, "Everything is again as it was"), host, "for good", nth);
        ASSERT_THAT(same != says(host, "could not all be taken back"), host, "for good", nth);
        states++;
        host_free(host);
    }
}

static void what_cannot_be_taken_back_is_said(void **state)
{
    (void)state;
    for_all(try_sets_failing_for_good);
}

/* --- Any call ------------------------------------------------------------------------------- */

/* A command that failed has changed nothing, or says so; one that did not has done its work. */
static void judge_outcome(const struct trial *trial, struct host *host, unsigned code,
                          const char *what, uint64_t n)
{
    states++;
    if (code == 0) {
        if (!says(host, "cannot be read"))
            ASSERT_SAME_VARS(host, trial->after, what, n);
        return;
    }
    ASSERT_THAT(host_console_text(host->console)[0] != '\0', host, what, n);
    if (says_changed(host))
        return;
    ASSERT_SAME_VARS(host, trial->before, what, n);
}

static void try_failing_call(const struct trial *trial, enum fault_kind kind, uint64_t nth,
                             bool for_good)
{
    struct host *host = host_clone(trial->before);
    struct fault *fault = fault_new(host_ports(host));

    fault_fail(fault, kind, nth, ST_IO, for_good);
    unsigned code = fixture_run_ports(fault_ports(fault), trial->scenario->line);
    ASSERT_THAT(fault_tripped(fault), host, "failing call", nth);
    fault_free(fault);
    judge_outcome(trial, host, code, for_good ? "calls failing for good" : "failing call", nth);
    host_free(host);
}

static void try_failing_calls(const struct trial *trial)
{
    for (uint64_t nth = 1; nth <= trial->calls[FAULT_ANY]; nth += ONE_IN(7)) {
        try_failing_call(trial, FAULT_ANY, nth, false);
        try_failing_call(trial, FAULT_ANY, nth, true);
    }
}

static void a_failing_call_changes_nothing_or_stops_nothing(void **state)
{
    (void)state;
    for_all(try_failing_calls);
}

/* With the LDM database, whose reading is most of the calls. */
static void a_failing_disk_read_changes_nothing_or_stops_nothing(void **state)
{
    struct trial trial = trial_begin(&scenarios[0], fixture_article_machine());

    (void)state;
    for (uint64_t nth = 1; nth <= trial.calls[FAULT_BLOCK_READ]; nth += ONE_IN(7))
        try_failing_call(&trial, FAULT_BLOCK_READ, nth, false);
    trial_end(&trial);
}

static void try_vanishing_disks(const struct trial *trial)
{
    for (size_t disk = 0; disk < 2; disk++) {
        for (uint64_t after = 0; after <= trial->calls[FAULT_ANY]; after += ONE_IN(7)) {
            struct host *host = host_clone(trial->before);
            struct fault *fault = fault_new(host_ports(host));
            fault_vanish(fault, disk, after);
            unsigned code = fixture_run_ports(fault_ports(fault), trial->scenario->line);
            bool here = after >= 10; /* the tables of both disks are read by then */
            fault_free(fault);
            if (code != 0 || here)
                judge_outcome(trial, host, code, "disk that vanishes", after);
            check_entries_kept(trial, host, after);
            host_free(host);
        }
    }
}

static void a_disk_may_vanish_at_any_time(void **state)
{
    (void)state;
    for_all(try_vanishing_disks);
}

/* --- Power cuts ----------------------------------------------------------------------------- */

static bool span_names(struct span order, uint16_t number)
{
    for (size_t i = 0; i + 2 <= order.size; i += 2) {
        if (ld_le16(order.at + i) == number)
            return true;
    }
    return false;
}

static struct span order_of(const struct host *host)
{
    const struct mem_var *order = mem_vars_find(host->vars, NULL, "BootOrder");

    return order == NULL ? span_of(NULL, 0) : span_of(order->data, order->size);
}

static uint16_t number_of(const char *name)
{
    return (uint16_t)strtoul(name + 4, NULL, 16);
}

static bool has_entry(const struct host *host, uint16_t number)
{
    char name[16];

    snprintf(name, sizeof(name), "Boot%04X", number);
    return mem_vars_find(host->vars, NULL, name) != NULL;
}

/* BootOrder names what exists, or what it named before; it keeps what it keeps in the end, and is
 * one of the two orders. */
static void check_order(const struct trial *trial, struct host *host, uint64_t nth)
{
    struct span before = order_of(trial->before);
    struct span after = order_of(trial->after);
    struct span now = order_of(host);

    ASSERT_THAT(span_equal(now, before) || span_equal(now, after), host, "power cut", nth);
    for (size_t i = 0; i + 2 <= now.size; i += 2) {
        uint16_t number = ld_le16(now.at + i);
        ASSERT_THAT(has_entry(host, number) || span_names(before, number), host, "power cut", nth);
    }
}

/* An entry outside BootOrder is one that is on its way in, or out. */
static void check_strays(const struct trial *trial, struct host *host, uint64_t nth)
{
    struct span before = order_of(trial->before);
    struct span after = order_of(trial->after);
    struct span now = order_of(host);

    for (size_t i = 0; i < mem_vars_count(host->vars); i++) {
        const struct mem_var *var = mem_vars_at(host->vars, i);
        if (!is_entry(var) || span_names(now, number_of(var->name)))
            continue;
        bool in = span_names(after, number_of(var->name));
        bool out = span_names(before, number_of(var->name));
        ASSERT_THAT(in != out, host, "power cut", nth);
    }
}

/* How many journals there are to take back, the n-th having the number n. */
static unsigned journals(const struct host *host)
{
    char path[64];
    unsigned count = 0;

    do
        snprintf(path, sizeof(path), "\\EFI\\shadowboot\\J%07u.SBJ", ++count);
    while (mem_files_find(host->files, 0, path).at != NULL);
    return count - 1;
}

/* The newest journal brings back what was there before the command. */
static void check_undo(const struct trial *trial, const struct host *cut, uint64_t nth)
{
    struct host *host = host_clone(cut);
    unsigned newest = journals(cut);
    char line[32];

    if (newest > journals(trial->before)) {
        snprintf(line, sizeof(line), "undo -y %u", newest);
        unsigned code = fixture_run(host, line);
        bool torn = code == 10 && says(host, "cannot be used");
        ASSERT_THAT(code == 0 || torn, host, "undo after a power cut", nth);
    }
    ASSERT_SAME_VARS(host, trial->before, "undo after a power cut", nth);
    states++;
    host_free(host);
}

/* The same command once more finishes the job, and a third time finds nothing to do. */
static void check_rerun(const struct trial *trial, const struct host *cut, uint64_t nth)
{
    struct host *host = host_clone(cut);
    bool finished = mem_vars_equal(cut->vars, trial->after->vars);
    unsigned code = fixture_run(host, trial->scenario->line);

    if (!finished && code == 14 && trial->scenario->rest != NULL)
        code = fixture_run(host, trial->scenario->rest);
    ASSERT_THAT(code == (finished ? trial->scenario->repeat_code : 0), host, "second run", nth);
    ASSERT_SAME_VARS(host, trial->after, "second run", nth);
    uint64_t changes = mem_vars_changes(host->vars);
    code = fixture_run(host, trial->scenario->line);
    ASSERT_THAT(code == trial->scenario->repeat_code, host, "third run", nth);
    ASSERT_THAT(mem_vars_changes(host->vars) == changes, host, "third run", nth);
    states++;
    host_free(host);
}

/* All journals taken back, newest first, are the way back over both runs. */
static void check_undo_of_both(const struct trial *trial, const struct host *cut, uint64_t nth)
{
    struct host *host = host_clone(cut);
    char line[32];

    if (fixture_run(host, trial->scenario->line) != 0) {
        host_free(host);
        return;
    }
    for (unsigned id = journals(host); id > journals(trial->before); id--) {
        snprintf(line, sizeof(line), "undo -y %u", id);
        unsigned before = journals(host);
        unsigned code = fixture_run(host, line);
        ASSERT_THAT(code == 0 || (code == 10 && says(host, "cannot be used")), host, line, nth);
        ASSERT_THAT(journals(host) <= before + 1, host, line, nth);
    }
    ASSERT_SAME_VARS(host, trial->before, "undo of both runs", nth);
    states++;
    host_free(host);
}

/* The firmware starts in between and tidies up its own entries. */
static void check_firmware_start(const struct trial *trial, const struct host *cut, uint64_t nth)
{
    struct host *host = host_clone(cut);

    mem_vars_bdsp(host->vars, NULL, 0);
    check_entries_kept(trial, host, nth);
    struct span before = order_of(trial->before);
    struct span now = order_of(host);
    for (size_t i = 0; i + 2 <= before.size; i += 2) {
        uint16_t number = ld_le16(before.at + i);
        bool stays = has_entry(trial->before, number) && has_entry(trial->after, number);
        ASSERT_THAT(!stays || span_names(now, number), host, "start after a power cut", nth);
    }
    states++;
    host_free(host);
}

static void try_power_cut(const struct trial *trial, uint64_t nth, enum fault_cut how)
{
    struct host *host = host_clone(trial->before);
    struct fault *fault = fault_new(host_ports(host));

    fault_power_cut(fault, nth, how, NULL);
    (void)fixture_run_ports(fault_ports(fault), trial->scenario->line);
    ASSERT_THAT(fault_tripped(fault), host, "power cut", nth);
    fault_free(fault);
    states++;
    check_entries_kept(trial, host, nth);
    check_order(trial, host, nth);
    check_strays(trial, host, nth);
    check_firmware_start(trial, host, nth);
    check_undo(trial, host, nth);
    check_rerun(trial, host, nth);
    check_undo_of_both(trial, host, nth);
    host_free(host);
}

static void try_power_cuts(const struct trial *trial)
{
    for (uint64_t nth = 1; nth <= trial->calls[FAULT_WRITE]; nth += ONE_IN(3)) {
        for (int how = 0; how < FAULT_CUT_COUNT; how++)
            try_power_cut(trial, nth, (enum fault_cut)how);
    }
}

static void a_power_cut_loses_no_entry_and_the_job_can_be_finished_or_undone(void **state)
{
    (void)state;
    for_all(try_power_cuts);
}

/* --- Somebody else -------------------------------------------------------------------------- */

/* A user who does something else before answering the question. */
struct meddler {
    struct console_port console;
    void (*meddle)(struct host *host, const void *with);
    struct host *host;
    const void *with;
};

static enum status meddling_read_line(void *ctx, char *ret_line, size_t size)
{
    struct meddler *meddler = ctx;

    (void)size;
    meddler->meddle(meddler->host, meddler->with);
    strcpy(ret_line, "y");
    return ST_OK;
}

static void meddling_write(void *ctx, const char *text, size_t size)
{
    struct meddler *meddler = ctx;

    meddler->console.write(meddler->console.ctx, text, size);
}

static struct screen_size meddling_screen_size(void *ctx)
{
    struct screen_size none = {0, 0};

    (void)ctx;
    return none;
}

static bool meddling_break_requested(void *ctx)
{
    (void)ctx;
    return false;
}

/* Runs `line`, which asks; `meddle` happens while it waits for the answer. */
static unsigned run_meddled(struct host *host, const char *line,
                            void (*meddle)(struct host *host, const void *with), const void *with)
{
    struct ports ports = *host_ports(host);
    struct meddler meddler = {ports.console, meddle, host, with};

    ports.console = (struct console_port){.ctx = &meddler,
                                          .write = meddling_write,
                                          .read_line = meddling_read_line,
                                          .screen_size = meddling_screen_size,
                                          .break_requested = meddling_break_requested};
    return fixture_run_ports(&ports, line);
}

enum change { CHANGE_CONTENT, CHANGE_ATTRIBUTES, CHANGE_DELETE, CHANGE_COUNT };

struct change_of {
    const char *name;
    enum change change;
};

static void change_variable(struct host *host, const void *with)
{
    const struct change_of *what = with;
    const struct mem_var *var = mem_vars_find(host->vars, NULL, what->name);
    uint8_t data[4096] = {1, 0, 0, 0, 4, 0, 'X', 0, 0, 0, 0x7f, 0xff, 4, 0};
    size_t size = 14;

    if (var != NULL) {
        size = var->size;
        memcpy(data, var->data, size);
    }
    if (what->change == CHANGE_DELETE && var != NULL) {
        mem_vars_drop(host->vars, NULL, what->name);
        return;
    }
    if (what->change == CHANGE_CONTENT && var != NULL)
        data[size - 1] ^= 1;
    mem_vars_put(host->vars, NULL, what->name,
                 what->change == CHANGE_ATTRIBUTES ? VAR_NON_VOLATILE | VAR_BOOT_SERVICE
                                                   : VAR_BOOT_OPTION,
                 data, size);
}

static void a_variable_changed_since_the_scan_stops_everything(void **state)
{
    static const struct {
        const char *line;
        const char *names[3];
    } cases[] = {
        {"clone", {"BootOrder", "Boot0005", "Boot0006"}},
        {"delete Boot0004", {"BootOrder", "Boot0004"}},
        {"order Boot0004", {"BootOrder"}},
        {"timeout 9", {"Timeout"}},
        {"next Boot0001", {"BootNext"}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (size_t j = 0; j < 3 && cases[i].names[j] != NULL; j++) {
            for (int change = 0; change < CHANGE_COUNT; change++) {
                struct host *host = quick_machine();
                struct change_of what = {cases[i].names[j], (enum change)change};
                assert_int_equal(run_meddled(host, cases[i].line, change_variable, &what), 27);
                assert_int_equal(mem_vars_log_count(host->vars), 0);
                assert_int_equal(journals(host), 0);
                assert_true(says(host, "Nothing was changed."));
                assert_true(says(host, what.name));
                states++;
                host_free(host);
            }
        }
    }
}

static void pull_disk(struct host *host, const void *with)
{
    mem_block_set_gone(host->disks[*(const size_t *)with], true);
}

static void a_target_disk_that_vanished_since_the_scan_stops_everything(void **state)
{
    static const char *const lines[] = {"clone", "mirror " ARTICLE_DATA_1 " -d New",
                                        "add " ARTICLE_ESP_1 " " IA64LDR " -d New"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct host *host = quick_machine();
        const size_t disk = 1;
        /* So that the mirror is not there yet. */
        if (i == 1)
            assert_int_equal(fixture_run(host, "delete -y Boot0004"), 0);
        struct mem_vars *before = mem_vars_clone(host->vars);
        unsigned had = journals(host);
        unsigned code = run_meddled(host, lines[i], pull_disk, &disk);
        assert_int_not_equal(code, 0);
        assert_true(mem_vars_equal(host->vars, before));
        assert_int_equal(journals(host), had);
        assert_true(says(host, "Nothing was changed."));
        states++;
        mem_vars_free(before);
        host_free(host);
    }
}

/* --- Room ----------------------------------------------------------------------------------- */

#define MARGIN 5120u

static void try_full_store(const struct trial *trial)
{
    uint64_t used = mem_vars_used(trial->before->vars);
    bool grows = mem_vars_used(trial->after->vars) > used;

    for (uint64_t room = 0; room <= MARGIN + 1200; room += room < 800 || room > MARGIN ? 40 : 400) {
        struct host *host = host_clone(trial->before);
        mem_vars_set_total(host->vars, used + room);
        unsigned code = fixture_run(host, trial->scenario->line);
        if (grows && room < MARGIN) {
            ASSERT_THAT(code == 9, host, "full store", room);
            ASSERT_THAT(mem_vars_log_count(host->vars) == 0, host, "full store", room);
        }
        judge_outcome(trial, host, code, "full store", room);
        host_free(host);
    }
}

static void a_nearly_full_store_is_not_filled_up(void **state)
{
    (void)state;
    for_all(try_full_store);
}

/* Firmware that cannot tell the space left lets the write fail. */
static void try_quota(const struct trial *trial)
{
    uint64_t used = mem_vars_used(trial->before->vars);

    for (uint64_t room = 0; room <= 1200; room += 20 * ONE_IN(3)) {
        struct host *host = host_clone(trial->before);
        mem_vars_set_total(host->vars, used + room);
        mem_vars_set_space_unknown(host->vars, true);
        unsigned code = fixture_run(host, trial->scenario->line);
        ASSERT_THAT(code == 0 || code == 9, host, "quota", room);
        judge_outcome(trial, host, code, "quota", room);
        host_free(host);
    }
}

static void a_store_that_overflows_is_brought_back(void **state)
{
    (void)state;
    for_all(try_quota);
}

static void try_read_only(const struct trial *trial)
{
    struct host *host = host_clone(trial->before);

    mem_vars_set_read_only(host->vars, true);
    ASSERT_THAT(fixture_run(host, trial->scenario->line) == 8, host, "read-only store", 0);
    ASSERT_SAME_VARS(host, trial->before, "read-only store", 0);
    states++;
    host_free(host);
}

static void a_read_only_store_is_refused(void **state)
{
    (void)state;
    for_all(try_read_only);
}

/* No volume takes the journal: then nothing else is written either. */
static void try_no_journal(const struct trial *trial)
{
    struct host *host = host_clone(trial->before);

    mem_files_set_read_only(host->files, 0, true);
    mem_files_set_read_only(host->files, 1, true);
    struct fault *fault = fault_new(host_ports(host));
    fault_fail(fault, FAULT_VAR_SET, 1, ST_NO_SPACE, false); /* of the journal, in a variable */
    ASSERT_THAT(fixture_run_ports(fault_ports(fault), trial->scenario->line) == 8, host,
                "read-only volumes", 0);
    ASSERT_THAT(mem_vars_log_count(host->vars) == 0, host, "read-only volumes", 0);
    fault_free(fault);
    states++;
    host_free(host);
}

static void without_a_place_for_the_journal_nothing_is_written(void **state)
{
    (void)state;
    for_all(try_no_journal);
}

/* Runs with `size` bytes; true when it succeeded. */
static bool try_arena(const struct trial *trial, size_t size)
{
    struct host *host = host_clone(trial->before);
    unsigned code = fixture_run_in(host_ports(host), trial->scenario->line, size);

    states++;
    if (code == 0) {
        ASSERT_SAME_VARS(host, trial->after, "small arena", size);
    } else {
        ASSERT_THAT(code == 9, host, "small arena", size);
        ASSERT_THAT(mem_vars_log_count(host->vars) == 0, host, "small arena", size);
        ASSERT_THAT(journals(host) == journals(trial->before), host, "small arena", size);
        ASSERT_THAT(host_console_text(host->console)[0] != '\0', host, "small arena", size);
    }
    host_free(host);
    return code == 0;
}

static void try_arenas(const struct trial *trial)
{
    size_t step = 0;
    unsigned good = 0;

    for (size_t size = 0; good < 20; size += step) {
        assert_true(size < FIXTURE_ARENA);
        good += try_arena(trial, size);
        /* Not a multiple of the alignment's multiples. */
        step = (size < 4096 ? 256 : 1008) * ONE_IN(5);
    }
}

static void out_of_memory_writes_nothing(void **state)
{
    (void)state;
    for_all(try_arenas);
}

/* --- status --------------------------------------------------------------------------------- */

#define REPORT "\\report.json"

static const char *const status_lines[] = {
    "status -quick",
    "status -sfo -json FS0:" REPORT,
};

/* A machine whose shadow does not start, contents read or not: nothing may hide that. */
static struct host *machine_without_shadow(void)
{
    struct host *host = windows_machine();

    windows_unformat(host, 1);
    return host;
}

static bool is_state(unsigned code)
{
    return code == 10 || (code >= 65 && code <= 69);
}

/* A report that is there is whole, and says what the program ended with. */
static void check_report(const struct trial *trial, struct host *host, unsigned code, uint64_t n)
{
    struct span report = mem_files_find(host->files, 0, REPORT);
    const char *text = (const char *)report.at;
    char number[16];

    if (strstr(trial->scenario->line, "-json") == NULL) {
        ASSERT_THAT(report.at == NULL, host, "report", n);
        return;
    }
    ASSERT_THAT(report.at != NULL || !is_state(code) || code == 10, host, "report", n);
    if (report.at == NULL)
        return;
    snprintf(number, sizeof(number), "%u", code);
    ASSERT_THAT(json_is_valid(text, report.size), host, "report", n);
    ASSERT_THAT(strcmp(json_at(text, report.size, "state.exitStatus"), number) == 0, host, "report",
                n);
    ASSERT_THAT(json_at(text, report.size, "findings.0")[0] != '\0', host, "report", n);
}

/* Whatever happens, no disk is said to start that does not, and nothing but the report is
 * written. */
static void check_status(const struct trial *trial, struct host *host, unsigned code, uint64_t n)
{
    states++;
    ASSERT_THAT(host_console_text(host->console)[0] != '\0', host, "status", n);
    ASSERT_THAT(mem_vars_log_count(host->vars) == 0, host, "status", n);
    ASSERT_THAT(code != 0 && code != 64, host, "status", n);
    ASSERT_THAT(!says(host, "Disk 1 alone: yes") && !says(host, "Disk 1 alone: perhaps"), host,
                "status", n);
    ASSERT_THAT(!says(host, "\"1\",\"starts\"") && !says(host, "\"1\",\"fallback\""), host,
                "status", n);
    check_report(trial, host, code, n);
    mem_files_drop(host->files, 0, REPORT);
    for (size_t i = 0; i < 2; i++)
        ASSERT_THAT(mem_files_equal(host->files, trial->before->files, i), host, "status", n);
}

static void try_status_call(const struct trial *trial, uint64_t nth, bool for_good)
{
    struct host *host = host_clone(trial->before);
    struct fault *fault = fault_new(host_ports(host));

    fault_fail(fault, FAULT_ANY, nth, ST_IO, for_good);
    unsigned code = fixture_run_ports(fault_ports(fault), trial->scenario->line);
    ASSERT_THAT(fault_tripped(fault), host, "status", nth);
    fault_free(fault);
    check_status(trial, host, code, nth);
    host_free(host);
}

/* Calls `test` for every line, with the number of its calls when nothing goes wrong. */
static void for_all_status_lines(void (*test)(const struct trial *trial))
{
    for (size_t i = 0; i < COUNT_OF(status_lines); i++) {
        struct scenario scenario = {.line = status_lines[i]};
        struct trial trial = {.scenario = &scenario, .before = machine_without_shadow()};
        trial.after = host_clone(trial.before);
        struct fault *fault = fault_new(host_ports(trial.after));
        assert_int_equal(fixture_run_ports(fault_ports(fault), scenario.line), 65);
        trial.calls[FAULT_ANY] = fault_calls(fault, FAULT_ANY);
        fault_free(fault);
        test(&trial);
        trial_end(&trial);
    }
}

static void try_status_calls(const struct trial *trial)
{
    for (uint64_t nth = 1; nth <= trial->calls[FAULT_ANY]; nth += ONE_IN(7)) {
        try_status_call(trial, nth, false);
        if (nth % 4 == 0)
            try_status_call(trial, nth, true);
    }
}

static void status_promises_nothing_when_a_call_fails(void **state)
{
    (void)state;
    for_all_status_lines(try_status_calls);
}

static void try_status_without_disk(const struct trial *trial)
{
    for (size_t disk = 0; disk < 2; disk++) {
        for (uint64_t after = 0; after <= trial->calls[FAULT_ANY]; after += 9 * ONE_IN(5)) {
            struct host *host = host_clone(trial->before);
            struct fault *fault = fault_new(host_ports(host));
            fault_vanish(fault, disk, after);
            unsigned code = fixture_run_ports(fault_ports(fault), trial->scenario->line);
            fault_free(fault);
            check_status(trial, host, code, after);
            host_free(host);
        }
    }
}

static void status_promises_nothing_when_a_disk_vanishes(void **state)
{
    (void)state;
    for_all_status_lines(try_status_without_disk);
}

/* The whole answer, or none; gives whether there was one. */
static bool try_status_arena(const struct trial *trial, size_t size)
{
    struct host *host = host_clone(trial->before);
    unsigned code = fixture_run_in(host_ports(host), trial->scenario->line, size);

    ASSERT_THAT(code == 65 || code == 9, host, "small arena", size);
    if (code == 65)
        ASSERT_THAT(mem_files_equal(host->files, trial->after->files, 0), host, "small arena",
                    size);
    check_status(trial, host, code, size);
    host_free(host);
    return code == 65;
}

/* In large steps up to the first that is enough, and in ever smaller ones just below it: there the
 * report itself is what runs out of memory. */
static void try_status_arenas(const struct trial *trial)
{
    size_t low = 0;

    for (size_t step = 65536; step >= 16; step /= 16) {
        for (size_t size = low; !try_status_arena(trial, size); size += step) {
            assert_true(size < FIXTURE_ARENA);
            low = size;
        }
    }
}

static void status_is_whole_or_out_of_memory(void **state)
{
    (void)state;
    for_all_status_lines(try_status_arenas);
}

/* -------------------------------------------------------------------------------------------- */

static int count_states(void **state)
{
    (void)state;
    print_message("%u states tried\n", states);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failing_variable_write_leaves_everything_as_it_was),
        cmocka_unit_test(what_cannot_be_taken_back_is_said),
        cmocka_unit_test(a_failing_call_changes_nothing_or_stops_nothing),
        cmocka_unit_test(a_failing_disk_read_changes_nothing_or_stops_nothing),
        cmocka_unit_test(a_disk_may_vanish_at_any_time),
        cmocka_unit_test(a_power_cut_loses_no_entry_and_the_job_can_be_finished_or_undone),
        cmocka_unit_test(a_variable_changed_since_the_scan_stops_everything),
        cmocka_unit_test(a_target_disk_that_vanished_since_the_scan_stops_everything),
        cmocka_unit_test(a_nearly_full_store_is_not_filled_up),
        cmocka_unit_test(a_store_that_overflows_is_brought_back),
        cmocka_unit_test(a_read_only_store_is_refused),
        cmocka_unit_test(without_a_place_for_the_journal_nothing_is_written),
        cmocka_unit_test(out_of_memory_writes_nothing),
        cmocka_unit_test(status_promises_nothing_when_a_call_fails),
        cmocka_unit_test(status_promises_nothing_when_a_disk_vanishes),
        cmocka_unit_test(status_is_whole_or_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, count_states);
}
