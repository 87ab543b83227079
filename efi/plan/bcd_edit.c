#include "plan/bcd_edit.h"

#include "base/date.h"
#include "base/mem.h"
#include "base/text.h"
#include "bcd_work.h"
#include "format/regf/regf_verify.h"
#include "plan/new_guid.h"
#include "plan/place.h"
#include "store_write.h"

/* How much a store may grow by: an object takes some 3 KiB. */
#define ROOM_TO_GROW (64u << 10)

#define WRITTEN_AT 12u /* in the base block: when the hive was written last */

/* Later than what the store says of itself: so that no log of an earlier write fits. */
static uint64_t time_of_write(const struct bcd_request *request, struct span file)
{
    uint64_t now = date_filetime(&request->now);
    uint64_t before = ld_le64(file.at + WRITTEN_AT);

    return now > before ? now : before + FILETIME_SECOND;
}

/* --- What is written ------------------------------------------------------------------------ */

/* What will be on the disk is looked at as a whole before it is. */
static enum status check_result(struct bcd_work *work, struct span file)
{
    struct regf_report report;
    struct bcd_store store;

    enum status status = bcd_open(work->plan->arena, file, &store);
    if (status == ST_OK)
        status = regf_verify(work->plan->arena, &store.hive, &report);
    if (status == ST_OK && report.damage.problem == REGF_NO_PROBLEM)
        return ST_OK;
    return status == ST_NO_MEMORY
               ? status
               : plan_refuse(work->plan, ST_DAMAGED,
                             "The changed boot store would not be sound, so it is not written.");
}

static const char *object_name_of(struct bcd_work *work)
{
    const struct machine *machine = work->plan->machine;

    return place_text(work->plan->arena, machine, machine->esps[work->target->esp].partition);
}

static enum status refuse(struct bcd_work *work, enum status status)
{
    const char *why = status == ST_DAMAGED || status == ST_REFUSED
                          ? "it is damaged"
                          : "it is too large or of a form that cannot be changed";

    if (status == ST_NO_MEMORY || work->plan->refusal[0] != '\0')
        return status;
    return plan_refuse(work->plan, status, "The boot store of %s cannot be changed: %s.",
                       object_name_of(work), why);
}

static bool only_renames(const struct bcd_request *request)
{
    for (size_t i = 0; i < request->step_count; i++) {
        if (request->steps[i].kind != BCD_RETARGET)
            return false;
    }
    return true;
}

static enum status write_result(struct bcd_work *work, const struct bcd_request *request,
                                const char *what)
{
    struct plan *plan = work->plan;
    const struct store_writing writing = {
        .esp = work->target->esp,
        .path = work->target->path,
        .file = regf_edit_finish(&work->edit.hive),
        .renames = only_renames(request),
        .text = arena_printf(plan->arena, "write the boot store of %s anew: %s",
                             object_name_of(work), what),
    };

    enum status status = check_result(work, writing.file);
    return status == ST_OK ? plan_write_store(plan, &writing) : status;
}

/* --- What is done --------------------------------------------------------------------------- */

/* "set {default} nx AlwaysOn", for people. */
static const char *step_text(struct bcd_work *work, const struct bcd_step *step)
{
    struct arena *arena = work->plan->arena;
    char guid[GUID_TEXT_SIZE];
    static const char *const verbs[] = {
        [BCD_SET] = "set",
        [BCD_UNSET] = "delete",
        [BCD_DELETE] = "delete",
        [BCD_COPY] = "copy",
        [BCD_LIST] = "set",
        [BCD_FIRST] = "put first in",
        [BCD_LAST] = "put last in",
        [BCD_REMOVE] = "take out of",
        [BCD_RECOVERY] = "next time, start the recovery system of",
        [BCD_RETARGET] = "retarget",
    };
    const char *text = arena_printf(arena, "%s %s", verbs[step->kind], step->object);

    if (text != NULL && step->element != NULL)
        text = arena_printf(arena, "%s %s", text, step->element);
    guid_format(&work->fresh, guid);
    if (text != NULL && step->kind == BCD_COPY)
        text = arena_printf(arena, "%s to %s,", text, guid);
    for (size_t i = 0; i < step->count && text != NULL; i++)
        text = arena_printf(arena, "%s %s", text, step->words[i]);
    return text == NULL ? NULL : text_printable(arena, text);
}

