/* The verbs of bcd that change stores. */
#include "bcd.h"

#include "audit/audit_machine.h"
#include "base/text.h"
#include "mend.h"
#include "plan/prospect.h"
#include "run.h"

#define PARTITION "partition="

/* --- Stores --------------------------------------------------------------------------------- */

/* Those of the mirror's disks, where nobody chose. */
static bool edit_is_wanted(struct context *context, const struct roles *roles,
                           const struct bcd_source *source)
{
    const struct machine *machine = &context->machine;

    if (option(context, "-on") != NULL || option(context, "-store") != NULL)
        return true;
    if (source->esp == NO_INDEX || roles->member_count == 0)
        return source->esp != NO_INDEX;
    size_t disk = machine->partitions[machine->esps[source->esp].partition].disk;
    return roles_member_on(roles, disk) != NO_INDEX;
}

static enum status refuse_source(struct context *context, const struct bcd_source *source)
{
    if (source->trouble != NULL)
        return report(context, ST_DAMAGED,
                      "The boot store %s cannot be changed: %s. \"shadowboot repair\" mends what "
                      "can be mended; -on chooses another disk's. Nothing was changed.",
                      source->name, source->trouble);
    return report(
        context, ST_REFUSED,
        "%s is not on an EFI system partition: such a store is only read here. Nothing "
        "was changed. Where it names another disk, \"shadowboot diskid\" says which; all else "
        "is for bcdedit in Windows.",
        source->name);
}

static enum status find_targets(struct context *context, const struct roles *roles,
                                struct bcd_request *io_request)
{
    struct bcd_source *sources = NULL;
    size_t count = 0;

    enum status status = bcd_find_sources(context, option(context, "-on"), &sources, &count);
    if (status != ST_OK)
        return status;
    struct bcd_target *targets = arena_alloc(context->arena, count, sizeof(*targets));
    if (targets == NULL)
        return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
    for (size_t i = 0; i < count; i++) {
        if (!edit_is_wanted(context, roles, &sources[i]))
            continue;
        if (sources[i].trouble != NULL || sources[i].esp == NO_INDEX)
            return refuse_source(context, &sources[i]);
        targets[io_request->target_count++] =
            (struct bcd_target){sources[i].esp, sources[i].path, sources[i].file};
    }
    io_request->targets = targets;
    if (io_request->target_count == 0 && sources->esp == NO_INDEX)
        return refuse_source(context, sources); /* BIOS starts all there is */
    if (io_request->target_count == 0)
        return report(context, ST_ABSENT,
                      "No disk of the mirror has a boot store. Choose one with -on; \"shadowboot "
                      "bcd list\" shows them. Nothing was changed.");
    return ST_OK;
}

/* --- The plan ------------------------------------------------------------------------------- */

enum status bcd_check_prospect(struct context *context, struct plan *io_plan,
                               const struct judgement *now)
{
    struct prospect prospect;

    if (io_plan->count == 0 || io_plan->status != ST_OK)
        return io_plan->status;
    enum status status = prospect_find(io_plan, now, &prospect);
    if (status != ST_OK || prospect.worse == NO_INDEX || option(context, "-force") != NULL)
        return status;
    return plan_refuse(io_plan, ST_REFUSED,
                       "After this %s would start less well than now (%s now, %s then). -force "
                       "does it all the same.",
                       prospect_worse_name(io_plan->arena, &prospect), prospect.text,
                       prospect.then);
}

/* Makes partition=FS0: what is on the disk: only the files of the firmware know such names. */
static const char *resolve(struct context *context, const char *word)
{
    const struct files_port *files = &context->ports->files;
    const struct machine *machine = &context->machine;
    char guid[GUID_TEXT_SIZE];

    if (!text_has_prefix_nocase(word, PARTITION))
        return word;
    for (size_t i = 0; i < machine->partition_count; i++) {
        size_t volume = machine->partitions[i].volume;
        if (volume >= files->volume_count ||
            !text_equal_nocase(files->volumes[volume].alias, word + sizeof(PARTITION) - 1) ||
            guid_is_zero(&machine->partitions[i].unique))
            continue;
        guid_format(&machine->partitions[i].unique, guid);
        return arena_printf(context->arena, PARTITION "%s", guid);
    }
    return word;
}

static enum status resolve_steps(struct context *context, const struct bcd_step *steps,
                                 size_t count, struct bcd_request *io_request)
{
    struct bcd_step *copy = arena_copy(context->arena, steps, count * sizeof(*steps));

    for (size_t i = 0; copy != NULL && i < count; i++) {
        const char **words = arena_alloc(context->arena, steps[i].count, sizeof(*words));
        copy[i].words = words;
        for (size_t j = 0; words != NULL && j < steps[i].count; j++)
            words[j] = resolve(context, steps[i].words[j]);
        if (words == NULL)
            return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
    }
    if (copy == NULL)
        return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
    io_request->steps = copy;
    io_request->step_count = count;
    return ST_OK;
}

/* What is started once is what was asked for, be it a memory test: the start after that is as it
 * was. */
