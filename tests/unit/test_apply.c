/* Carrying out plans: what is refused before the first write, and what is checked after each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "apply/apply.h"
#include "host/fault.h"
#include "model/scan.h"
#include "unit/plan_fixture.h"

#define JOURNAL_1 "\\EFI\\shadowboot\\J0000001.SBJ"

static enum status apply_over(struct planning *p, const struct ports *ports,
                              struct apply_result *ret_result)
{
    return fixture_apply(&p->arena, ports, &p->plan, ret_result);
}

static enum status apply(struct planning *p, struct apply_result *ret_result)
{
    return apply_over(p, host_ports(p->host), ret_result);
}

/* Timeout 9, then BootNext 3. */
static void plan_two(struct planning *p)
{
    plan_set_variable(&p->plan, "Timeout", 7, span_of("\x09\x00", 2), "first");
    plan_set_variable(&p->plan, "BootNext", 7, span_of("\x03\x00", 2), "second");
    assert_int_equal(p->plan.status, ST_OK);
    assert_int_equal(p->plan.count, 2);
}

static void expect_refused(struct planning *p, const struct apply_result *result, const char *text)
{
    if (strstr(result->problem, text) == NULL)
        fail_msg("\"%s\" is not in: %s", text, result->problem);
    assert_int_equal(result->done, 0);
    assert_int_equal(mem_vars_log_count(p->host->vars), 0);
}

/* --- Success -------------------------------------------------------------------------------- */

static void plan_is_carried_out_and_the_journal_closed(void **state)
{
    struct planning *p = *state;
    struct apply_result result;
    struct journal journal;

    plan_two(p);
    assert_int_equal(apply(p, &result), ST_OK);
    assert_int_equal(result.done, 2);
    assert_true(result.has_journal);
    assert_string_equal(result.problem, "");
    assert_string_equal(result.journal.path, JOURNAL_1);
    struct span file = mem_files_find(p->host->files, 0, JOURNAL_1);
    assert_int_equal(journal_parse(&p->arena, file, &journal), ST_OK);
    assert_int_equal(journal.state, JOURNAL_DONE);
    assert_false(journal.is_undo);
    assert_string_equal(journal.command, "shadowboot test");
    assert_int_equal(journal.date.year, 2026);
    assert_int_equal(journal.count, 2);
    assert_string_equal(journal.records[0].name, "Timeout");
    assert_true(span_equal(journal.records[0].old_data, span_of("\x01\x00", 2)));
    assert_false(journal.records[1].old_present);
}

static void journal_is_there_before_the_first_write(void **state)
{
    struct planning *p = *state;
    struct fault *fault = fault_new(host_ports(p->host));
    struct apply_result result;
    struct journal journal;

    plan_two(p);
    fault_power_cut(fault, 2, FAULT_CUT_BEFORE, NULL); /* the journal is the first */
    assert_int_not_equal(apply_over(p, fault_ports(fault), &result), ST_OK);
    assert_int_equal(mem_vars_changes(p->host->vars), 0);
    struct span file = mem_files_find(p->host->files, 0, JOURNAL_1);
    assert_int_equal(journal_parse(&p->arena, file, &journal), ST_OK);
    assert_int_equal(journal.state, JOURNAL_PENDING);
    fault_free(fault);
}

static void broken_clock_leaves_the_date_out(void **state)
{
    struct planning *p = *state;
    struct ports ports = *host_ports(p->host);
    struct apply_result result;

    ports.clock = host_clock_broken();
    plan_two(p);
    assert_int_equal(apply_over(p, &ports, &result), ST_OK);
    assert_int_equal(result.journal.journal.date.year, 0);
}

static void journal_of_an_undo_says_so(void **state)
{
    struct planning *p = *state;
    struct apply_result result;
    struct journal journal;

    plan_two(p);
    p->plan.is_undo = true;
    assert_int_equal(apply(p, &result), ST_OK);
    struct span file = mem_files_find(p->host->files, 0, JOURNAL_1);
    assert_int_equal(journal_parse(&p->arena, file, &journal), ST_OK);
    assert_true(journal.is_undo);
}

