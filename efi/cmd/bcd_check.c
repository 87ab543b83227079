/* `bcd check` and `bcd retarget`: what is wrong with stores, and that they start their own disk. */
#include "audit/audit_machine.h"
#include "base/text.h"
#include "bcd.h"
#include "disk_word.h"
#include "mend.h"
#include "plan/boot_stores.h"
#include "run.h"
#include "show.h"

static bool is_of_store(const struct finding *finding)
{
    return finding->code >= FINDING_ESP_NO_STORE && finding->code <= FINDING_ESP_STORE_RESUME;
}

/* Under -on: it is about that disk. */
static bool is_about_disk(const struct machine *machine, const struct finding *finding, size_t disk)
{
    return disk == NO_INDEX ||
           (finding->partition != NO_INDEX && machine->partitions[finding->partition].disk == disk);
}

/* A store that is missing is one that is looked at where the disk has an ESP. */
static bool has_store(const struct machine *machine, size_t disk)
{
    for (size_t i = 0; i < machine->esp_count; i++) {
        if (disk == NO_INDEX || machine->partitions[machine->esps[i].partition].disk == disk)
            return true;
    }
    return false;
}

/* The disk of -on, on the machine that was scanned; NO_INDEX without it. */
static enum status find_chosen_disk(struct context *context, size_t *ret_disk)
{
    const char *text = option(context, "-on");

    *ret_disk = NO_INDEX;
    return text == NULL ? ST_OK : disk_word(context, text, ret_disk);
}

enum status bcd_check(struct context *context)
{
    struct judgement judgement;
    size_t disk = NO_INDEX;
    size_t kept = 0;

    enum status status = context_scan(context, SCAN_LISTED);
    if (status == ST_OK)
        status = find_chosen_disk(context, &disk);
    if (status != ST_OK)
        return status;
    if (!has_store(&context->machine, disk))
        return report(context, ST_ABSENT,
                      "There is no boot store on an EFI system partition to look at. \"shadowboot "
                      "status\" says what this machine starts from.");
    if (audit_machine(context->arena, &context->machine, &judgement) != ST_OK)
        return report(context, ST_NO_MEMORY, "Out of memory.");
    for (size_t i = 0; i < judgement.findings.count; i++) {
        const struct finding *finding = &judgement.findings.items[i];
        if (is_of_store(finding) && is_about_disk(&context->machine, finding, disk))
            judgement.findings.items[kept++] = *finding;
    }
    judgement.findings.count = kept;
    if (kept == 0 && !context->sfo)
        say(context, "Nothing is wrong with the boot stores.\n");
    show_findings(context, &judgement.findings);
    return findings_status(&judgement.findings);
}

/* A store that cannot be read is not retargeted: repair brings another. */
static bool has_damaged_store(const struct findings *findings, const struct machine *machine,
                              size_t disk)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        if (is_of_store(finding) && finding_severity(finding->code) == SEVERITY_DAMAGE &&
            is_about_disk(machine, finding, disk))
            return true;
    }
    return false;
}

/* What a shadow's store needs, as `repair` sees to it. */
static enum status retarget_all(struct context *context)
{
    struct judgement judgement;
    struct plan plan;
    struct boot_stores_request request = {.left_out = NO_INDEX};

    enum status status = mend_begin(context, SCAN_LISTED);
    if (status == ST_OK)
        status = find_chosen_disk(context, &request.disk);
    if (status != ST_OK)
        return status;
    if (audit_machine(context->arena, &context->machine, &judgement) != ST_OK)
        return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
    run_begin(context, &plan);
    plan.incomplete = has_damaged_store(&judgement.findings, &context->machine, request.disk);
    status = plan_boot_stores(&plan, &judgement.roles, &request);
    if (status == ST_OK)
        status = bcd_check_prospect(context, &plan, &judgement);
    return mend_run(context, &plan, status, false, &judgement);
}

enum status bcd_retarget(struct context *context)
{
    const char *words[] = {option(context, "-from"), option(context, "-to")};
    struct bcd_step step = {.kind = BCD_RETARGET, .object = "all", .words = words, .count = 2};

    if (words[0] == NULL && words[1] == NULL)
        return retarget_all(context);
    if (words[0] == NULL || words[1] == NULL)
        return report(context, ST_USAGE,
                      "-from and -to go together: what names the first names the second then. "
                      "Nothing was changed.");
    return bcd_change(context, &step, 1, false, NULL);
}