static const char *steps_text(struct bcd_work *work, const struct bcd_request *request)
{
    struct arena *arena = work->plan->arena;
    const char *all = "";

    for (size_t i = 0; i < request->step_count && all != NULL; i++) {
        const char *text = step_text(work, &request->steps[i]);
        all = text == NULL ? NULL : arena_printf(arena, "%s%s%s", all, i == 0 ? "" : "; ", text);
    }
    return all;
}

static enum status change_store(struct bcd_work *work, const struct bcd_request *request)
{
    struct arena *arena = work->plan->arena;
    const struct span old = work->target->file;
    size_t capacity = old.size + ROOM_TO_GROW;
    uint8_t *bytes = arena_alloc(arena, 1, capacity);
    const char *what = steps_text(work, request);

    if (bytes == NULL || what == NULL)
        return ST_NO_MEMORY;
    memcpy(bytes, old.at, old.size);
    enum status status =
        bcd_edit_open(arena, bytes, old.size, capacity, time_of_write(request, old), &work->edit);
    for (size_t i = 0; i < request->step_count && status == ST_OK; i++)
        status = bcd_work_step(work, &request->steps[i]);
    if (status != ST_OK || !work->edit.changed)
        return status == ST_OK ? ST_OK : refuse(work, status);
    return write_result(work, request, what);
}

/* One store less to change: it lacks what another one may have. */
static enum status pass_over(struct bcd_work *work, enum status status)
{
    struct plan *plan = work->plan;
    const char *why = plan->refusal;

    plan->refusal = arena_printf(plan->arena, "The boot store of %s stays as it is. %s",
                                 object_name_of(work), why);
    if (plan->refusal == NULL)
        return ST_NO_MEMORY;
    plan_warn_of_refusal(plan, status);
    plan->refusal = why;
    return plan->status;
}

static bool has_object(struct arena *arena, const struct bcd_target *target,
                       const struct guid *guid)
{
    size_t mark = arena_mark(arena);
    struct bcd_store store;
    struct bcd_object object;

    bool has =
        bcd_open(arena, target->file, &store) == ST_OK && bcd_find(&store, guid, &object) == ST_OK;
    arena_release(arena, mark);
    return has;
}

/* A GUID that none of the stores has an object of, nor the machine. */
static struct guid make_fresh(struct plan *plan, const struct bcd_request *request)
{
    struct identity identity;
    struct guid guid;
    bool taken = true;

    identity_begin(&identity, plan->machine, 0, &request->now);
    while (taken) {
        guid = identity_guid(&identity);
        taken = false;
        for (size_t i = 0; i < request->target_count; i++)
            taken |= has_object(plan->arena, &request->targets[i], &guid);
    }
    return guid;
}

enum status plan_bcd_edit(struct plan *plan, const struct bcd_request *request,
                          struct guid *ret_copy)
{
    struct bcd_work work = {.plan = plan, .fresh = make_fresh(plan, request)};
    enum status absent = ST_OK;
    size_t done = 0;

    for (size_t i = 0; i < request->target_count; i++) {
        work.target = &request->targets[i];
        enum status status = change_store(&work, request);
        done += status == ST_OK;
        if (status == ST_OK)
            continue;
        if (status != ST_ABSENT || request->target_count == 1)
            return status;
        absent = status;
        if (pass_over(&work, status) != ST_OK)
            return plan->status;
    }
    if (done == 0 && absent != ST_OK)
        return absent;
    plan->refusal = "";
    if (ret_copy != NULL)
        *ret_copy = work.fresh;
    return plan->status;
}
