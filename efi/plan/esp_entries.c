#include "plan/esp_entries.h"

#include "audit/audit_machine.h"
#include "model/boot_name.h"
#include "model/boot_paths.h"
#include "model/firmware_entry.h"
#include "plan/clone.h"
#include "plan/edit.h"
#include "plan/entries.h"
#include "plan/place.h"

/* One edit of the entries for all targets. */
struct pass {
    struct plan *plan;
    const struct esp_entries_request *request;
    struct boot_edit edit;
    size_t blocker; /* the entry that starts something else, and ends BootOrder; NO_INDEX */
};

/* --- What is there -------------------------------------------------------------------------- */

static bool is_active(const struct entry *entry)
{
    return (entry->option.attributes & LOAD_OPTION_ACTIVE) != 0;
}

/* True when the entry names the partition by the place where it is. The firmware's own entry for
 * the whole disk is none: it comes and goes, and starts only the removable-media path.
 */
static bool names_place(const struct pass *pass, size_t index, size_t partition)
{
    const struct machine *machine = pass->plan->machine;
    const struct entry *entry = &machine->entries[index];

    return !pass->edit.deleted[index] && entry->boot.has_hd &&
           audit_entry_leads_to(machine, entry, partition) && !entry->boot.moved &&
           !entry->boot.elsewhere;
}

/* The same for an entry of the BootOrder that is going to be. */
static bool stands_for(const struct pass *pass, size_t index, size_t partition)
{
    return names_place(pass, index, partition) &&
           edit_names(&pass->edit, pass->plan->machine->entries[index].number);
}

static bool has_active_entry(const struct pass *pass, size_t partition)
{
    const struct machine *machine = pass->plan->machine;

    for (size_t i = 0; i < machine->entry_count; i++) {
        if (stands_for(pass, i, partition) && is_active(&machine->entries[i]))
            return true;
    }
    return false;
}

/* What is known of a file of a partition. */
enum presence { PRESENT, MISSING, NOT_KNOWN };

static enum presence presence_of(const struct machine *machine, size_t partition, const char *path)
{
    size_t index = machine_find_esp(machine, partition);

    if (index == NO_INDEX)
        return NOT_KNOWN;
    const struct esp *esp = &machine->esps[index];
    if (esp->status != ST_OK)
        return MISSING;
    if (fat_find(&esp->report, path) != FAT_NO_FILE)
        return PRESENT;
    return esp->report.complete ? MISSING : NOT_KNOWN;
}

/* --- Positions ------------------------------------------------------------------------------ */

static size_t place_of(const struct boot_edit *edit, uint16_t number)
{
    for (size_t i = 0; i < edit->count; i++) {
        if (edit->order[i] == number)
            return i;
    }
    return NO_INDEX;
}

/* Before the entry that ends BootOrder; the end without one. */
static size_t last_reached(const struct pass *pass)
{
    const struct machine *machine = pass->plan->machine;
    size_t place = pass->blocker == NO_INDEX
                       ? NO_INDEX
                       : place_of(&pass->edit, machine->entries[pass->blocker].number);

    return place == NO_INDEX ? ORDER_END : place;
}

static size_t position_for_clone(const struct pass *pass, size_t original)
{
    size_t place = place_of(&pass->edit, pass->plan->machine->entries[original].number);

    if (pass->blocker != NO_INDEX && place != NO_INDEX)
        return place + 1;
    return last_reached(pass);
}

/* --- Making entries ------------------------------------------------------------------------- */

/* Sets the first entry active that would start from the target if it were. */
static enum status activate(struct pass *pass, size_t partition, bool *ret_done)
{
    struct plan *plan = pass->plan;
    char name[VAR_NAME_SIZE];