static void journal_that_cannot_be_closed_is_only_noted(void **state)
{
    struct planning *p = *state;
    struct fault *fault = fault_new(host_ports(p->host));
    struct apply_result result;

    plan_two(p);
    fault_fail(fault, FAULT_FILE_WRITE, 2, ST_IO, false);
    assert_int_equal(apply_over(p, fault_ports(fault), &result), ST_OK);
    assert_int_equal(result.done, 2);
    assert_non_null(strstr(result.problem, "undo will list it as interrupted"));
    fault_free(fault);
}

static void attributes_are_changed_by_deleting_first(void **state)
{
    struct planning *p = *state;
    struct apply_result result;

    mem_vars_put(p->host->vars, NULL, "Timeout", 3, "\x01\x00", 2);
    planning_rescan(p);
    plan_two(p);
    assert_int_equal(apply(p, &result), ST_OK);
    const struct mem_var *timeout = mem_vars_find(p->host->vars, NULL, "Timeout");
    assert_int_equal(timeout->attributes, 7);
    assert_string_equal(mem_vars_log_at(p->host->vars, 0)->name, "Timeout");
    assert_int_equal(mem_vars_log_at(p->host->vars, 0)->size, 0);
}

static void content_that_is_there_already_is_no_action(void **state)
{
    struct planning *p = *state;

    assert_null(plan_set_variable(&p->plan, "Timeout", 7, span_of("\x01\x00", 2), "same"));
    assert_null(plan_delete_variable(&p->plan, "BootNext", "absent"));
    assert_int_equal(p->plan.count, 0);
    assert_int_equal(p->plan.status, ST_OK);
}

/* --- Files ---------------------------------------------------------------------------------- */

static void new_file_is_written_and_needs_no_journal(void **state)
{
    struct planning *p = *state;
    struct apply_result result;

    plan_write_file(&p->plan, 1, "\\saved\\Boot0000", span_of("content", 7), "write");
    assert_int_equal(apply(p, &result), ST_OK);
    assert_false(result.has_journal);
    assert_true(
        span_equal(mem_files_find(p->host->files, 1, "\\saved\\Boot0000"), span_of("content", 7)));
    assert_null(mem_files_find(p->host->files, 0, JOURNAL_1).at);
}

static void file_that_exists_is_not_replaced(void **state)
{
    struct planning *p = *state;
    struct apply_result result;

    mem_files_put(p->host->files, 1, "\\second", "old", 3);
    plan_write_file(&p->plan, 1, "\\first", span_of("new", 3), "write");
    plan_write_file(&p->plan, 1, "\\second", span_of("new", 3), "write");
    assert_int_equal(apply(p, &result), ST_EXISTS);
    expect_refused(p, &result, "FS1:\\second is there already");
    assert_null(mem_files_find(p->host->files, 1, "\\first").at);
    assert_true(span_equal(mem_files_find(p->host->files, 1, "\\second"), span_of("old", 3)));
}

static void write_protected_volume_is_refused(void **state)
{
    struct planning *p = *state;
    struct apply_result result;

    mem_files_set_read_only(p->host->files, 1, true);
    plan_write_file(&p->plan, 1, "\\first", span_of("new", 3), "write");
    assert_int_equal(apply(p, &result), ST_READ_ONLY);
    expect_refused(p, &result, "FS1: is write-protected");
}

static void files_before_one_that_failed_are_taken_away_again(void **state)
{
    struct planning *p = *state;
    struct fault *fault = fault_new(host_ports(p->host));
    struct apply_result result;

    plan_write_file(&p->plan, 1, "\\first", span_of("new", 3), "write");
    plan_write_file(&p->plan, 1, "\\second", span_of("new", 3), "write");
    fault_fail_after(fault, FAULT_FILE_WRITE, 2, ST_NO_SPACE);
    assert_int_equal(apply_over(p, fault_ports(fault), &result), ST_NO_SPACE);
    assert_non_null(strstr(result.problem, "Everything is again as it was before."));
    assert_null(mem_files_find(p->host->files, 1, "\\first").at);
    assert_null(mem_files_find(p->host->files, 1, "\\second").at);
    fault_free(fault);
}

