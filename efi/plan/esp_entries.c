#include "plan/esp_entries.h"

#include "audit/program.h"
#include "base/print.h"
#include "model/boot_name.h"
#include "model/boot_paths.h"
#include "model/firmware_entry.h"
#include "plan/clone.h"
#include "plan/edit.h"
#include "plan/entries.h"
#include "esp_entries_parts.h"
#include "plan/place.h"
#include "plan/project.h"

/* --- Making entries ------------------------------------------------------------------------- */

/* Sets the first entry active that would start from the target if it were. */
static enum status activate(struct esp_entries_pass *pass, size_t partition, bool *ret_done)
{
    struct plan *plan = pass->plan;
    char name[VAR_NAME_SIZE];

    *ret_done = false;
    for (size_t i = 0; i < plan->machine->entry_count; i++) {
        const struct entry *entry = &plan->machine->entries[i];
        if (esp_entries_is_active(entry) || esp_entries_place(pass, i) == NO_INDEX ||
            !esp_entries_serves(pass, i, partition))
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

/* Puts an entry that starts from the target into BootOrder, when there is one outside it. */
static bool adopt(struct esp_entries_pass *pass, size_t partition)
{
    const struct machine *machine = pass->plan->machine;

    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        if (esp_entries_place(pass, i) == NO_INDEX && esp_entries_is_active(entry) &&
            entry->boot.file != NULL && esp_entries_serves(pass, i, partition))
            return edit_adopt(&pass->edit, i, esp_entries_position(pass, NO_INDEX));
    }
    return false;
}

/* --- Clones --------------------------------------------------------------------------------- */

/* True for an entry that can be cloned: the partition it names may be gone, and it may be about to
 * be deleted because of that. */
static bool can_be_cloned(const struct esp_entries_pass *pass, size_t index)
{
    const struct entry *entry = &pass->plan->machine->entries[index];
    bool gone = entry->status == ST_OK && entry->boot.partition == NO_INDEX;

    return entry->status == ST_OK && entry->boot.has_hd &&
           entry->boot.hd.signature_type == HD_SIGNATURE_GUID &&
           (entry->option.attributes & LOAD_OPTION_CATEGORY) == 0 && !entry_is_firmwares(entry) &&
           (gone || !pass->edit.deleted[index]);
}

/* True for an entry in BootOrder that starts from the source. */
static bool is_original(const struct esp_entries_pass *pass, size_t index)
{
    const struct entry *entry = &pass->plan->machine->entries[index];
    bool stays = entry->in_order || esp_entries_place(pass, index) != NO_INDEX;

    return stays && can_be_cloned(pass, index) &&
           hd_node_has_guid(&entry->boot.hd, &pass->request->source);
}

/* True when at least one original is active. */
static bool originals_are_active(const struct esp_entries_pass *pass)
{
    for (size_t i = 0; i < pass->plan->machine->entry_count; i++) {
        if (is_original(pass, i) && esp_entries_is_active(&pass->plan->machine->entries[i]))
            return true;
    }
    return false;
}

/* True when the entry's file is a system's on the target, as far as is known. */
static bool is_of_use(const struct esp_entries_pass *pass, size_t index, size_t partition)
{
    const struct machine *machine = pass->plan->machine;
    const char *file = machine->entries[index].boot.file;

    return file == NULL || (esp_entries_presence(machine, partition, file) != MISSING &&
                            !esp_entries_is_tool(machine, partition, file));
}

/* Clones one entry. `*io_made` becomes true. */
static enum status clone_one(struct esp_entries_pass *pass, size_t index, size_t partition,
                             bool *io_made)
{
    const struct machine *machine = pass->plan->machine;
    const struct clone_request request = {
        .has_source = true,
        .has_target = true,
        .source = guid_load(machine->entries[index].boot.hd.signature),
        .target = machine->partitions[partition].unique,
        .disk_in_name = pass->request->disk_in_name,
        .form = PATH_KEEP,
    };
    struct clone_pair pair;

    enum status status = clone_begin(pass->plan, &request, &pair);
    if (status != ST_OK)
        return status;
    pair.activate = true;
    *io_made = true;
    return clone_entry(&pass->edit, &pair, index, esp_entries_position(pass, index));
}

/* Clones the source's entries whose file the target has: the active ones, or the first when there
 * are none. */
static enum status clone_originals(struct esp_entries_pass *pass, size_t partition, bool *io_made)
{
    const struct machine *machine = pass->plan->machine;
    bool active = originals_are_active(pass);
    enum status status = ST_OK;