static bool is_for_once(const struct bcd_request *request)
{
    const struct bcd_step *step = request->steps;

    return request->step_count == 1 &&
           (step->kind == BCD_RECOVERY ||
            (step->element != NULL && text_equal_nocase(step->element, "bootsequence")));
}

static enum status make_edit_plan(struct context *context, const struct bcd_request *request,
                                  const struct judgement *judgement, struct plan *io_plan,
                                  struct guid *ret_copy)
{
    enum status status = plan_bcd_edit(io_plan, request, ret_copy);
    bool once = is_for_once(request);

    if (status != ST_OK)
        return status;
    status = bcd_check_prospect(context, io_plan, judgement);
    if (status != ST_REFUSED || !once)
        return status;
    io_plan->refusal = "";
    return ST_OK;
}

/* True when there is no volume for the journal but the ESPs that are changed: then one is changed
 * after the other, and each journal lies on the other one. */
static bool goes_in_rounds(const struct context *context, const struct bcd_request *request)
{
    const struct files_port *files = &context->ports->files;
    const struct machine *machine = &context->machine;

    if (!files_own_is_writable(files))
        return true;
    for (size_t i = 0; i < request->target_count; i++) {
        const struct esp *esp = &machine->esps[request->targets[i].esp];
        if (machine->partitions[esp->partition].volume == files->self)
            return true;
    }
    return false;
}

static enum status run_request(struct context *context, const struct bcd_request *request,
                               struct judgement *judgement, bool silent, struct guid *ret_copy)
{
    struct plan plan;

    run_begin(context, &plan);
    enum status made = make_edit_plan(context, request, judgement, &plan, ret_copy);
    return silent ? run_plan_silently(context, &plan, made)
                  : mend_run(context, &plan, made, false, judgement);
}

/* One store after the other; each time the machine was scanned anew. */
static enum status run_rounds(struct context *context, const struct bcd_request *request,
                              struct judgement *judgement, bool silent, struct guid *ret_copy)
{
    enum status status = ST_OK;

    for (size_t i = 0; i < request->target_count && status == ST_OK; i++) {
        struct bcd_request one = *request;
        one.targets = &request->targets[i];
        one.target_count = 1;
        status = run_request(context, &one, judgement, silent, ret_copy);
    }
    return status;
}

enum status bcd_change(struct context *context, const struct bcd_step *steps, size_t count,
                       bool silent, struct guid *ret_copy)
{
    struct bcd_request request = {.target_count = 0};
    struct judgement judgement;

    enum status status = mend_begin(context, SCAN_LISTED);
    if (status == ST_OK)
        status = resolve_steps(context, steps, count, &request);
    if (status != ST_OK)
        return status;
    if (audit_machine(context->arena, &context->machine, &judgement) != ST_OK)
        return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
    status = find_targets(context, &judgement.roles, &request);
    if (status != ST_OK)
        return status;
    request.now = context_now(context);
    if (request.target_count > 1 && goes_in_rounds(context, &request))
        return run_rounds(context, &request, &judgement, silent, ret_copy);
    return run_request(context, &request, &judgement, silent, ret_copy);
}

/* --- The verbs ------------------------------------------------------------------------------ */

static enum status change_one(struct context *context, const struct bcd_step *step)
{
    return bcd_change(context, step, 1, false, NULL);
}

enum status bcd_set(struct context *context)
{
    const char *const *words = context->words;
    struct bcd_step step = {BCD_SET, words[1], words[2], words + 3, context->word_count - 3};

    return change_one(context, &step);
}

enum status bcd_delete(struct context *context)
{
    bool element = context->word_count > 2;
    struct bcd_step step = {.kind = element ? BCD_UNSET : BCD_DELETE,
                            .object = context->words[1],
                            .element = element ? context->words[2] : NULL};

    return change_one(context, &step);
}

enum status bcd_copy(struct context *context)
{
    const char *description = option(context, "-d");
    struct bcd_step step = {BCD_COPY, context->words[1], NULL, &description, 1};

    if (description == NULL || description[0] == '\0')
        return report(context, ST_USAGE,
                      "Give the copy a description: -d \"Windows, safe mode\". Nothing was "
                      "changed.");
    return change_one(context, &step);
}

enum status bcd_default(struct context *context)
{
    struct bcd_step step = {BCD_SET, "{bootmgr}", "default", context->words + 1, 1};

    return change_one(context, &step);
}

enum status bcd_order(struct context *context)
{
    static const char *const options[] = {"-addfirst", "-addlast", "-remove"};
    struct bcd_step step = {BCD_LIST, "{bootmgr}", "displayorder", context->words + 1,
                            context->word_count - 1};
    size_t given = 0;

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (option(context, options[i]) == NULL)
            continue;
        step.kind = (enum bcd_step_kind)(BCD_FIRST + i);
        given++;
    }
    if (given > 1)
        return report(context, ST_USAGE,
                      "-addfirst, -addlast and -remove exclude each other. Nothing was changed.");
    return change_one(context, &step);
}

enum status bcd_timeout(struct context *context)
{
    struct bcd_step step = {BCD_SET, "{bootmgr}", "timeout", context->words + 1, 1};

    return change_one(context, &step);
}