/* The write failed before there was a file. */
static void file_that_was_never_there_is_no_trouble(void **state)
{
    struct planning *p = *state;
    struct fault *fault = fault_new(host_ports(p->host));
    struct apply_result result;

    plan_write_file(&p->plan, 1, "\\first", span_of("new", 3), "write");
    plan_write_file(&p->plan, 1, "\\second", span_of("new", 3), "write");
    fault_fail(fault, FAULT_FILE_WRITE, 2, ST_NO_SPACE, false);
    assert_int_equal(apply_over(p, fault_ports(fault), &result), ST_NO_SPACE);
    assert_non_null(strstr(result.problem, "Everything is again as it was before."));
    assert_null(mem_files_find(p->host->files, 1, "\\first").at);
    fault_free(fault);
}

static void file_that_cannot_be_taken_away_is_told_without_a_journal(void **state)
{
    struct planning *p = *state;
    struct fault *fault = fault_new(host_ports(p->host));
    struct apply_result result;

    plan_write_file(&p->plan, 1, "\\first", span_of("new", 3), "write");
    plan_write_file(&p->plan, 1, "\\second", span_of("new", 3), "write");
    fault_fail(fault, FAULT_FILE_WRITE, 2, ST_NO_SPACE, false);
    fault_fail(fault, FAULT_FILE_REMOVE, 1, ST_IO, true);
    assert_int_equal(apply_over(p, fault_ports(fault), &result), ST_NO_SPACE);
    assert_non_null(strstr(result.problem, "\\second could not be written"));
    assert_non_null(strstr(result.problem, "delete them by hand"));
    assert_null(strstr(result.problem, "ournal"));
    assert_null(strstr(result.problem, "undo"));
    fault_free(fault);
}

/* --- Refused before the first write --------------------------------------------------------- */

static void changed_content_is_refused(void **state)
{
    struct planning *p = *state;
    struct apply_result result;

    plan_two(p);
    fixture_set_u16(p->host, "BootNext", 2);
    assert_int_equal(apply(p, &result), ST_CHANGED);
    expect_refused(p, &result, "BootNext is not what it was");
}

/* By another value of the same length, or by other attributes alone. */
static void every_difference_is_a_change(void **state)
{
    static const struct {
        uint32_t attributes;
        const char *data;
        size_t size;
    } values[] = {{7, "\x02\x00", 2}, {3, "\x01\x00", 2}, {7, "\x01", 1}};

    for (size_t i = 0; i < 2 * sizeof(values) / sizeof(values[0]); i++) {
        struct planning *p = planning_begin(host_clone(((struct planning *)*state)->host));
        struct apply_result result;
        if (i % 2 == 0)
            plan_two(p);
        else
            plan_delete_variable(&p->plan, "Timeout", "delete");
        mem_vars_put(p->host->vars, NULL, "Timeout", values[i / 2].attributes, values[i / 2].data,
                     values[i / 2].size);
        assert_int_equal(apply(p, &result), ST_CHANGED);
        expect_refused(p, &result, "Timeout is not what it was");
        planning_end(p);
    }
}

/* The variable changes after everything was checked: while the journal is being written. */
static struct planning *disturbed;
static const struct files_port *sound_files;

static enum status disturbing_write(void *ctx, size_t volume, const char *path,
                                    enum file_write_mode mode, const void *data, size_t size)
{
    if (mem_vars_find(disturbed->host->vars, NULL, "BootNext") == NULL)
        fixture_set_u16(disturbed->host, "BootNext", mode == FILE_CREATE ? 2 : 3);
    return sound_files->write(ctx, volume, path, mode, data, size);
}

