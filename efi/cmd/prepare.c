#include "plan/prepare.h"

#include "base/text.h"
#include "cmd/command.h"
#include "disk_word.h"
#include "mend.h"
#include "run.h"
#include "plan/esp_entries.h"
#include "plan/esp_files.h"
#include "plan/new_guids.h"
#include "plan/project.h"
#include "plan/prospect.h"

static bool has_entry(const struct machine *machine, size_t partition)
{
    for (size_t i = 0; i < machine->entry_count; i++) {
        if (machine->entries[i].in_order && machine->entries[i].boot.partition == partition)
            return true;
    }
    return false;
}

/* The GUID of the disk's ESP in `*ret_guid` when boot entries name it. */
static bool named_esp(const struct machine *machine, size_t disk, struct guid *ret_guid)
{
    size_t esp = roles_esp_of(machine, disk);

    if (esp == NO_INDEX || !has_entry(machine, machine->esps[esp].partition))
        return false;
    *ret_guid = machine->partitions[machine->esps[esp].partition].unique;
    return true;
}

/* The ESP whose entries are cloned: that on the disk the files come from, else the primary's; zero
 * when none is named by any. */
static struct guid entries_source_of(const struct machine *machine, const struct roles *roles,
                                     const struct prepare_request *request)
{
    size_t partition = NO_INDEX;
    struct guid guid = {{0}};
    size_t esp = NO_INDEX;

    if (request->has_source) {
        partition = machine_find_partition(machine, &request->source, NULL);
    } else {
        esp = esp_files_source(machine, roles, request->disk);
        partition = esp == NO_INDEX ? NO_INDEX : machine->esps[esp].partition;
    }
    if (partition != NO_INDEX && named_esp(machine, machine->partitions[partition].disk, &guid))
        return guid;
    if (roles->primary != NO_INDEX && roles->members[roles->primary].disk != request->disk)
        (void)named_esp(machine, roles->members[roles->primary].disk, &guid);
    return guid;
}

/* Adds the entries for the disk's ESP, planned over the machine as it will be then. */
static enum status plan_entries(struct context *context, const struct roles *roles,
                                const struct prepare_request *request, const struct guid *esp,
                                struct plan *io_plan)
{
    struct machine future;
    struct plan entries;
    struct esp_entries_request wanted = {
        .source = entries_source_of(&context->machine, roles, request),
        .targets = esp,
        .target_count = 1,
        .now = &context->machine,
        .disk_in_name = option(context, "-disk") != NULL,
    };

    enum status status = project_machine(context->arena, io_plan, &future);
    if (status != ST_OK)
        return status;
    plan_init(&entries, context->arena, &future);
    status = plan_esp_entries(&entries, &wanted);
    if (status != ST_OK) {
        io_plan->refusal = entries.refusal;
        return status;
    }
    plan_append(io_plan, &entries);
    return io_plan->status;
}

/* What hangs on the ESP of the disk. */
static enum esp_use use_of_area(const struct judgement *judgement, size_t disk)
{
    size_t own = roles_member_on(&judgement->roles, disk);
    size_t others = 0;

    for (size_t i = 0; i < judgement->roles.member_count; i++)
        others += i != own && start_is_hopeful(&judgement->starts[i]);
    if (own == NO_INDEX || !start_is_hopeful(&judgement->starts[own]))
        return ESP_UNUSED;
    return others > 0 ? ESP_IN_USE : ESP_ONLY_ONE;
}

/* The whole plan: the disk, then its entries; or with -gpt the table alone. */
static enum status make_plan(struct context *context, struct prepare_request *request,
                             struct plan *io_plan)
{
    struct judgement judgement;
    struct guid esp;

    if (option(context, "-new-guids") != NULL)
        return plan_new_guids(io_plan, request->disk, &request->now);
    if (option(context, "-gpt") != NULL)
        return plan_mend_gpt(io_plan, request->disk);
    enum status status = audit_machine(context->arena, &context->machine, &judgement);
    if (status != ST_OK)
        return status;
    request->use = use_of_area(&judgement, request->disk);
    status = plan_prepare(io_plan, &judgement.roles, request, &esp);
    /* Where the first block cannot be read firmware may not find what an entry names. */
    if (status == ST_OK && !context->machine.disks[request->disk].mbr_unreadable)
        status = plan_entries(context, &judgement.roles, request, &esp, io_plan);
    return status == ST_OK ? prospect_check(io_plan, &judgement) : status;
}

enum status cmd_prepare(struct context *context)
{
    const struct clock_port *clock = &context->ports->clock;
    struct prepare_request request = {.disk = NO_INDEX};
    struct judgement judgement;
    struct plan plan;

    if (option(context, "-new-guids") != NULL && option(context, "-gpt") == NULL)
        return report(context, ST_USAGE,
                      "New GUIDs are a matter of the partition table alone: shadowboot prepare N "
                      "-gpt -new-guids. Nothing was changed.");
    enum status status = option_guid(context, "-sg", &request.has_source, &request.source);
    if (status == ST_OK)
        status = mend_begin(context, SCAN_LISTED);
    if (status == ST_OK)
        status = disk_word(context, context->words[0], &request.disk);
    if (status != ST_OK)
        return status;
    if (clock->now(clock->ctx, &request.now) != ST_OK)
        request.now = (struct date_time){0};
    /* Who is there to be asked, is asked (plan.gives_up_msr); under -y nobody is. */
    request.allow_msr = !context->yes || option(context, "-msr") != NULL;
    run_begin(context, &plan);
    return mend_run(context, &plan, make_plan(context, &request, &plan), &judgement);
}