    for (size_t i = 0; i < machine->entry_count && status == ST_OK && (active || !*io_made); i++) {
        if (is_original(pass, i) && esp_entries_is_active(&machine->entries[i]) == active &&
            is_of_use(pass, i, partition))
            status = clone_one(pass, i, partition, io_made);
    }
    return status;
}

/* Clones the first entry there is, of whatever partition, whose file is on the target: one whose
 * partition is gone may be all that knows the system's loader. */
static enum status clone_any(struct esp_entries_pass *pass, size_t partition, bool *io_made)
{
    const struct machine *machine = pass->plan->machine;

    for (size_t i = 0; i < machine->entry_count; i++) {
        const char *file = machine->entries[i].boot.file;
        if (file != NULL && can_be_cloned(pass, i) &&
            esp_entries_presence(machine, partition, file) == PRESENT &&
            is_of_use(pass, i, partition))
            return clone_one(pass, i, partition, io_made);
    }
    return ST_OK;
}

/* --- Entries without an original -------------------------------------------------------------- */

static enum status add_boot_entry(struct esp_entries_pass *pass, const struct esp *esp,
                                  const struct loader *loader)
{
    const struct add_request request = {
        .partition = pass->plan->machine->partitions[esp->partition].unique,
        .file = esp->report.files[loader->file].path,
        .description = loader->description,
        .optional = loader->optional,
        .disk_in_name = pass->request->disk_in_name,
        .position = esp_entries_position(pass, NO_INDEX),
    };

    enum status status = add_into(&pass->edit, &request, esp->partition);
    if (status != ST_EXISTS)
        return status;
    pass->plan->refusal = "";
    return ST_OK;
}

/* The line to type for an entry; NULL when there is no memory. */
static const char *line_for(struct plan *plan, const struct esp *esp, const char *file,
                            const char *description, const char *optional)
{
    char guid[GUID_TEXT_SIZE];
    const char *options =
        optional == NULL ? "" : arena_printf(plan->arena, " -opt \"%s\"", optional);

    guid_format(&plan->machine->partitions[esp->partition].unique, guid);
    return options == NULL ? NULL
                           : arena_printf(plan->arena, "\n  shadowboot add %s \"%s\" -d \"%s\"%s",
                                          guid, file, description, options);
}

/* Says `what` of the ESP, with lines to type: which boot manager is meant nobody can tell. */
static enum status offer(struct plan *plan, const struct esp *esp, const char *what,
                         const char *lines)
{
    if (lines == NULL)
        return ST_NO_MEMORY;
    plan_warn_of_rest(plan, "%s %s%s", place_text(plan->arena, plan->machine, esp->partition), what,
                      lines);
    plan->left_out = true;
    return plan->status;
}

static enum status offer_loaders(struct plan *plan, const struct esp *esp,
                                 const struct loaders *loaders)
{
    const char *lines = "";

    for (size_t i = 0; i < loaders->count && lines != NULL; i++) {
        const struct loader *loader = &loaders->items[i];
        const char *line = line_for(plan, esp, esp->report.files[loader->file].path,
                                    loader->description, loader->optional);
        lines = line == NULL ? NULL : arena_printf(plan->arena, "%s%s", lines, line);
    }
    return offer(plan, esp,
                 "has several boot managers, and no boot entry tells which one is meant. Type the "
                 "line of the right one:",
                 lines);
}

/* A removable-media file that may be anything. */
static enum status offer_fallback(struct plan *plan, const struct esp *esp)
{
    const char *fallback = plan->machine->fallback;