static void content_changed_at_the_last_moment_is_not_overwritten(void **state)
{
    struct planning *p = *state;
    struct ports ports = *host_ports(p->host);
    struct apply_result result;

    plan_two(p);
    disturbed = p;
    sound_files = &host_ports(p->host)->files;
    ports.files.write = disturbing_write;
    assert_int_equal(apply_over(p, &ports, &result), ST_CHANGED);
    assert_memory_equal(mem_vars_find(p->host->vars, NULL, "BootNext")->data, "\x02\x00", 2);
    assert_memory_equal(mem_vars_find(p->host->vars, NULL, "Timeout")->data, "\x01\x00", 2);
}

/* A file comes into the place of a new one after that was looked at. */
static enum status write_behind_another(void *ctx, size_t volume, const char *path,
                                        enum file_write_mode mode, const void *data, size_t size)
{
    mem_files_put(disturbed->host->files, volume, path, "theirs", 6);
    return sound_files->write(ctx, volume, path, mode, data, size);
}

static void a_file_of_somebody_else_is_not_taken_away(void **state)
{
    struct planning *p = *state;
    struct ports ports = *host_ports(p->host);
    struct apply_result result;

    plan_write_file(&p->plan, 1, "\\first", span_of("ours", 4), "write");
    disturbed = p;
    sound_files = &host_ports(p->host)->files;
    ports.files.write = write_behind_another;
    assert_int_equal(apply_over(p, &ports, &result), ST_EXISTS);
    assert_true(span_equal(mem_files_find(p->host->files, 1, "\\first"), span_of("theirs", 6)));
}

static void store_without_room_is_refused(void **state)
{
    struct planning *p = *state;
    struct apply_result result;

    plan_two(p);
    mem_vars_set_total(p->host->vars, mem_vars_used(p->host->vars) + STORE_MARGIN);
    assert_int_equal(apply(p, &result), ST_NO_SPACE);
    expect_refused(p, &result, "too few to be safe");
}

/* What the store has to keep besides the value (its header and the name in 16 bits) counts, and
 * what is given up for it. */
static void room_is_needed_for_names_and_won_by_what_goes(void **state)
{
    static const struct {
        bool shortens;  /* BootOrder, to two bytes */
        uint64_t least; /* bytes for which there must be room */
    } cases[] = {{false, 2 + 2 * 9}, {true, 0}};

    for (size_t i = 0; i < 2; i++) {
        struct planning *p = planning_begin(host_clone(((struct planning *)*state)->host));
        struct apply_result result;
        size_t order = mem_vars_find(p->host->vars, NULL, "BootOrder")->size;
        size_t used = mem_vars_used(p->host->vars);
        if (cases[i].shortens)
            plan_set_variable(&p->plan, "BootOrder", 7, span_of("\x01\x00", 2), "shorter");
        else
            plan_set_variable(&p->plan, "BootNext", 7, span_of("\x03\x00", 2), "new");
        assert_true(order > 2);
        mem_vars_set_total(p->host->vars, used + STORE_MARGIN + cases[i].least - 1);
        enum status status =
            apply_check(&p->arena, (struct ports *)host_ports(p->host), &p->plan, &result);
        assert_int_equal(status, cases[i].shortens ? ST_OK : ST_NO_SPACE);
        mem_vars_set_total(p->host->vars, used + STORE_MARGIN + cases[i].least + 64);
        assert_int_equal(
            apply_check(&p->arena, (struct ports *)host_ports(p->host), &p->plan, &result), ST_OK);
        planning_end(p);
    }
}

static void variable_larger_than_the_firmware_allows_is_refused(void **state)
{
    struct planning *p = *state;
    static uint8_t large[MEM_VARS_LARGEST + 2];
    struct apply_result result;

    plan_set_variable(&p->plan, "BootOrder", 7, span_of(large, sizeof(large)), "large");
    assert_int_equal(apply(p, &result), ST_NO_SPACE);
    expect_refused(p, &result, "BootOrder would be larger than the firmware allows");
}