    *ret_done = false;
    for (size_t i = 0; i < plan->machine->entry_count; i++) {
        const struct entry *entry = &plan->machine->entries[i];
        if (is_active(entry) || !stands_for(pass, i, partition))
            continue;
        uint8_t *value = arena_copy(plan->arena, entry->value.at, entry->value.size);
        if (value == NULL)
            return ST_NO_MEMORY;
        st_le32(value, entry->option.attributes | LOAD_OPTION_ACTIVE);
        boot_variable_name(entry->number, name);
        plan_set_variable(plan, name, entry->attributes, span_of(value, entry->value.size),
                          arena_printf(plan->arena, "set %s \"%s\" active, to start from %s", name,
                                       entry->description,
                                       place_text(plan->arena, plan->machine, partition)));
        *ret_done = true;
        return plan->status;
    }
    return ST_OK;
}

/* Puts the first active entry for the target that is outside BootOrder, with its file there, into
 * it: nothing has to be made then. */
static bool adopt(struct pass *pass, size_t partition)
{
    const struct machine *machine = pass->plan->machine;

    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        if (is_active(entry) && names_place(pass, i, partition) && !entry_is_firmwares(entry) &&
            (entry->boot.file == NULL ||
             presence_of(machine, partition, entry->boot.file) != MISSING) &&
            edit_adopt(&pass->edit, i, last_reached(pass)))
            return true;
    }
    return false;
}

/* True for an entry that starts from the source, which may be gone: then the entry is about to be
 * deleted, and is still what a new one is best made from. */
static bool is_original(const struct pass *pass, size_t index)
{
    const struct entry *entry = &pass->plan->machine->entries[index];
    bool gone = entry->status == ST_OK && entry->boot.partition == NO_INDEX;

    return entry->in_order && entry->status == ST_OK && entry->boot.has_hd &&
           (entry->option.attributes & LOAD_OPTION_CATEGORY) == 0 && !entry_is_firmwares(entry) &&
           (gone || !pass->edit.deleted[index]) &&
           hd_node_has_guid(&entry->boot.hd, &pass->request->source);
}

/* True when at least one original is active. */
static bool originals_are_active(const struct pass *pass)
{
    for (size_t i = 0; i < pass->plan->machine->entry_count; i++) {
        if (is_original(pass, i) && is_active(&pass->plan->machine->entries[i]))
            return true;
    }
    return false;
}

/* Clones the source's entries whose file the target has: the active ones, or the first when there
 * are none. */
static enum status clone_originals(struct pass *pass, size_t partition)
{
    const struct machine *machine = pass->plan->machine;
    const struct clone_request request = {.has_source = true,
                                          .has_target = true,
                                          .source = pass->request->source,
                                          .target = machine->partitions[partition].unique,
                                          .disk_in_name = pass->request->disk_in_name,
                                          .form = PATH_KEEP};
    struct clone_pair pair;
    bool active = originals_are_active(pass);
    enum status status = ST_OK;
    bool begun = false;

    for (size_t i = 0; i < machine->entry_count && status == ST_OK && (active || !begun); i++) {
        const struct entry *entry = &machine->entries[i];
        if (!is_original(pass, i) || is_active(entry) != active ||
            (entry->boot.file != NULL &&
             presence_of(machine, partition, entry->boot.file) == MISSING))
            continue;
        if (!begun)
            status = clone_begin(pass->plan, &request, &pair);
        begun = true;
        pair.activate = true;
        if (status == ST_OK)
            status = clone_entry(&pass->edit, &pair, i, position_for_clone(pass, i));
    }
    return status;
}

/* True when the boot program `path` is on another ESP of the machine: what the target, whose files
 * are not known yet, is given them from. */
static bool others_have(const struct machine *machine, const char *path)
{
    for (size_t i = 0; i < machine->esp_count; i++) {
        if (presence_of(machine, machine->esps[i].partition, path) == PRESENT)
            return true;
    }
    return false;
}

static bool will_be_there(const struct machine *machine, size_t partition, const char *path)
{
    enum presence presence = presence_of(machine, partition, path);

    if (presence == NOT_KNOWN)
        return others_have(machine, path);
    return presence == PRESENT;
}