    if (fat_find(&esp->report, fallback) == FAT_NO_FILE)
        return ST_OK;
    return offer(plan, esp,
                 "has no boot manager that is known, so no boot entry is made for it. If its "
                 "removable-media file starts the system, type:",
                 line_for(plan, esp, fallback, "UEFI OS", NULL));
}

/* For the one boot manager of the ESP. */
static enum status make_entry(struct esp_entries_pass *pass, size_t index)
{
    const struct machine *machine = pass->plan->machine;
    struct loaders loaders;

    if (index == NO_INDEX)
        return ST_OK;
    const struct esp *esp = &machine->esps[index];
    enum status status = program_loaders(pass->plan->arena, machine, esp, &loaders);
    if (status != ST_OK)
        return status;
    if (loaders.count == 1)
        return add_boot_entry(pass, esp, &loaders.items[0]);
    return loaders.count > 1 ? offer_loaders(pass->plan, esp, &loaders)
                             : offer_fallback(pass->plan, esp);
}

/* --- Targets -------------------------------------------------------------------------------- */

/* True when an entry that cannot be read may be the target's. */
static bool may_have_entry(const struct esp_entries_pass *pass, const struct guid *target)
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

static bool has_active_entry(const struct esp_entries_pass *pass, size_t partition)
{
    const struct machine *machine = pass->plan->machine;

    for (size_t i = 0; i < machine->entry_count; i++) {
        if (esp_entries_place(pass, i) != NO_INDEX && esp_entries_serves(pass, i, partition) &&
            esp_entries_is_active(&machine->entries[i]))
            return true;
    }
    return false;
}

static enum status serve_target(struct esp_entries_pass *pass, const struct guid *target)
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
    if (status == ST_OK && !done && !guid_is_zero(&pass->request->source))
        status = clone_originals(pass, partition, &done);
    if (status == ST_OK && !done)
        status = clone_any(pass, partition, &done);
    if (status == ST_OK && !done)
        status = make_entry(pass, esp);
    return status;
}

/* A target that cannot be served does not keep the others from it. */
static enum status serve_targets(struct esp_entries_pass *pass)
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
    size_t extra = request->target_count * (plan->machine->entry_count + 1);
    struct esp_entries_pass pass = {.plan = plan, .request = request};

    if (!machine_knows_entries(plan->machine)) {
        plan_warn_of_rest(plan, "Boot entries are left out: the disks are here without their "
                                "machine's firmware. In the machine, \"shadowboot repair\" makes "
                                "them.");
        return ST_OK;
    }
    enum status status = roles_find(plan->arena, plan->machine, &pass.roles);
    if (status == ST_OK)
        status = edit_begin_mending(plan, extra, &pass.edit);
    if (status == ST_OK && request->prune)
        status = prune_into(&pass.edit, request->keep_gone);
    if (status == ST_OK)
        status = serve_targets(&pass);
    if (status == ST_OK && request->prune)
        status = prune_spare(&pass.edit);
    return status == ST_OK ? edit_finish(&pass.edit) : status;
}

enum status plan_esp_entries_after(struct plan *io_plan, const struct esp_entries_request *request)
{
    struct machine *later = arena_alloc(io_plan->arena, 1, sizeof(*later));
    struct plan part;

    if (later == NULL)
        return ST_NO_MEMORY;
    enum status status = project_machine(io_plan->arena, io_plan, later);
    if (status != ST_OK)
        return status;
    plan_init(&part, io_plan->arena, later);
    status = plan_esp_entries(&part, request);
    if (status == ST_OK)
        status = part.status;
    if (status == ST_OK)
        plan_append(io_plan, &part);
    else if (status != ST_NO_MEMORY)
        io_plan->refusal = part.refusal;
    return status == ST_OK ? io_plan->status : status;
}