static void without_a_journal_nothing_is_written(void **state)
{
    struct planning *p = *state;
    struct apply_result result;

    plan_two(p);
    mem_files_set_free(p->host->files, 0, 100);
    mem_files_set_free(p->host->files, 1, 100);
    mem_vars_set_total(p->host->vars, mem_vars_used(p->host->vars) + STORE_MARGIN + 400);
    assert_int_equal(apply(p, &result), ST_NO_SPACE);
    expect_refused(p, &result, "There is no place to save the old boot variables");
    assert_false(result.has_journal);
}

static void little_memory_is_refused(void **state)
{
    struct planning *p = *state;
    struct apply_result result;
    enum status status = ST_NO_MEMORY;

    plan_two(p);
    for (size_t size = 0; status != ST_OK; size += 16) {
        static uint8_t memory[16384];
        struct arena arena;
        assert_true(size < sizeof(memory));
        arena_init(&arena, memory, size);
        status = fixture_apply(&arena, host_ports(p->host), &p->plan, &result);
        assert_true(status == ST_OK || status == ST_NO_MEMORY);
        if (status != ST_OK) {
            assert_int_equal(mem_vars_log_count(p->host->vars), 0);
            assert_null(mem_files_find(p->host->files, 0, JOURNAL_1).at);
            assert_non_null(strstr(result.problem, "memory"));
            assert_non_null(strstr(result.problem, "Nothing was changed."));
        }
    }
}

/* --- Trouble while writing ------------------------------------------------------------------ */

static void failures_of_the_second_write_take_the_first_one_back(void **state)
{
    /* Out of memory, in firmware's words: the plan's own would mean that nothing was written. */
    static const enum status statuses[] = {ST_NO_SPACE, ST_READ_ONLY, ST_REFUSED, ST_IO,
                                           ST_NO_MEMORY};

    (void)state;
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        enum status told = statuses[i] == ST_NO_MEMORY ? ST_IO : statuses[i];
        struct planning *p = planning_begin(fixture_modern_machine());
        struct host *before = host_clone(p->host);
        struct fault *fault = fault_new(host_ports(p->host));
        struct apply_result result;
        struct journal journal;
        plan_two(p);
        fault_fail(fault, FAULT_VAR_SET, 2, statuses[i], false);
        assert_int_equal(apply_over(p, fault_ports(fault), &result), told);
        assert_int_equal(result.done, 0);
        assert_true(mem_vars_equal(p->host->vars, before->vars));
        assert_non_null(strstr(result.problem, "BootNext could not be written"));
        struct span file = mem_files_find(p->host->files, 0, JOURNAL_1);
        assert_int_equal(journal_parse(&p->arena, file, &journal), ST_OK);
        assert_int_equal(journal.state, JOURNAL_UNDONE);
        fault_free(fault);
        host_free(before);
        planning_end(p);
    }
}

/* Firmware that promises and does nothing: what reads back tells, also of a deletion. */
static void a_write_that_was_only_promised_is_noticed(void **state)
{
    for (uint64_t n = 1; n <= 3; n++) {
        struct planning *p = planning_begin(host_clone(((struct planning *)*state)->host));
        struct host *before = host_clone(p->host);
        struct fault *fault = fault_new(host_ports(p->host));
        struct apply_result result;
        plan_two(p);
        plan_delete_variable(&p->plan, "Boot0003", "delete");
        fault_fail(fault, FAULT_VAR_SET, n, ST_OK, false);
        assert_int_equal(apply_over(p, fault_ports(fault), &result), ST_IO);
        assert_non_null(strstr(result.problem, "Everything is again as it was before"));
        assert_int_equal(result.done, 0);
        assert_true(mem_vars_equal(p->host->vars, before->vars));
        fault_free(fault);
        host_free(before);
        planning_end(p);
    }
}