/* An entry without an original: for Windows' boot manager, else for the removable-media file. */
static enum status make_entry(struct pass *pass, size_t partition)
{
    const struct machine *machine = pass->plan->machine;
    const char *fallback =
        arena_printf(pass->plan->arena, FALLBACK_PATH_FORMAT, machine->architecture);
    struct add_request request = {.partition = machine->partitions[partition].unique,
                                  .file = BOOT_MANAGER_PATH,
                                  .description = "Windows Boot Manager",
                                  .disk_in_name = pass->request->disk_in_name,
                                  .position = last_reached(pass)};

    if (fallback == NULL)
        return ST_NO_MEMORY;
    if (!will_be_there(machine, partition, BOOT_MANAGER_PATH)) {
        request.file = fallback;
        request.description = "UEFI OS";
        if (!will_be_there(machine, partition, fallback) &&
            machine->partitions[partition].fallback_status != ST_OK)
            return ST_OK;
    }
    enum status status = add_into(&pass->edit, &request, partition);
    if (status != ST_EXISTS)
        return status;
    pass->plan->refusal = "";
    return ST_OK;
}

/* --- Targets -------------------------------------------------------------------------------- */

/* True when an entry that cannot be read may be the target's. */
static bool may_have_entry(const struct pass *pass, const struct guid *target)
{
    const struct machine *machine = pass->plan->machine;
    const struct machine *now = pass->request->now == NULL ? machine : pass->request->now;

    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        if (entry->in_order && entry->status != ST_OK && entry->status != ST_DAMAGED)
            return machine_find_partition(now, target, NULL) != NO_INDEX;
    }
    return false;
}

static enum status serve_target(struct pass *pass, const struct guid *target)
{
    size_t partition = NO_INDEX;
    bool done = false;

    if (may_have_entry(pass, target))
        return ST_OK;
    enum status status = place_find(pass->plan, target, &partition);
    if (status != ST_OK)
        return status;
    size_t esp = machine_find_esp(pass->plan->machine, partition);
    bool usable = esp == NO_INDEX || pass->plan->machine->esps[esp].status == ST_OK;
    if (!usable || has_active_entry(pass, partition))
        return ST_OK;
    status = activate(pass, partition, &done);
    if (status == ST_OK && !done)
        done = adopt(pass, partition);
    size_t before = pass->edit.count;
    if (status == ST_OK && !done && !guid_is_zero(&pass->request->source))
        status = clone_originals(pass, partition);
    if (status == ST_OK && !done && pass->edit.count == before)
        status = make_entry(pass, partition);
    return status;
}

/* A target that cannot be served does not keep the others from it. */
static enum status serve_targets(struct pass *pass)
{
    struct plan *plan = pass->plan;

    for (size_t i = 0; i < pass->request->target_count; i++) {
        enum status status = serve_target(pass, &pass->request->targets[i]);
        if (status == ST_NO_MEMORY || plan->status != ST_OK)
            return status == ST_OK ? plan->status : status;
        if (status != ST_OK)
            plan_warn_of_refusal(plan, status);
        plan->target_disk = NO_INDEX; /* there is more than one, and they may be changed before */
    }
    return ST_OK;
}

enum status plan_esp_entries(struct plan *plan, const struct esp_entries_request *request)
{
    const struct machine *machine = plan->machine;
    size_t extra = request->target_count * (machine->entry_count + 1);
    struct pass pass = {.plan = plan, .request = request};
    struct roles roles;

    enum status status = roles_find(plan->arena, machine, &roles);
    if (status != ST_OK)
        return status;
    pass.blocker = start_blocker(machine, &roles, machine->entry_count);
    status = edit_begin_mending(plan, extra, &pass.edit);
    if (status == ST_OK && request->prune)
        status = prune_into(&pass.edit, request->keep_gone);
    if (status == ST_OK)
        status = serve_targets(&pass);
    if (status == ST_OK && request->prune)
        status = prune_spare(&pass.edit);
    return status == ST_OK ? edit_finish(&pass.edit) : status;
}