/* The same on the way back. */
static void taken_back_is_what_reads_so(void **state)
{
    struct planning *p = *state;
    struct fault *fault = fault_new(host_ports(p->host));
    struct apply_result result;

    plan_two(p);
    fault_fail(fault, FAULT_VAR_SET, 2, ST_IO, false);
    fault_fail(fault, FAULT_VAR_SET, 3, ST_OK, false);
    assert_int_equal(apply_over(p, fault_ports(fault), &result), ST_IO);
    assert_non_null(strstr(result.problem, "could not all be taken back"));
    fault_free(fault);
}

/* One that cannot be taken back is no reason to leave the others. */
static void taking_back_goes_on_behind_trouble(void **state)
{
    struct planning *p = *state;
    struct fault *fault = fault_new(host_ports(p->host));
    struct apply_result result;

    plan_two(p);
    plan_delete_variable(&p->plan, "Boot0003", "delete");
    fault_fail(fault, FAULT_VAR_SET, 3, ST_IO, false);
    fault_fail(fault, FAULT_VAR_SET, 4, ST_IO, false); /* BootNext on its way back */
    assert_int_equal(apply_over(p, fault_ports(fault), &result), ST_IO);
    assert_non_null(strstr(result.problem, "could not all be taken back"));
    assert_memory_equal(mem_vars_find(p->host->vars, NULL, "Timeout")->data, "\x01\x00", 2);
    assert_non_null(mem_vars_find(p->host->vars, NULL, "BootNext"));
    fault_free(fault);
}

/* A store that takes any attributes of a variable, but keeps those it has; its third call fails. */
static struct mem_vars *lenient;
static unsigned lenient_calls;

static enum status lenient_set(void *ctx, const struct guid *vendor, const char *name,
                               uint32_t attributes, const void *data, size_t size)
{
    const struct mem_var *old = mem_vars_find(lenient, vendor, name);

    (void)ctx;
    if (++lenient_calls == 3)
        return ST_IO;
    if (size > 0 && old != NULL && old->attributes != attributes)
        return ST_REFUSED;
    if (size > 0)
        mem_vars_put(lenient, vendor, name, attributes, data, size);
    else
        mem_vars_drop(lenient, vendor, name);
    return ST_OK;
}

/* Other attributes too: they are taken back by deleting first. */
static void attributes_are_taken_back(void **state)
{
    struct planning *p = *state;
    struct ports ports = *host_ports(p->host);
    struct apply_result result;

    mem_vars_put(p->host->vars, NULL, "Timeout", 3, "\x01\x00", 2);
    planning_rescan(p);
    struct host *before = host_clone(p->host);
    lenient = p->host->vars;
    lenient_calls = 0;
    ports.vars.set = lenient_set;
    plan_two(p); /* deleted and written, and then BootNext */
    assert_int_equal(apply_over(p, &ports, &result), ST_IO);
    assert_non_null(strstr(result.problem, "Everything is again as it was before"));
    assert_true(mem_vars_equal(p->host->vars, before->vars));
    host_free(before);
}

static enum status read_with_a_flaw(void *ctx, size_t volume, const char *path, uint64_t offset,
                                    void *ret_data, size_t size, size_t *ret_size)
{
    enum status status = sound_files->read(ctx, volume, path, offset, ret_data, size, ret_size);

    if (status == ST_OK && *ret_size > 0)
        *(uint8_t *)ret_data ^= 1;
    return status;
}

/* A file that reads back otherwise is no file of ours: it is taken away. */
static void a_file_that_reads_back_otherwise_is_taken_away(void **state)
{
    struct planning *p = *state;
    struct ports ports = *host_ports(p->host);
    struct apply_result result;

    plan_write_file(&p->plan, 1, "\\first", span_of("new", 3), "write");
    sound_files = &host_ports(p->host)->files;
    ports.files.read = read_with_a_flaw;
    assert_int_equal(apply_over(p, &ports, &result), ST_IO);
    assert_null(mem_files_find(p->host->files, 1, "\\first").at);
}

/* What is written twice has to be what the last action made of it. */
static void the_last_of_two_values_is_confirmed(void **state)
{
    struct planning *p = *state;
    struct machine after;
    size_t action = NO_INDEX;

    plan_two(p);
    struct action *again = &p->plan.actions[1];
    *again = p->plan.actions[0];
    again->data = span_of("\x0b\x00", 2);
    again->expect_digest = sha256_of(span_of("\x09\x00", 2));
    p->plan.actions[0].data = span_of("\x09\x00", 2);
    fixture_set_u16(p->host, "Timeout", 11);
    assert_int_equal(scan_machine(&p->arena, host_ports(p->host), SCAN_ENTRIES, &after), ST_OK);
    assert_int_equal(apply_confirm(&p->plan, &after, &action), ST_OK);
}

static void what_cannot_be_taken_back_names_the_journal(void **state)
{
    struct planning *p = *state;
    struct fault *fault = fault_new(host_ports(p->host));
    struct apply_result result;

    plan_two(p);
    fault_fail(fault, FAULT_VAR_SET, 2, ST_IO, true);
    assert_int_equal(apply_over(p, fault_ports(fault), &result), ST_IO);
    assert_non_null(strstr(result.problem, "could not all be taken back. Journal 1 on FS0:"));
    fault_free(fault);
}

/* --- Afterwards ----------------------------------------------------------------------------- */

static void confirm_names_the_variable_that_reads_differently(void **state)
{
    struct planning *p = *state;
    struct machine after;
    size_t action = NO_INDEX;

    plan_two(p);
    planning_apply(p, ST_OK);
    assert_int_equal(scan_machine(&p->arena, host_ports(p->host), SCAN_ENTRIES, &after), ST_OK);
    assert_int_equal(apply_confirm(&p->plan, &after, &action), ST_OK);
    fixture_set_u16(p->host, "BootNext", 1);
    assert_int_equal(scan_machine(&p->arena, host_ports(p->host), SCAN_ENTRIES, &after), ST_OK);
    assert_int_equal(apply_confirm(&p->plan, &after, &action), ST_CHANGED);
    assert_int_equal(action, 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, planning_set_up_modern, planning_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(plan_is_carried_out_and_the_journal_closed),
        CASE(journal_is_there_before_the_first_write),
        CASE(broken_clock_leaves_the_date_out),
        CASE(journal_of_an_undo_says_so),
        CASE(journal_that_cannot_be_closed_is_only_noted),
        CASE(attributes_are_changed_by_deleting_first),
        CASE(content_that_is_there_already_is_no_action),
        CASE(new_file_is_written_and_needs_no_journal),
        CASE(file_that_exists_is_not_replaced),
        CASE(write_protected_volume_is_refused),
        CASE(files_before_one_that_failed_are_taken_away_again),
        CASE(file_that_was_never_there_is_no_trouble),
        CASE(file_that_cannot_be_taken_away_is_told_without_a_journal),
        CASE(changed_content_is_refused),
        CASE(every_difference_is_a_change),
        CASE(a_file_of_somebody_else_is_not_taken_away),
        CASE(content_changed_at_the_last_moment_is_not_overwritten),
        CASE(store_without_room_is_refused),
        CASE(room_is_needed_for_names_and_won_by_what_goes),
        CASE(variable_larger_than_the_firmware_allows_is_refused),
        CASE(without_a_journal_nothing_is_written),
        CASE(little_memory_is_refused),
        CASE(failures_of_the_second_write_take_the_first_one_back),
        CASE(a_write_that_was_only_promised_is_noticed),
        CASE(taken_back_is_what_reads_so),
        CASE(taking_back_goes_on_behind_trouble),
        CASE(attributes_are_taken_back),
        CASE(a_file_that_reads_back_otherwise_is_taken_away),
        CASE(the_last_of_two_values_is_confirmed),
        CASE(what_cannot_be_taken_back_names_the_journal),
        CASE(confirm_names_the_variable_that_reads_differently),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
